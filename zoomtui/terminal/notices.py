"""Messages that a terminal shows on the desktop, or as it can: the sequences, and which it knows.

OSC 99 is kitty's, with title and body (https://sw.kovidgoyal.net/kitty/desktop-notifications/); OSC
777 is urxvt's, known to many; OSC 9 has one line. Terminals ignore those that they don't know, so
the bell goes along where it is not sure that one is shown. Pure: nothing is written here.
"""

from __future__ import annotations

import re
from typing import Literal

from renderer.formatting import clean
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.passthrough import through_tmux

Kind = Literal["OSC 99", "OSC 777", "OSC 9", "bell"]

_KINDS: dict[str, Kind] = {
    "kitty": "OSC 99",
    **dict.fromkeys(("foot", "ghostty", "wezterm", "contour"), "OSC 777"),
    **dict.fromkeys(("iterm2", "warpterminal", "warp"), "OSC 9"),
    **dict.fromkeys(("konsole", "vte", "windows"), "OSC 777"),
}
"""By the first word of the name that the terminal gives."""
_UNSURE = frozenset({"konsole", "vte", "windows"})
"""Only some versions, or builds, show it."""
_LONGEST = 240
"""Characters of a message."""


def notice_kind(terminal: Terminal) -> tuple[Kind, bool, str]:
    """Which sequence is sent, whether the bell goes along, and why, as a sentence."""
    name = terminal.name or "an unknown terminal"
    word = re.match(r"[a-z0-9]*", terminal.name.lower())
    known = word[0] if word else ""
    kind = _KINDS.get(known, "bell")
    if kind == "bell":
        return kind, True, f"messages bell: {name} is not known to show any"
    if terminal.in_tmux and not terminal.passthrough:
        return "bell", True, "messages bell: tmux hands none on (set -g allow-passthrough on)"
    if terminal.in_tmux:
        return (
            kind,
            True,
            f"messages {kind}, bell: {name} shows them; tmux only from a visible pane",
        )
    if known in _UNSURE:
        return kind, True, f"messages {kind}, bell: some versions of {name} show them"
    return kind, False, f"messages {kind}: {name} shows them"


def notice(terminal: Terminal, title: str, text: str) -> str:
    """What to write for a message; nothing in ``title`` and ``text`` is obeyed."""
    kind, bell, _ = notice_kind(terminal)
    title, text = (clean(said)[:_LONGEST].replace(";", ",") for said in (title, text))
    said = {
        "OSC 99": (f"99;i=zoomtui:d=0:o=unfocused;{title}", f"99;i=zoomtui:p=body;{text}"),
        "OSC 777": (f"777;notify;{title};{text}",),
        "OSC 9": (f"9;{title}: {text}",),
        "bell": (),
    }[kind]
    sequences = [f"\x1b]{each}\x1b\\" for each in said]
    if terminal.in_tmux:
        sequences = [through_tmux(each) for each in sequences]
    return "".join(sequences) + "\a" * bell
