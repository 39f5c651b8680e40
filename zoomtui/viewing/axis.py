"""What every drawing of a series needs: values gathered into spans, round ticks, marks and words.

Pure: knows neither signs nor pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from renderer.engine.event_text import changes_text
from renderer.formatting import shortened
from renderer.project.series import CURVES, Happening

_LEAST = 1e-9
"""What differs by less is drawn as equal."""


@dataclass(frozen=True, slots=True)
class Span:
    """The values of some keyframes that follow one another."""

    low: float
    mean: float
    high: float


def spans(column: Sequence[float], start: int, end: int, count: int) -> list[Span | None]:
    """Keyframes ``start`` … ``end`` - 1 in at most ``count`` spans; None where none has a value.

    The lowest and the highest value of each are kept, so that no spike is lost.
    """
    number = min(count, end - start)
    edges = [start + (end - start) * at // number for at in range(number + 1)] if number else []
    return [_span(column[begin:stop]) for begin, stop in pairwise(edges)]


def _span(values: Sequence[float]) -> Span | None:
    total = sum(values)
    if math.isnan(total):  # to look for gaps takes ten times as long
        values = [value for value in values if not math.isnan(value)]
        total = sum(values)
    return Span(min(values), total / len(values), max(values)) if values else None


def runs(found: Sequence[Span | None]) -> Iterator[list[tuple[int, Span]]]:
    """Spans that follow one another without a gap, each with its number."""
    there = groupby(enumerate(found), key=lambda each: each[1] is None)
    for gap, group in there:
        if not gap:
            yield [(number, span) for number, span in group if span is not None]


def ticks(found: Sequence[Span | None], most: int = 4) -> list[float]:
    """Rising round values, at most ``most`` + 1, from the lowest to the highest or beyond.

    From 0, unless something lies below it.
    """
    low = min((span.low for span in found if span), default=0.0)
    high = max((span.high for span in found if span), default=1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < _LEAST:
        high = low + 1
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(
        size * by
        for by in (1, 2, 5, 10, 20)
        if math.ceil(high / (size * by)) - math.floor(low / (size * by)) <= most
    )
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def value_text(value: float, unit: str = "") -> str:
    """``"0.12"``, ``"12.3 s"``, ``"1,204/255"``; as many digits as are worth reading."""
    digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 2
    number = f"{value:,.{digits}f}" if abs(value) < 1e7 else f"{value:.1e}"
    return f"{number}{'' if unit.startswith('/') else ' '}{unit}" if unit else number


def tick_text(value: float) -> str:
    """``"0.5"``, ``"1,500"``."""
    return f"{value:,.10g}" if abs(value) < 1e7 else f"{value:.1e}"


def newest(column: Sequence[float]) -> float | None:
    """The last value that there is."""
    return next((value for value in reversed(column) if not math.isnan(value)), None)


def happening_text(happening: Happening) -> str:
    """In a line, harmless on a terminal."""
    match happening.kind:
        case "steered":
            return changes_text(happening.changes)
        case "resumed":
            return "another session goes on"
        case "restarted":
            return "the engine was restarted after a crash"
        case "note":
            return f"note: {shortened(happening.note)}"


def value_at(name: str, column: Sequence[float], keyframe: int) -> str:
    """Of one keyframe, with its unit."""
    value = column[keyframe]
    return "n/a" if math.isnan(value) else value_text(value, CURVES[name].unit)
