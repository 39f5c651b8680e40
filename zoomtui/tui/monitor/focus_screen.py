"""Where a dive goes: a frame over what the next keyframe shows, moved by arrows or the mouse."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.app import ComposeResult
from textual.strip import Strip

from renderer.errors import RendererError
from renderer.project.records import path_of, read_history, read_settings
from renderer.settings.focus import AUTO, CENTRE, Point, parse_point
from renderer.settings.render import RenderSettings
from zoomtui.terminal.pictures.request import Pixels
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.watcher import Watch

_STEP = 0.05
"""Share of the picture that an arrow moves the frame."""


class FramedPicture(Picture):
    """A picture with a frame of characters over it."""

    def __init__(self) -> None:
        super().__init__(empty="no keyframe yet")
        self.focus_at: Point = CENTRE
        self.share = 0.0
        """Side of the frame ÷ that of the picture; 0: not known yet."""

    def render_line(self, y: int) -> Strip:
        line, width = super().render_line(y), self.size.width
        left, top, right, bottom = self.frame
        if not top <= y <= bottom or right - left < 2:
            return line
        style = self.rich_style + Style(reverse=True)
        if y in (top, bottom):
            edge = Strip([Segment("+" + "-" * (right - left - 1) + "+", style)])
            return Strip.join([line.crop(0, left), edge, line.crop(right + 1, width)])
        post = Strip([Segment("|", style)])
        inside = line.crop(left + 1, right)
        return Strip.join([line.crop(0, left), post, inside, post, line.crop(right + 1, width)])

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """Its left, top, right and bottom cells; it stays within the picture."""
        left, top, columns, rows = self.extent
        wide, high = columns * self.share, rows * self.share
        x = min(max(self.focus_at[0] * columns - wide / 2, 0), columns - wide)
        y = min(max(self.focus_at[1] * rows - high / 2, 0), rows - high)
        return (
            left + round(x),
            top + round(y),
            left + max(round(x + wide) - 1, 0),
            top + max(round(y + high) - 1, 0),
        )

    def go(self, point: Point) -> None:
        self.focus_at = (min(max(point[0], 0.0), 1.0), min(max(point[1], 0.0), 1.0))
        self.refresh()


class FocusScreen(HostedScreen):
    """See the module. Asks the engine for the focus; nothing happens before Enter."""

    BINDINGS = keys(
        bind("left", "move(-1, 0)", "move", "move the frame; a click does so too",
             key_display="←↑↓→"),
        quiet("right", "move(1, 0)", "move"),
        quiet("up", "move(0, -1)", "move"),
        quiet("down", "move(0, 1)", "move"),
        quiet("home", "middle", "middle", "back to the middle"),
        bind("enter", "take", "dive there", "dive there, from the next keyframe that is not begun"),
        bind("a", "auto", "auto", "dive to where there is most to see"),
        bind("escape,q", "dismiss", "back", "back; the dive goes where it went"),
    )  # fmt: skip

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._shown = -1
        self._dives = True
        """As far as is known: the film is one that goes in."""

    def compose(self) -> ComposeResult:
        yield OneLine(id="focus-head")
        yield FramedPicture()
        yield KeyLine()

    def on_mount(self) -> None:
        self._picture = self.query_one(FramedPicture)
        self.set_interval(self.host.interval, self._look)
        self._look()

    def _look(self) -> None:
        newest = self._watch.view.state.keyframes - 1
        if newest != self._shown:
            self._shown = newest
            self._read()

    @work(exclusive=True, group="focus")
    async def _read(self) -> None:
        try:
            shown, settings = await asyncio.to_thread(_next_picture, self._watch.view.folder)
        except RendererError:
            return  # the monitor says what is wrong with the project
        if not standing(self):
            return
        if shown is not None:
            height, width = shown.shape[:2]
            self._picture.show(shown.tobytes(), width, height)
        if not self._picture.share and settings.focus != AUTO:
            self._picture.go(parse_point(settings.focus))
        self._picture.share = 1 / settings.zoom_factor
        self._dives = settings.method == "refine"
        self.paint()

    def paint(self) -> None:
        across, down = self._picture.focus_at
        text = f" Where to?  {across:.2f},{down:.2f}"
        if not self._dives:
            text += "  This film zooms out; p, Method refine lets it dive."
        self.query_one("#focus-head", OneLine).show(((text, ""),))
        self.query_one(KeyLine).refresh_keys(self)

    def action_move(self, across: int, down: int) -> None:
        x, y = self._picture.focus_at
        self._picture.go((x + _STEP * across, y + _STEP * down))
        self.paint()

    def action_middle(self) -> None:
        self._picture.go(CENTRE)
        self.paint()

    def on_click(self, event: events.Click) -> None:
        left, top, columns, rows = self._picture.extent
        at = self._picture.region
        if event.widget is self._picture and columns and rows:
            x, y = event.screen_x - at.x - left, event.screen_y - at.y - top
            self._picture.go(((x + 0.5) / columns, (y + 0.5) / rows))
            self.paint()

    def action_take(self) -> None:
        across, down = self._picture.focus_at
        self._ask(f"{across:.2f},{down:.2f}")

    def action_auto(self) -> None:
        self._ask(AUTO)

    def _ask(self, focus: str) -> None:
        said = f"From the next keyframe on it dives to {focus}."
        self.attempt(lambda: self._watch.ask("steer", changes={"focus": focus}), said)
        self.dismiss()


def _next_picture(folder: Path) -> tuple[Pixels | None, RenderSettings]:
    """What the next keyframe shows, if that can be seen, and its settings. Blocking. Raises
    ProjectError, SettingsError."""
    from renderer.images import read_keyframe  # loads NumPy and Pillow
    from renderer.painting.geometry import Geometry
    from renderer.painting.outpaint import picture_of

    history = read_history(folder)
    settings = history.settings_at(read_settings(folder), len(history.keyframes))
    shown = None
    if history.keyframes:
        newest = history.keyframes[-1]
        with suppress(RendererError):
            size = Geometry.of(settings).stored_size(newest.keyframe)
            canvas = read_keyframe(path_of(folder, newest), size, newest.crc)
            shown = picture_of(canvas, settings, newest.dives_to) if newest.keyframe else canvas
    return shown, settings
