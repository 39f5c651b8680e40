"""The way from a verb into the terminal interface: is there a terminal, what can it do, go.

Textual reads its environment while it is imported, so it is imported here and nowhere earlier.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.errors import SettingsError

if TYPE_CHECKING:
    from zoomtui.terminal.capabilities import Terminal


@dataclass(frozen=True, slots=True)
class Look:
    """How the user wants pictures and signs shown; the defaults let the terminal decide."""

    preview: str | None = None
    ascii: bool = False


def on_terminal() -> bool:
    """Keys, lines and screen all belong to a terminal that can show one."""
    named = os.environ.get("TERM", "") not in {"", "dumb"}
    return named and all(os.isatty(handle) for handle in (0, 1, 2))


def show(look: Look, folder: Path | None = None) -> int:
    """The live monitor of the project at ``folder``, or the list of renders; the exit code.

    Raises SettingsError.
    """
    terminal = terminal_for(look)
    from zoomtui.tui.app import run

    return run(terminal, folder)


def terminal_for(look: Look) -> Terminal:
    """Ask the terminal what it can do, and tell Textual. Raises SettingsError without one."""
    if not on_terminal():
        raise SettingsError(
            "the interface needs a terminal; without one use `zoomtui status` and `--headless`"
        )
    from zoomtui.terminal.capabilities import detect, prepare_environment

    terminal = detect(os.environ, override=look.preview, ascii=look.ascii)
    os.environ.update(prepare_environment(terminal, os.environ))
    return terminal
