"""A series as line charts in text: braille, two by four dots a sign, or plain ASCII. Pure.

For the history screen and for ``status --history``; knows neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from renderer.project.series import CURVES, Happening, Series
from zoomtui.viewing.axis import Span, spans, tick_text, ticks, value_text

LABELS = 8
"""Columns at the left that the values of the scale take."""
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of U+2800 … U+28FF, from the top to the bottom."""
_PLAIN = ((1,), (2,))
_PLAIN_SIGNS = " '.:"
MARKS: Mapping[str, str] = {"steered": "↑^", "note": "♦*", "resumed": "▸>", "restarted": "✗x"}
"""What stands on the axis, and what does in ASCII; of several in one place the last."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Keyframes ``start`` … ``end`` - 1 on so many columns; ``plain``: in ASCII."""

    start: int
    end: int
    columns: int
    plain: bool = False

    @property
    def count(self) -> int:
        return self.end - self.start

    @property
    def dots(self) -> int:
        """Places for values, from the left to the right."""
        return self.columns * len((_PLAIN if self.plain else _BRAILLE)[0])

    def dot(self, keyframe: int) -> int:
        """Where that keyframe stands."""
        number = keyframe - self.start
        if self.count > self.dots:
            return -(-(number + 1) * self.dots // self.count) - 1
        return round(number * (self.dots - 1) / max(1, self.count - 1))

    def column(self, keyframe: int) -> int:
        return self.dot(keyframe) * self.columns // self.dots

    def marks(self, happenings: Sequence[Happening]) -> str:
        """The axis itself, with what happened."""
        signs = ["─-"[self.plain]] * self.columns
        for kind, sign in MARKS.items():
            for each in happenings:
                if each.kind == kind and self.start <= each.keyframe < self.end:
                    signs[self.column(each.keyframe)] = sign[self.plain]
        return "".join(signs)

    def numbers(self) -> str:
        """The first and the last keyframe, below the axis."""
        first, last = f"{self.start + 1:,}", f"{self.end:,}"
        return first + last.rjust(self.columns - len(first)) if self.count > 1 else first


@dataclass(frozen=True, slots=True)
class Drawn:
    """One curve."""

    title: str
    facts: str
    """The newest value, the lowest and the highest of what is shown."""
    labels: list[str]
    """For each row, ``LABELS`` columns."""
    rows: list[str]
    """From the top; as wide as the axis."""


def draw(series: Series, name: str, axis: Axis, rows: int) -> Drawn:
    """The curve of ``name``, one of ``series.columns``, on so many rows."""
    curve = CURVES[name]
    found = spans(series.columns[name], axis.start, axis.end, axis.dots)
    scale = ticks(found, min(4, max(1, rows - 1)))
    labels = [" " * LABELS] * rows
    for tick in scale:
        row = round((scale[-1] - tick) / (scale[-1] - scale[0]) * (rows - 1))
        labels[row] = f"{tick_text(tick)[: LABELS - 1]:>{LABELS - 1}} "
    dots = _PLAIN if axis.plain else _BRAILLE
    heights = _joined(_heights(_stretched(found, axis), scale, rows * len(dots)))
    lines = [_row(heights, (rows - 1 - row) * len(dots), dots) for row in range(rows)]
    return Drawn(curve.title, _facts(found, curve.unit), labels, lines)


def _facts(found: Sequence[Span | None], unit: str) -> str:
    there = [span for span in found if span]
    if not there:
        return "n/a"
    low, high = min(span.low for span in there), max(span.high for span in there)
    low_text, high_text = value_text(low), value_text(high, unit)
    return high_text if low == high else f"{low_text} … {high_text}"


def _stretched(found: Sequence[Span | None], axis: Axis) -> list[Span | None]:
    """One for each dot; between two keyframes that stand apart a straight line."""
    if axis.count > axis.dots:
        return list(found)
    line: list[Span | None] = [None] * axis.dots
    for number, span in enumerate(found, axis.start):
        line[axis.dot(number)] = span
    for number, (left, right) in enumerate(pairwise(found), axis.start):
        if left and right:
            begin, end = axis.dot(number), axis.dot(number + 1)
            for at in range(begin + 1, end):
                share = (at - begin) / (end - begin)
                mean = left.mean + (right.mean - left.mean) * share
                line[at] = Span(mean, mean, mean)
    return line


_Height = tuple[int, int] | None
"""The lowest and the highest dot, from the bottom; None: no value."""


def _heights(line: Sequence[Span | None], scale: Sequence[float], dots: int) -> list[_Height]:
    def height(value: float) -> int:
        return math.floor((value - scale[0]) / (scale[-1] - scale[0]) * (dots - 1) + 0.5)

    return [(height(span.low), height(span.high)) if span else None for span in line]


def _joined(heights: Sequence[_Height]) -> list[_Height]:
    """Each reaches to the one before it, so that a steep line has no holes."""
    joined = list(heights[:1])
    for before, here in pairwise(heights):
        if before and here:
            here = min(here[0], before[1] + 1), max(here[1], before[0] - 1)
        joined.append(here)
    return joined


def _row(heights: Sequence[_Height], lowest: int, dots: Sequence[Sequence[int]]) -> str:
    """One row of signs, whose lowest dots are at that height."""
    wide, tall = len(dots[0]), len(dots)
    signs = []
    for begin in range(0, len(heights), wide):
        bits = 0
        for across, height in enumerate(heights[begin : begin + wide]):
            for up in range(tall):
                if height and height[0] <= lowest + up <= height[1]:
                    bits |= dots[tall - 1 - up][across]
        signs.append(_PLAIN_SIGNS[bits] if tall == 2 else chr(0x2800 + bits) if bits else " ")
    return "".join(signs)
