"""A picture, as well as the terminal can show it: the widget.

It takes the newest picture it was given, prepares it in a thread, and swaps it in when the link to
the terminal has room. Knows no engine; everything about terminals and cells is in
:mod:`zoomtui.terminal.pictures`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from zoomtui.terminal.capabilities import Pictures, Terminal, in_cells
from zoomtui.terminal.pictures.budget import Link
from zoomtui.terminal.pictures.placeholders import never_torn
from zoomtui.terminal.pictures.request import (
    Drawing,
    Pixels,
    Prepared,
    Source,
    UnreadablePicture,
)

_SETTLE = 0.15
"""Seconds that a size must hold before a picture is made anew for it that is more than cells."""


class _Wanted(NamedTuple):
    """What should be on the screen; equal means nothing is to be done."""

    number: int
    box: tuple[int, int]
    cell: tuple[int, int]
    pictures: Pictures


class _Shown(NamedTuple):
    """What is on the screen: `lines`, and `covered` for when a dialog lies over them."""

    lines: list[Strip]
    covered: list[Strip]


class Picture(Widget):
    """Shows one picture, centred, as large as fits its aspect; `empty` where there is none."""

    DEFAULT_CSS = "Picture { width: 1fr; height: 1fr; }"

    class Shown(Message):
        """A new picture, or the picture at a new size, is on its way to the screen."""

    @dataclass
    class Failed(Message):
        """A file could not be read; what was shown before stays."""

        reason: str

    def __init__(self, *, empty: str = "", seconds: float = 1.0, **options: Any) -> None:
        """`seconds`: for how long one picture may have the line to the terminal to itself."""
        super().__init__(**options)
        self._seconds = seconds
        self._empty = empty
        self._source: Source | None = None
        self._identity: object = None
        self._number = 0
        self._mode: Pictures | None = None
        self._done: _Wanted | None = None
        self._on_screen: _Shown | None = None
        self._composed: dict[tuple[object, ...], Strip] = {}
        self._working = False
        self._sending = False
        self._resized_at = 0.0
        self._kept: list[int] = []
        """What the terminal keeps for it: the picture before the last one, and the last."""
        self.small: tuple[Path, Pixels] | None = None
        """The file that is shown, and what a thumbnail needs of it; None before there is one."""

    # ---------------------------------------------------------------------- what to show

    def show(self, rgb: bytes, width: int, height: int) -> None:
        """Show `rgb`: height × width × 3 bytes, sRGB. Raises ValueError for any other size."""
        if (rgb, width, height) != self._identity:
            self._take(Source(rgb, width, height), (rgb, width, height))

    def show_file(self, path: Path) -> None:
        """Show a picture file, read in a thread. The same file again does nothing.

        A file that can't be read makes a :class:`Failed` message, later.
        """
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            changed = -1  # reading it will say what is wrong
        if (path, changed) != self._identity:
            self._take(Source(path=path), (path, changed))

    def clear(self) -> None:
        """Show nothing."""
        self._source, self._identity, self._done, self._on_screen = None, None, None, None
        self.refresh()

    @property
    def pictures(self) -> Pictures:
        """The kind of pictures that is shown."""
        return self._mode or Link.of(self.app).terminal.pictures

    def set_pictures(self, pictures: Pictures | None) -> None:
        """Choose another kind; None for what the terminal does best."""
        self._mode = pictures
        self._wake()

    def _take(self, source: Source, identity: object) -> None:
        self._source, self._identity = source, identity
        self._number += 1
        self._wake()

    # ------------------------------------------------------------------------ preparing it

    def on_mount(self) -> None:
        self.watch(self.screen, "stack_updates", self._screens_changed, init=False)
        self.app.app_resume_signal.subscribe(self, self._came_back)
        self._wake()

    def _came_back(self, _: object) -> None:
        """The program was suspended: what was kept is gone with the screen of that time."""
        if self._kept:
            self._done = None
            self._wake()

    def _screens_changed(self) -> None:
        """A dialog came or went. It tints what is under it, which only characters may be."""
        self.refresh()
        self._wake()

    @property
    def _in_front(self) -> bool:
        """Whether its screen is the one that is used, with no dialog over it."""
        return self.is_attached and self.app.screen is self.screen

    def on_resize(self, _: events.Resize) -> None:
        self._resized_at = monotonic()
        self._composed.clear()
        self._wake()

    def _wanted(self) -> _Wanted | None:
        """What should be shown; None for no picture, no room for one, or no eyes on it."""
        if self._source is None or not self._in_front:
            return None
        box = (self.size.width, self.size.height)
        cell = Link.of(self.app).terminal.cell
        return _Wanted(self._number, box, cell, self.pictures) if min(box) > 0 else None

    def _wake(self) -> None:
        if not self._working and self._wanted() not in (None, self._done):
            self._working = True
            self.run_worker(self._work(), exit_on_error=True)

    async def _work(self) -> None:
        """Work until what is wanted is shown. Once there is room, the newest picture is taken."""
        link = Link.of(self.app)
        try:
            while self._wanted() not in (None, self._done):
                await self._settled()
                await link.ready()
                wanted, source = self._wanted(), self._source
                if wanted is None or source is None:
                    return
                await self._make(link, wanted, source)
        finally:
            self._working = False

    async def _settled(self) -> None:
        while in_cells(self.pictures) != self.pictures and self._done is not None:
            left = self._resized_at + _SETTLE - monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)

    async def _make(self, link: Link, wanted: _Wanted, source: Source) -> None:
        if wanted.pictures == "off":
            self._put(wanted, source, None)
            return
        limit = round(link.bytes_per_second * self._seconds)
        asked = source, wanted.box, wanted.pictures, link.terminal, limit
        try:
            prepared = await asyncio.to_thread(_prepared, *asked)
        except UnreadablePicture as error:
            self._done = wanted
            self.post_message(self.Failed(str(error)))
            return
        if source.path is not None and prepared.small is not None:
            self.small = (source.path, prepared.small)
        if await self._send(link, prepared.drawing):
            self._put(wanted, source, _Shown(prepared.drawing.lines, prepared.covered))

    async def _send(self, link: Link, drawing: Drawing) -> bool:
        """Get there what its lines need; what is on the screen stays meanwhile: nothing flickers.

        False where it did not get there, and must be sent again.
        """
        if drawing.image:
            link.drop(self._kept[:-1])
            self._kept = [*self._kept[-1:], drawing.image]
        self._sending = True
        try:
            return await link.put(drawing, self._corner)
        except asyncio.CancelledError:
            link.drop(self._kept)
            raise
        finally:
            self._sending = False

    def _put(self, wanted: _Wanted, source: Source, shown: _Shown | None) -> None:
        if self._source is None:  # cleared meanwhile
            return
        self._done = wanted
        self._on_screen = shown
        self._composed.clear()
        self.refresh()
        if source is self._source:
            self.post_message(self.Shown())

    def on_unmount(self) -> None:
        if not self._sending:  # else the worker that sends does it, once it is cancelled
            Link.of(self.app).drop(self._kept)

    @property
    def extent(self) -> tuple[int, int, int, int]:
        """Left, top, columns and rows of what is shown, cells of this widget; 0 columns: none."""
        lines = self._on_screen.lines if self._on_screen else []
        columns = lines[0].cell_length if lines else 0
        width, height = self.size
        return (width - columns) // 2, (height - len(lines)) // 2, columns, len(lines)

    def _corner(self) -> tuple[int, int]:
        """Column and row of the terminal's screen where the picture begins."""
        left, top, _, _ = self.extent
        at = self.content_region
        return at.x + left, at.y + top

    # ------------------------------------------------------------------------- painting it

    def render_line(self, y: int) -> Strip:
        shown, style, width = self._on_screen, self.rich_style, self.size.width
        if shown is None:
            return self._message_line(y)
        lines = shown.lines if self._in_front else shown.covered
        row = y - (self.size.height - len(lines)) // 2
        if not 0 <= row < len(lines):
            return Strip.blank(width, style)
        key = (lines is shown.lines, row, width, style)
        if key not in self._composed:
            line = never_torn(lines[row].apply_style(style))
            self._composed[key] = _centred(line, width, style)
        return self._composed[key]

    def _message_line(self, y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        if not self._empty or self._source is not None or y != self.size.height // 2:
            return Strip.blank(width, style)
        text = self._empty[:width]
        return _centred(Strip([Segment(text, style + Style(dim=True))]), width, style)


def _centred(strip: Strip, width: int, style: Style) -> Strip:
    """The strip in the middle of so many cells; what doesn't fit is cut off evenly."""
    over = strip.cell_length - width
    if over > 0:
        return strip.crop(over // 2, over // 2 + width)
    left = -over // 2
    blanks = (Strip.blank(left, style), Strip.blank(-over - left, style))
    return Strip.join([blanks[0], strip, blanks[1]])


def _prepared(
    source: Source, box: tuple[int, int], pictures: Pictures, terminal: Terminal, limit: int
) -> Prepared:
    from zoomtui.terminal.pictures.prepare import prepare  # not needed for the first paint

    return prepare(source, box, pictures, terminal, limit)
