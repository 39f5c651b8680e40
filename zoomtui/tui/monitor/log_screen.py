"""The whole log: what the session has said, or the tail of render.log with every detail."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Log

from renderer.engine.state import LogLine
from renderer.formatting import clean
from renderer.project.records import LOG
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.view import View

TAIL = 64 << 10
"""Bytes of render.log that are looked at."""
_INTERVAL = 0.5
_MOST_LINES = 1000


class LogScreen(HostedScreen):
    """Follows while its end is in sight; ``f`` changes between session and file."""

    CSS = "LogScreen Log { height: 1fr; background: $background; scrollbar-size-horizontal: 0; }"
    BINDINGS = keys(
        bind("escape,q,l", "dismiss", "back", "back"),
        bind("f", "turn", "session or file", "what this session has said, or the whole file"),
    )

    def __init__(self, view: Callable[[], View]) -> None:
        super().__init__()
        self._view = view
        self._file = False
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        yield Log(max_lines=_MOST_LINES)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Log).focus()
        self.set_interval(_INTERVAL, self.paint)

    def action_turn(self) -> None:
        self._file = not self._file
        self._shown = []
        self.query_one(Log).clear()
        self.paint()

    def paint(self) -> None:
        if not standing(self):
            return
        view = self._view()
        path = view.folder / LOG
        lines = tail(path) if self._file else [_text(line) for line in view.state.log]
        new = lines[_overlap(self._shown, lines) :]
        self._shown = lines
        if new:
            self.query_one(Log).write_lines(new)
        what = f" {clean(str(path))}" if self._file else " Session log"
        self.query_one("#headline", OneLine).show(((what, "strong"),))
        self.query_one(KeyLine).refresh_keys(self)


def tail(path: Path) -> list[str]:
    """The last lines of a file, harmless; none where it can't be read."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, 2) - TAIL)
            file.seek(start)
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [clean(line) for line in lines[bool(start) :]]


def _text(line: LogLine) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(line.at))}  {clean(line.text)}"


def _overlap(shown: list[str], lines: list[str]) -> int:
    """How many of ``lines`` have been shown: both are windows on the same growing list."""
    if not shown:
        return 0
    for count in range(len(lines), 0, -1):
        if lines[count - 1] == shown[-1] and lines[:count] == shown[-count:]:
            return count
    return 0
