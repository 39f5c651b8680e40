"""A strip of small pictures of keyframes with the one that is looked at marked: the widget.

The widget is given each small picture, or reads it from its file in a thread, once: newest first,
only those that are on the strip, and while the user does not walk only so fast that it costs next
to nothing. The strip moves without decoding anything again. Knows no engine.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import thread_time
from typing import Any, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from zoomtui.terminal.capabilities import DEFAULT_CELL, Pictures, in_cells
from zoomtui.terminal.pictures.budget import Link
from zoomtui.terminal.pictures.request import Pixels, UnreadablePicture

KEPT = 96
"""Keyframes whose small pictures are kept: a megabyte and a half."""

_LEISURE = 25
"""The rest after a decoding is so many times as long as that took, while the user does not walk."""
_WIDE = 16 / 9


class Slots(NamedTuple):
    """How a strip is divided: so many pictures of so many columns, from `left` on."""

    room: int
    columns: int
    left: int
    gap: int


class Marked(NamedTuple):
    """What is on a strip: of `total` keyframes those from `first` on."""

    first: int
    total: int
    chosen: int


def slots(
    width: int, rows: int, aspect: float, cell: tuple[int, int] = DEFAULT_CELL, gap: int = 1
) -> Slots:
    """As many pictures of `aspect` (width by height) and `rows` as fit into `width` columns."""
    wanted = round(rows * cell[1] * aspect / cell[0])
    columns = max(1, min(width, max(wanted, 5)))
    room = max(1, (width + gap) // (columns + gap))
    return Slots(room, columns, (width - room * (columns + gap) + gap) // 2, gap)


def window(first: int, room: int, count: int, chosen: int) -> int:
    """The first keyframe on a strip with `room` for so many.

    As it was while the chosen one is on the strip; where the user walks off it, half a strip on.
    """
    last = max(0, count - room)
    if chosen >= count - 1:
        return last
    if not first <= chosen < first + room:
        first = chosen - room // 2
    return max(0, min(first, last))


class Filmstrip(Widget):
    """The last row has the numbers; all others are pictures."""

    DEFAULT_CSS = "Filmstrip { width: 1fr; height: 4; }"

    @dataclass
    class Clicked(Message):
        """The user wants to see that keyframe."""

        keyframe: int

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._marked = Marked(0, 0, -1)
        self._mode: Pictures = "blocks"
        self._small: OrderedDict[int, Pixels | None] = OrderedDict()
        self._lines: dict[int, list[Strip]] = {}
        self._takes: Mapping[int, int] = {}
        self._noted: frozenset[int] = frozenset()
        self._look: object = None
        self._aspect = _WIDE
        self._at_leisure = True
        self._path: Callable[[int], Path] | None = None

    # ---------------------------------------------------------------------------- what to show

    def show(
        self,
        count: int,
        chosen: int,
        pictures: Pictures,
        *,
        takes: Mapping[int, int],
        noted: frozenset[int] = frozenset(),
        at_leisure: bool,
    ) -> None:
        """The keyframes around the `chosen` one, of `count`; painted only where that changes.

        `takes`: of which keyframes it is another one than the first. `noted`: those with a note.
        `at_leisure`: the user does not wait for it.
        """
        self._at_leisure = at_leisure
        self._forget_other_takes(takes)
        if noted != self._noted:
            self._noted = noted
            self.refresh()
        mode = in_cells(pictures)
        if mode != self._mode:
            self._mode = mode
            self._rearrange()
        first = window(self._marked.first, self._slots.room, count, chosen)
        marked = Marked(first, count, chosen)
        if marked != self._marked:
            self._marked = marked
            self.refresh()

    def _forget_other_takes(self, takes: Mapping[int, int]) -> None:
        before, self._takes = self._takes, takes
        for keyframe in () if before == takes else {*before, *takes}:
            if before.get(keyframe) != takes.get(keyframe):
                self._small.pop(keyframe, None)
                self._lines.pop(keyframe, None)

    def fill(self, path: Callable[[int], Path]) -> None:
        """Read what is still missing from the files at ``path(keyframe)``."""
        self._path = path
        if self._missing() is not None:
            self.run_worker(self._fill(path), group="fill", exclusive=True)

    async def _fill(self, path: Callable[[int], Path]) -> None:
        while (keyframe := self._missing()) is not None:
            pixels, took = await asyncio.to_thread(_read, path(keyframe))
            self.offer(keyframe, pixels)
            if self._at_leisure:
                await asyncio.sleep(_LEISURE * took)

    def _missing(self) -> int | None:
        """The newest keyframe on the strip that was never read."""
        if not self.display or not self.size:
            return None
        return next((n for n in reversed(self._visible) if n not in self._small), None)

    def offer(self, keyframe: int, pixels: Pixels | None) -> None:
        """What a keyframe looks like, as ``prepare.small`` makes it; None: it has no picture."""
        self._small[keyframe] = pixels
        self._small.move_to_end(keyframe)
        self._lines.pop(keyframe, None)
        if len(self._small) > KEPT:
            gone, _ = self._small.popitem(last=False)
            self._lines.pop(gone, None)
        if pixels is not None:
            aspect = pixels.shape[1] / pixels.shape[0]
            if abs(aspect - self._aspect) > 0.1:
                self._aspect = aspect
                self._rearrange()
        if keyframe in self._visible:
            self.refresh()

    def on_resize(self) -> None:
        self._rearrange()

    def on_click(self, event: events.Click) -> None:
        there = self._slots
        place, beside = divmod(event.x - there.left, there.columns + there.gap)
        keyframe = self._marked.first + place
        if beside < there.columns and keyframe in self._visible:
            self.post_message(self.Clicked(keyframe))

    def _rearrange(self) -> None:
        first, total, chosen = self._marked
        self._marked = Marked(window(first, self._slots.room, total, chosen), total, chosen)
        self.refresh()
        if self._path is not None:
            self.fill(self._path)

    # ------------------------------------------------------------------------------ painting it

    @property
    def _slots(self) -> Slots:
        cell = Link.of(self.app).terminal.cell
        gap = 2 if self._mode == "ascii" else 1  # blocks have edges, signs have none
        return slots(self.size.width, max(1, self.size.height - 1), self._aspect, cell, gap)

    @property
    def _visible(self) -> range:
        first, total, _ = self._marked
        return range(first, min(total, first + self._slots.room))

    def render_line(self, y: int) -> Strip:
        width, style, there = self.size.width, self.rich_style, self._slots
        rows = self.size.height - 1
        strips = [Strip.blank(there.left, style)]
        for keyframe in self._visible:
            if y == rows:
                strips.append(self._label(keyframe, there.columns, style))
            else:
                strips.append(self._picture(keyframe, (there.columns, rows), style)[y])
            strips.append(Strip.blank(there.gap, style))
        return Strip.join(strips).adjust_cell_length(width, style).simplify()

    def _label(self, keyframe: int, columns: int, style: Style) -> Strip:
        """The number; the chosen one in brackets, underlined by a rule as wide as the picture."""
        chosen = keyframe == self._marked.chosen
        text = f"[{keyframe + 1}]" if chosen else str(keyframe + 1)
        rule, note = ("=", "*") if self.app.has_class("-ascii") else ("━", "♦")
        text += note if keyframe in self._noted else ""
        text = text[:columns].center(columns, rule if chosen else " ")
        return Strip([Segment(text, style + Style(bold=chosen, dim=not chosen))], columns)

    def _picture(self, keyframe: int, size: tuple[int, int], style: Style) -> list[Strip]:
        look = (size, self._mode, style)
        if look != self._look:
            self._look = look
            self._lines.clear()
        if keyframe not in self._lines:
            self._lines[keyframe] = self._made(keyframe, size, style)
        return self._lines[keyframe]

    def _made(self, keyframe: int, size: tuple[int, int], style: Style) -> list[Strip]:
        columns, rows = size
        pixels = self._small.get(keyframe)
        if pixels is None:
            middle = Strip([Segment(".".center(columns), style + Style(dim=True))], columns)
            return [middle if y == rows // 2 else Strip.blank(columns, style) for y in range(rows)]
        from zoomtui.terminal.pictures.prepare import thumbnail  # not needed for the first paint

        self._small.move_to_end(keyframe)
        lines = thumbnail(pixels, size, self._mode, Link.of(self.app).terminal)
        return [line.apply_style(style) for line in lines]


def _read(path: Path) -> tuple[Pixels | None, float]:
    """The small picture, None where there is none; and the processor seconds that it took."""
    from zoomtui.terminal.pictures.prepare import small_of

    began = thread_time()
    try:
        pixels = small_of(path)
    except UnreadablePicture:
        pixels = None
    return pixels, thread_time() - began
