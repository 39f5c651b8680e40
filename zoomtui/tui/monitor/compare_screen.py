"""Two keyframes side by side, each walked through by itself, with what their files say of them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from zoomtui.terminal.capabilities import Pictures
from zoomtui.tui.monitor.caption import caption_line, read_figures
from zoomtui.tui.monitor.watcher import Watch
from zoomtui.tui.shared.host import HostedScreen
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine


class Side(Vertical):
    """One of the two."""

    def __init__(self, watch: Watch, keyframe: int, pictures: Pictures | None) -> None:
        super().__init__()
        self._watch = watch
        self._pictures = pictures
        self._figures: Line = ()
        self._read: Path | None = None
        """The file that was read last."""
        self.keyframe = keyframe
        self.chosen = False

    def compose(self) -> ComposeResult:
        yield Picture()
        yield OneLine()

    def on_mount(self) -> None:
        self.query_one(Picture).set_pictures(self._pictures)

    def paint(self) -> None:
        path = self._watch.view.keyframe_path(self.keyframe)
        self.query_one(Picture).show_file(path)
        if self._read != path:
            self._read, self._figures = path, ()
            self._read_figures(path)
        sign = "▸" if self.chosen else " "
        caption = self.query_one(OneLine)
        line = caption_line(self.keyframe, self._figures, max(0, caption.size.width - 1))
        caption.show(((sign, "strong"), *line))

    @work(thread=True, exclusive=True, group="figures")
    def _read_figures(self, path: Path) -> None:
        self.app.call_later(self._take, path, read_figures(path))

    def _take(self, path: Path, figures: Line) -> None:
        if self.is_attached and path == self._read:
            self._figures = figures
            self.paint()


class CompareScreen(HostedScreen):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "walk(-1)", "older", key_display="←", id="walk.older"),
        Binding("right", "walk(1)", "newer", key_display="→", id="walk.newer"),
        Binding("pageup", "walk(-10)", "ten back", show=False, id="walk.tenback"),
        Binding("pagedown", "walk(10)", "ten on", show=False, id="walk.tenon"),
        Binding("tab,shift+tab", "turn", "the other one", key_display="Tab", id="compare.turn"),
        Binding("escape,q,c", "dismiss", "back", id="view.back"),
    ]
    KEY_HELP: ClassVar[dict[str, str]] = {
        "walk.older": "walk through the keyframes with the marked one",
        "walk.newer": "walk through the keyframes with the marked one",
        "walk.tenback": "the same in tens",
        "walk.tenon": "the same in tens",
        "compare.turn": "mark the other one",
        "view.back": "back",
    }

    def __init__(self, watch: Watch, keyframe: int, pictures: Pictures | None) -> None:
        """``keyframe``: stands at the right, beside the one before it."""
        super().__init__()
        self._watch = watch
        self.sides = tuple(Side(watch, each, pictures) for each in (max(0, keyframe - 1), keyframe))
        self.sides[0].chosen = True

    @property
    def chosen(self) -> Side:
        """The one that walks."""
        return next(side for side in self.sides if side.chosen)

    def compose(self) -> ComposeResult:
        yield Horizontal(*self.sides)
        yield KeyLine()

    def on_mount(self) -> None:
        self.call_after_refresh(self._paint)

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        for side in self.sides:
            side.paint()
        self.query_one(KeyLine).refresh_keys(self)

    def action_walk(self, by: int) -> None:
        last = self._watch.view.state.keyframes - 1
        self.chosen.keyframe = max(0, min(self.chosen.keyframe + by, last))
        self._paint()

    def action_turn(self) -> None:
        for side in self.sides:
            side.chosen = not side.chosen
        self._paint()
