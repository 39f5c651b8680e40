"""A picture with a line below it: which keyframe it is, and what its file says of its making."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from zoomtui.terminal.capabilities import Pictures
from zoomtui.tui.monitor.caption import read_figures
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.styled_text import Line, cut
from zoomtui.tui.shared.text_widgets import OneLine


class Captioned(Vertical):
    """Shows a keyframe's file; ``marked``: by a sign."""

    def __init__(self, pictures: Pictures | None) -> None:
        super().__init__()
        self._pictures = pictures
        self._head = ""
        self.figures: Line = ()
        """What was read; empty until then."""
        self._shown: Path | None = None
        """The file that was read last."""
        self.marked = False

    def compose(self) -> ComposeResult:
        yield Picture()
        yield OneLine()

    def on_mount(self) -> None:
        self.query_one(Picture).set_pictures(self._pictures)

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def show_keyframe(self, path: Path, head: str) -> None:
        """The picture at ``path``; ``head`` begins the line below it."""
        self._head = head
        self.query_one(Picture).show_file(path)
        if self._shown != path:
            self._shown, self.figures = path, ()
            self._read_figures(path)
        self._paint()

    def _paint(self) -> None:
        if not self.is_attached:
            return
        caption = self.query_one(OneLine)
        sign = "▸" if self.marked else " "
        line: Line = ((f"{sign} {self._head}", "strong"), ("  ", ""), *self.figures)
        caption.show(cut(line, caption.size.width))

    @work(thread=True, exclusive=True, group="figures")
    def _read_figures(self, path: Path) -> None:
        self.app.call_later(self._take, path, read_figures(path))

    def _take(self, path: Path, figures: Line) -> None:
        if self.is_attached and path == self._shown:
            self.figures = figures
            self._paint()
