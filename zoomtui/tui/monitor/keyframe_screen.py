"""What the screens that show keyframes share: the clock that paints them, the walk, the picture.

Events are folded elsewhere (``watcher``); a screen looks at the outcome a few times a
second and paints what has changed. Knows no engine and sends nothing.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import monotonic

from textual import events, on
from textual.errors import NoWidget

from renderer.engine.preview import Preview
from zoomtui.terminal.capabilities import Pictures, Terminal
from zoomtui.terminal.driver import backlog
from zoomtui.tui.monitor.filmstrip import Filmstrip
from zoomtui.tui.monitor.headline import header_line
from zoomtui.tui.shared.host import HostedScreen
from zoomtui.tui.shared.keyframe_cursor import KeyframeCursor
from zoomtui.tui.shared.keys import keys, quiet
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.view import View
from zoomtui.viewing.watcher import Watch
from zoomtui.viewing.words import view_word

_CROWD = 3
"""Writes that may wait for the terminal before a painting is left out; a frame is three."""

_PICTURE_INTERVAL = 8.0
"""Seconds between two pictures of the newest keyframe: a picture is some 40 KiB of cells, most of
what watching costs over SSH. A user who walks gets every picture at once."""
_PREVIEW_INTERVAL = 4.0
"""Seconds that a picture stays before a look at the keyframe in the making takes its place."""


def next_kind(terminal: Terminal, now: Pictures) -> Pictures:
    """The kind of pictures after ``now``, of those that the terminal can show."""
    plainer: tuple[Pictures, ...] = ("blocks", "ascii", "off")
    best = terminal.pictures
    if best == "ascii":  # no colours, no block glyphs, or asked for
        plainer = ("ascii", "off")
    kinds = tuple(dict.fromkeys((best, *plainer)))
    return kinds[(kinds.index(now) + 1) % len(kinds)] if now in kinds else best


class KeyframeScreen(HostedScreen):
    """``show_view`` is called whenever there is something new to see."""

    BINDINGS = keys(
        quiet("left", "walk(-1)", "older", "walk through the keyframes"),
        quiet("right", "walk(1)", "newer", "walk through the keyframes"),
        quiet("pageup", "walk(-10)", "ten back", "the same in tens"),
        quiet("pagedown", "walk(10)", "ten on", "the same in tens"),
        quiet("home", "walk(-1000000)", "first keyframe", "the first keyframe"),
        quiet("end", "follow", "newest", "back to the newest, and follow it", key_display="End"),
        quiet("V", "pictures", "kind of pictures", "another kind of pictures: blocks, signs, none"),
    )

    def __init__(self, watch: Watch, cursor: KeyframeCursor) -> None:
        super().__init__()
        self.watched = watch
        self.cursor = cursor
        self._painted: object = None
        self._pictured: Path | None = None
        self._pictured_at = 0.0
        self._preview: Preview | None = None
        """The look at the next keyframe that is shown instead of the newest."""
        self._previewed_at = 0.0
        self._headed: object = None

    def on_mount(self) -> None:
        # Looked up once: to query takes longer than to see that there is nothing to paint.
        self._headline = self.query_one("#headline", OneLine)
        self._picture = self.query_one(Picture)
        self._keys = self.query_one(KeyLine)
        self.set_interval(self.host.interval, self._tick)
        self.call_after_refresh(self._tick)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._tick)

    def paint(self) -> None:
        self._tick()

    def show_view(self, view: View, now: float) -> None:
        """Put ``view`` on the screen; ``now`` is Unix time."""
        raise NotImplementedError

    def measures(self) -> object:
        """Sizes that ``show_view`` goes by; layout may settle them after a resize."""
        return self.size

    def action_walk(self, by: int) -> None:
        self.cursor.step(by, self.watched.view.state.keyframes)
        self._tick()

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def _roll(self, event: events.MouseEvent) -> None:
        """The wheel walks where the keyframes are."""
        with suppress(NoWidget):  # the window has just become smaller
            over, _ = self.get_widget_at(event.screen_x, event.screen_y)
            if not isinstance(over, Picture | Filmstrip):
                return
            self.action_walk(-1 if isinstance(event, events.MouseScrollUp) else 1)

    def action_follow(self) -> None:
        self.cursor.follow()
        self._tick()

    def action_pictures(self) -> None:
        """Another kind of pictures, on this screen and the others."""
        self.cursor.pictures = next_kind(self.host.terminal, self._picture.pictures)
        self.host.say(f"Pictures: {self.cursor.pictures}")
        self._tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "walk" if isinstance(by := parameters[0], int):
                return self.cursor.can_step(by, self.watched.view.state.keyframes)
            case "follow":
                return not self.cursor.following
        return super().check_action(action, parameters)

    def _tick(self) -> None:
        top = self.app.screen
        if top is not self and not top.is_modal:
            return
        if backlog(self.app) > _CROWD:
            return  # the terminal is slow: what it would show now, it would show late
        view, now = self.watched.view, self.host.clock()
        shown = self.cursor.shown(view.state.keyframes)
        walked = (shown, self.cursor.following, self.cursor.pictures, self._preview)
        stamp = (view, int(now), walked, self.measures())
        if stamp == self._painted:
            return
        self._painted = stamp
        with self.app.batch_update():
            self._picture.set_pictures(self.cursor.pictures)
            self._show_header(view, now)
            self.show_view(view, now)
            self._show_picture(view, shown)
            self._keys.refresh_keys(self)

    def _show_header(self, view: View, now: float) -> None:
        """Once a second, and whenever something happens that is more than a step.

        Textual renders all that lies between two changes, and the header is far from any other.
        """
        width = self.size.width
        headed = (int(now), width, view_word(view), view.state.keyframes, view.state.viewers)
        if headed != self._headed:
            self._headed = headed
            self._headline.show(header_line(view, now, width))

    def _show_picture(self, view: View, shown: int) -> None:
        """The keyframe that is looked at; while the next one takes long, a look at that instead."""
        now, following = monotonic(), self.cursor.following
        early = following and now - self._pictured_at < _PICTURE_INTERVAL
        behind = shown != -1 and view.keyframe_path(shown) != self._pictured
        if behind and not (early and self._pictured is not None):
            self._pictured_at = now
            self._pictured = view.keyframe_path(shown)
            self._preview = None
            self._picture.show_file(self._pictured)
        elif behind:
            return  # there will be a newer one by then
        elif self._preview is not None and (view.preview is None or not following):
            self._preview = None  # nothing came of it, or the user walks
            if shown == -1:
                self._picture.clear()
            else:
                self._picture.show_file(view.keyframe_path(shown))
        elif following and now - max(self._pictured_at, self._previewed_at) >= _PREVIEW_INTERVAL:
            self._look_ahead(view, now)

    def _look_ahead(self, view: View, now: float) -> None:
        """Show what there is of the keyframe in the making, or ask for it."""
        preview = view.preview
        if self._picture.pictures == "off" or not view.worth_a_look:
            return
        if preview is None or preview == self._preview:
            self.watched.look()
            return
        self._previewed_at = now
        self._preview = preview
        self._picture.show(preview.rgb, preview.width, preview.height)
