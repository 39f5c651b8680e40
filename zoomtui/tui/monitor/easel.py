"""The picture, what stands below it, and the strip of keyframes around it.

Is told what to show; reads keyframes' files for the strip, and what an older one says of its
making. Knows no engine and no keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from renderer.engine.preview import Preview
from renderer.project.records import keyframe_in
from zoomtui.tui.monitor import caption
from zoomtui.tui.monitor.captioned import ReadsFigures
from zoomtui.tui.monitor.filmstrip import Filmstrip
from zoomtui.tui.monitor.panels import strip_line
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import OneLine
from zoomtui.viewing.view import View


@dataclass(frozen=True, slots=True)
class Looking:
    """What the user looks at."""

    view: View
    keyframe: int
    """From 0; -1: there is none."""
    following: bool
    """It is the newest, whichever that becomes."""
    pictured: Path | None
    """The keyframe whose picture is on the easel already; it follows the newest at leisure."""
    preview: Preview | None
    """The look at the next keyframe that is shown in its place."""


class Easel(Vertical, ReadsFigures):
    def __init__(self) -> None:
        super().__init__(id="easel")
        self._looking: Looking | None = None

    def compose(self) -> ComposeResult:
        yield Picture(id="picture")
        yield OneLine(id="caption")
        yield OneLine(id="strip")
        yield Filmstrip(id="filmstrip")

    def on_mount(self) -> None:
        self._picture = self.query_one(Picture)
        self._caption = self.query_one("#caption", OneLine)
        self._strip = self.query_one("#strip", OneLine)
        self._filmstrip = self.query_one(Filmstrip)

    @property
    def has_strip(self) -> bool:
        """Whether there is room for the strip of pictures."""
        return self._filmstrip.display

    def paint(self, looking: Looking) -> None:
        """Show that; the picture itself is the caller's."""
        self._looking = looking
        count, shown, following = looking.view.state.keyframes, looking.keyframe, looking.following
        self._strip.show(strip_line(count, shown, following, self._caption.content_size.width))
        self._show_filmstrip(looking)
        if not following:
            self.look_up(looking.view.keyframe_path(shown))
        self.show_caption()

    def show_caption(self) -> None:
        if (looking := self._looking) is None:
            return
        # Not in the border: whatever changes there has the whole picture painted anew.
        room, following = self._caption.content_size.width, looking.following
        figures = caption.quality_line(looking.view) if following else self.figures
        note = dict(looking.view.state.marks).get(looking.keyframe, "")
        line = caption.caption_line(looking.keyframe, figures, room, note)
        if looking.preview is not None:
            line = caption.unfinished_line(looking.preview, room)
        self._caption.show(caption.with_keys(line, following, room) if self.has_strip else line)

    def _show_filmstrip(self, looking: Looking) -> None:
        """In step with the picture: as it follows the newest, it moves when the picture does."""
        count, shown = looking.view.state.keyframes, looking.keyframe
        if looking.following:
            shown = min(keyframe_in(looking.pictured), shown) if looking.pictured else shown
            count = shown + 1
        state = looking.view.state
        self._filmstrip.show(
            count,
            shown,
            self._picture.pictures,
            takes=dict(state.takes),
            noted=frozenset(keyframe for keyframe, _ in state.marks),
            at_leisure=looking.following,
        )

    def on_picture_shown(self) -> None:
        """The picture was decoded: the strip needs no second look at its file."""
        if self._looking is None:
            return
        if self._picture.small is not None:
            path, pixels = self._picture.small
            self._looking = replace(self._looking, pictured=path)
            self._show_filmstrip(self._looking)
            if path == self._looking.view.keyframe_path(keyframe_in(path)):
                self._filmstrip.offer(keyframe_in(path), pixels)
        self.on_picture_failed()

    def on_picture_failed(self) -> None:
        if self._looking is not None:
            self._filmstrip.fill(self._looking.view.keyframe_path)
