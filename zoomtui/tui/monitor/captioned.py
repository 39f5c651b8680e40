"""A picture with a line below it: which keyframe it is, and what its file says of its making."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from zoomtui.terminal.capabilities import Pictures
from zoomtui.tui.monitor.caption import read_figures
from zoomtui.tui.shared.host import standing
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.styled_text import Line, cut
from zoomtui.tui.shared.text_widgets import OneLine


class ReadsFigures(Widget):
    """What says of a keyframe what its file says of its making."""

    figures: Line = ()
    """What was read; empty until then."""
    _figures_of: Path | None = None

    def look_up(self, path: Path) -> None:
        """Read it, in a thread, where that is another file than the one before."""
        if path != self._figures_of:
            self._figures_of, self.figures = path, ()
            self._read_figures(path)

    @work(exclusive=True, group="figures")
    async def _read_figures(self, path: Path) -> None:
        self.figures = await asyncio.to_thread(read_figures, path)
        if standing(self):
            self.show_caption()

    def show_caption(self) -> None:
        """The line with ``figures`` in it."""
        raise NotImplementedError


class Captioned(Vertical, ReadsFigures):
    """Shows a keyframe's file; ``marked``: by a sign."""

    def __init__(self, pictures: Pictures | None) -> None:
        super().__init__()
        self._pictures = pictures
        self._head = ""
        self.marked = False

    def compose(self) -> ComposeResult:
        yield Picture()
        yield OneLine()

    def on_mount(self) -> None:
        self.query_one(Picture).set_pictures(self._pictures)

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_caption)

    def show_keyframe(self, path: Path, head: str) -> None:
        """The picture at ``path``; ``head`` begins the line below it."""
        self._head = head
        self.query_one(Picture).show_file(path)
        self.look_up(path)
        self.show_caption()

    def show_caption(self) -> None:
        caption = self.query_one(OneLine)
        sign = "▸" if self.marked else " "
        line: Line = ((f"{sign} {self._head}", "strong"), ("  ", ""), *self.figures)
        caption.show(cut(line, caption.size.width))
