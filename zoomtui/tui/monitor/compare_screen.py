"""Two keyframes side by side, each walked through by itself, with what their files say of them."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from zoomtui.terminal.capabilities import Pictures
from zoomtui.tui.monitor.captioned import Captioned
from zoomtui.tui.shared.host import HostedScreen
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.text_widgets import KeyLine
from zoomtui.viewing.watcher import Watch


class CompareScreen(HostedScreen):
    BINDINGS = keys(
        bind("left", "walk(-1)", "older", "walk through the keyframes with the marked one"),
        bind("right", "walk(1)", "newer", "walk through the keyframes with the marked one"),
        quiet("pageup", "walk(-10)", "ten back", "the same in tens"),
        quiet("pagedown", "walk(10)", "ten on", "the same in tens"),
        bind("tab,shift+tab", "turn", "the other one", "mark the other one"),
        bind("escape,q,c", "dismiss", "back", "back"),
    )

    def __init__(self, watch: Watch, keyframe: int, pictures: Pictures | None) -> None:
        """``keyframe``: stands at the right, beside the one before it."""
        super().__init__()
        self._watch = watch
        self.keyframes = [max(0, keyframe - 1), keyframe]
        self.sides = Captioned(pictures), Captioned(pictures)
        self._chosen = 0
        """Which of the two walks."""

    def compose(self) -> ComposeResult:
        yield Horizontal(*self.sides)
        yield KeyLine()

    def on_mount(self) -> None:
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        for side, keyframe in zip(self.sides, self.keyframes, strict=True):
            side.marked = side is self.sides[self._chosen]
            side.show_keyframe(self._watch.view.keyframe_path(keyframe), f"Keyframe {keyframe + 1}")
        self.query_one(KeyLine).refresh_keys(self)

    def action_walk(self, by: int) -> None:
        last = self._watch.view.state.keyframes - 1
        self.keyframes[self._chosen] = max(0, min(self.keyframes[self._chosen] + by, last))
        self.paint()

    def action_turn(self) -> None:
        self._chosen = 1 - self._chosen
        self.paint()
