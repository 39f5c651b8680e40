"""The film's newest seconds, played in the terminal: as fast as the line to it allows.

Frames that don't get there in time are left out, so that a second of film takes a second. Decoding
is a process's of its own (``player``), and costs the render nothing that it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic

from textual import work
from textual.app import ComposeResult

from renderer.errors import ProjectError
from renderer.formatting import clock_text
from zoomtui.terminal.capabilities import Pictures, moving
from zoomtui.tui.monitor.player import Frame, Player
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.styled_text import Line, cut
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine

NEWEST = 10.0
"""Seconds before the film's end at which it begins."""
_LOOK_AGAIN = 0.5
"""Seconds between two looks whether there is film, or more of it."""

_FEWEST = 10
"""Frames a second that the line must have room for, if with fewer pixels."""


class PlayScreen(HostedScreen):
    BINDINGS = keys(
        bind("space", "pause", "pause", "hold it and go on"),
        quiet("left", "skip(-1)", "a second back", "a second back"),
        quiet("right", "skip(1)", "a second on", "a second on"),
        quiet("pageup", "skip(-10)", "ten back", "ten seconds back"),
        quiet("pagedown", "skip(10)", "ten on", "ten seconds on"),
        bind("home", "go_first", "beginning", "from the beginning"),
        bind("end", "go_newest", "newest", "the newest ten seconds"),
        bind("escape,q,f", "dismiss", "back", "back"),
    )

    def __init__(self, player: Player, name: str, pictures: Pictures | None) -> None:
        """``name``: of the render; plain. ``pictures``: their kind, None for the best."""
        super().__init__()
        self._player = player
        self._name = name
        self._pictures = pictures
        self._paused = False
        self._at = 0.0
        """Seconds from the beginning."""
        self._since = 0.0
        """The moment at which that was true."""
        self.frame: Frame | None = None
        self._turned = asyncio.Event()
        """The user wants another moment."""
        self._drawn = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        yield Picture(empty="no film yet", seconds=1 / _FEWEST, id="picture")
        yield OneLine(id="timeline")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Picture).set_pictures(moving(self._pictures or self.host.terminal.pictures))
        self.host.set_title(f"zoomtui · {self._name}")
        self.paint()
        self._play()

    def on_picture_shown(self) -> None:
        self._drawn.set()

    @work(group="play")
    async def _play(self) -> None:
        try:
            with self._player as player:
                self._since = monotonic()
                while True:
                    self._turned.clear()
                    frame = await player.frame(self._wanted())
                    if not standing(self):
                        return
                    await self._show(frame)
        except ProjectError as error:
            self.host.say(str(error), bad=True)

    def _wanted(self) -> int:
        """The number of the frame that is due."""
        if self.frame is None:
            return -1  # the newest says how long the film is
        return max(0, round(self._now() * self.frame.fps))

    def _now(self) -> float:
        return self._at + (0.0 if self._paused else monotonic() - self._since)

    async def _show(self, frame: Frame | None) -> None:
        """Draw it, and wait until the next one is due and the line has room."""
        if frame is None:
            await asyncio.sleep(_LOOK_AGAIN)
            return
        if self.frame is None:
            self.frame = frame
            self.action_go_newest()
            return
        changed = frame.number != self.frame.number or not self._drawn.is_set()
        self.frame = frame
        at_end = frame.number == frame.frames - 1
        if at_end:  # and on from here, should it grow
            self._at, self._since = frame.at, monotonic()
        self.paint()
        if changed:
            self._drawn.clear()
            self.query_one(Picture).show(frame.rgb, frame.width, frame.height)
            await self._wait_for(self._drawn)
        elif at_end or self._paused:
            await self._wait_for(self._turned)
        else:
            await self._wait_for(self._turned, 1 / frame.fps)

    async def _wait_for(self, event: asyncio.Event, seconds: float = _LOOK_AGAIN) -> None:
        """At most so long: the screen may be covered, and then nothing is drawn."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def _place(self, at: float) -> None:
        self._at, self._since = at, monotonic()
        self._turned.set()

    def paint(self) -> None:
        width = self.size.width
        self.query_one("#headline", OneLine).show(cut(((f" {self._name}", "strong"),), width))
        self.query_one("#timeline", OneLine).show(self._timeline(width))
        self.query_one(KeyLine).refresh_keys(self)

    def _timeline(self, width: int) -> Line:
        """``‖ 0:12 ━━━━━━─── 1:30``"""
        frame = self.frame
        if frame is None:
            return ()
        sign = "‖" if self._paused else "▸"
        left, right = f" {sign} {clock_text(frame.at)} ", f" {clock_text(frame.length)} "
        room = max(0, width - len(left) - len(right))
        done = round(room * (frame.number + 1) / frame.frames)
        line: Line = (
            (left, ""),
            ("━" * done, "bar"),
            ("─" * (room - done), "faint"),
            (right, ""),
        )
        return cut(line, width)

    def action_pause(self) -> None:
        at = self._now()
        self._paused = not self._paused
        self._place(at)
        self.paint()

    def action_skip(self, seconds: int) -> None:
        self._place(max(0.0, self._now() + seconds))

    def action_go_first(self) -> None:
        self._place(0.0)

    def action_go_newest(self) -> None:
        length = 0.0 if self.frame is None else self.frame.length
        self._place(max(0.0, length - NEWEST))
