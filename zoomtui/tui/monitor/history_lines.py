"""Charts of a whole render in lines of text: how many there is room for, and all that is said
below them. Pure: knows no screen and no keys.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from renderer.project.series import CURVES, Happening, Series
from zoomtui.tui.shared.styled_text import Line, Part, Role, cut, length, spaced
from zoomtui.viewing.axis import happening_text, value_at
from zoomtui.viewing.braille import LABELS, MARKS, Axis, Drawn

_CHART = 60, 6
"""Columns and rows that a chart is to have at least, its title included."""
_TOLD = 2
"""Rows for what happened under the cursor."""
_BELOW = 2 + 1 + _TOLD
"""Rows below the charts: the axis, the keyframe, and those."""
_KINDS = {"steered": "steered", "note": "note", "resumed": "session", "restarted": "crash"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which charts there is room for, and how large they are."""

    across: int
    down: int
    width: int
    """Columns of each."""
    rows: int
    """Of each, its title left out."""

    @classmethod
    def of(cls, width: int, height: int, curves: int) -> Layout:
        """For so many ``curves`` on an area of that size."""
        across = max(1, min(width // _CHART[0], curves))
        down = max(1, min((height - _BELOW) // _CHART[1], -(-curves // across)))
        return cls(across, down, width // across, max(1, (height - _BELOW) // down - 1))

    @property
    def charts(self) -> int:
        return self.across * self.down


def history_lines(
    series: Series, curves: Mapping[str, Drawn], layout: Layout, axis: Axis, at: int
) -> list[Line]:
    """The ``curves``, their axis, and what there is to say of keyframe ``at``."""
    lines: list[Line] = []
    cursor, width = axis.column(at), layout.width
    for side_by_side in groups([*curves], layout.across):
        drawn = [curves[name] for name in side_by_side]
        values = [value_at(name, series.columns[name], at) for name in side_by_side]
        titles = [_title(each, value, width) for each, value in zip(drawn, values, strict=True)]
        lines.append(_beside(titles, width))
        for row in range(layout.rows):
            parts = [_row(each.labels[row], each.rows[row], cursor, axis.plain) for each in drawn]
            lines.append(_beside(parts, width))
    across = min(layout.across, len(curves))
    marks = _row(" " * LABELS, axis.marks(series.happenings), cursor, axis.plain, role="label")
    numbers: Line = ((" " * LABELS + axis.numbers(), "label"),)
    lines += [_beside([marks] * across, width), _beside([numbers] * across, width)]
    room = layout.across * layout.width
    hidden = [name for name in series.columns if name not in curves]
    here = [
        each
        for each in series.happenings
        if axis.start <= each.keyframe < axis.end and axis.column(each.keyframe) == cursor
    ]
    return [*lines, _keyframe_line(series, hidden, at, room), *_told(here, axis.plain, room)]


def groups(names: Sequence[str], size: int) -> list[Sequence[str]]:
    """The names by so many, in their order."""
    return [names[begin : begin + size] for begin in range(0, len(names), size)]


def _title(drawn: Drawn, value: str, width: int) -> Line:
    parts: list[Part] = [(drawn.title, "strong"), (f"  {value}", ""), (f"  {drawn.facts}", "faint")]
    while length(parts, 0) > width - LABELS - 1 and len(parts) > 2:
        parts.pop()
    return ((" " * LABELS, ""), *cut(parts, width - LABELS - 1))


def _row(label: str, signs: str, cursor: int, plain: bool, role: Role = "bar") -> Line:
    """One row of a chart, with the cursor across it."""
    sign = signs[cursor]
    under = ("|" if plain else "│") if sign == " " else sign
    before, after = signs[:cursor], signs[cursor + 1 :]
    return (label, "label"), (before, role), (under, "warn"), (after, role)


def _beside(parts: Sequence[Line], width: int) -> Line:
    """The lines side by side, each so wide."""
    padded = (((*line, (" " * (width - length(line, 0)), ""))) for line in parts)
    return tuple(part for line in padded for part in line)


def _keyframe_line(series: Series, hidden: Sequence[str], at: int, room: int) -> Line:
    """Which keyframe is under the cursor, when it was painted, and what no chart here shows."""
    when = time.strftime("%b %d %H:%M:%S", time.localtime(series.at[at]))
    others = [f"{CURVES[name].title} {value_at(name, series.columns[name], at)}" for name in hidden]
    parts: list[Part] = [(f" Keyframe {at + 1:,}", "strong"), (when, "")]
    return cut(spaced([*parts, *((text, "label") for text in others)], "  "), room)


def _told(here: Sequence[Happening], plain: bool, room: int) -> list[Line]:
    """What happened there, or what the marks on the axis mean."""
    if not here:
        legend = [f"{sign[plain]} {_KINDS[kind]}" for kind, sign in MARKS.items()]
        return [cut([(f" {'   '.join(legend)}", "faint")], room)]
    lines: list[Line] = [
        cut([(f" {MARKS[each.kind][plain]} {each.keyframe + 1:,}: ", "strong"),
             (happening_text(each), "quoted")], room)
        for each in here
    ]  # fmt: skip
    if len(lines) > _TOLD:
        lines[_TOLD - 1 :] = [((f"   and {len(lines) - _TOLD + 1} more; + goes closer", "faint"),)]
    return lines
