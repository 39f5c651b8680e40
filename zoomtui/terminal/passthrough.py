"""How a sequence is sent through tmux to the terminal in which that is shown."""

from __future__ import annotations


def through_tmux(sequence: str) -> str:
    """``sequence`` as tmux hands it on where it may: inside a DCS, with every escape doubled."""
    return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"
