"""One render, shown: a keyframe of it, which one that is, and all that there is to say."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from renderer.project.records import keyframe_path
from zoomtui.tui.monitor.panels import strip_line
from zoomtui.tui.renders import describe
from zoomtui.tui.shared.keyframe_cursor import KeyframeCursor
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import OneLine, content
from zoomtui.viewing.scan import Render


class RenderDetail(Container):
    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._shown: Render | None = None
        self._cursor = KeyframeCursor()

    def compose(self) -> ComposeResult:
        with Vertical(id="renders-easel"):
            yield Picture(id="renders-picture")
            yield OneLine(id="renders-strip")
        yield Static("", id="renders-facts", markup=False)

    def show(self, render: Render | None, now: float) -> None:
        """Show ``render`` as it is ``now`` (Unix time); a new one at its newest keyframe."""
        before = self._shown and self._shown.folder
        self._shown = render
        if (render and render.folder) != before:
            self._cursor.follow()
        self._show_facts(now)
        self._show_picture()

    def cursor(self, by: int) -> None:
        """So many keyframes on, or back."""
        self._cursor.step(by, self._count)
        self._show_picture()

    def can_walk(self, by: int) -> bool:
        """Whether there are keyframes on that side."""
        return self._cursor.can_step(by, self._count)

    @property
    def _count(self) -> int:
        return self._shown.keyframes if self._shown else 0

    def _show_facts(self, now: float) -> None:
        facts = self.query_one("#renders-facts", Static)
        if self._shown is None:
            facts.update("")
            return
        width = facts.content_size.width
        lines = describe.detail_lines(self._shown, width, now)
        facts.update(content(self.app, *lines), layout=False)

    def _show_picture(self) -> None:
        count = self._count
        shown = self._cursor.shown(count)
        strip = self.query_one("#renders-strip", OneLine)
        strip.show(strip_line(count, shown, self._cursor.following, strip.content_size.width))
        picture = self.query_one(Picture)
        if self._shown and self._shown.status and shown >= 0:
            take = dict(self._shown.status.takes).get(shown, 1)
            picture.show_file(keyframe_path(self._shown.folder, shown, take))
        else:
            picture.clear()
