"""A series as line charts in SVG: for a page and for a report. Pure: knows neither.

Readable at the width of a phone, without a script; light or dark as the reader has it. What
comes from outside stands in text, escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from renderer.project.series import CURVES, Happening, Series
from zoomtui.viewing.axis import (
    Span,
    happening_text,
    newest,
    runs,
    spans,
    tick_text,
    ticks,
    value_text,
)

WIDTH, HEIGHT = 400, 150
"""Of a chart, in its own units: about CSS pixels on a phone."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 392, 30, 122
"""Where values are drawn."""
_SPANS = 174
"""Two units each."""
_APART = 5
"""Units; marks that are closer are one."""
_MOST_TOLD = 8
"""Of what one mark tells."""

STYLE = """\
.chart{width:100%;height:auto;display:block;font:12px system-ui,sans-serif;
--ink:#1f2328;--faint:#59636e;--grid:#d1d9e0;--line:#0969da;--mark:#9a6700;--crash:#cf222e}
.chart text{fill:var(--faint)}.chart .name{fill:var(--ink);font-weight:600}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .mean{fill:none;stroke:var(--line);stroke-width:1.5;stroke-linejoin:round}
.chart .dot{fill:var(--line)}.chart .range{fill:var(--line);fill-opacity:.22}
.chart .mark line{stroke:var(--mark);stroke-width:1;stroke-dasharray:3 2}
.chart .mark path{fill:var(--mark)}
.chart .restarted line{stroke:var(--crash);stroke-dasharray:none}
.chart .restarted path{fill:var(--crash)}
@media (prefers-color-scheme:dark){.chart{--ink:#f0f6fc;--faint:#9198a1;--grid:#3d444d;
--line:#4493f8;--mark:#d29922;--crash:#f85149}}
"""
"""For all charts of a page, or of one that stands alone. The page has to say that it has both
colour schemes."""
_SIGNS = {
    "steered": "M-4 8h8l-4-7z",
    "note": "M-3.5 1h7v7h-7z",
    "resumed": "M-3 1l6 3.5-6 3.5z",
    "restarted": "M-4 1l8 7M-4 8l8-7M-4 1h3l5 7h-3zM1 1h3l-5 7h-3z",
}
"""Below the axis; a kind has a shape of its own, not only a colour."""


def chart(series: Series, name: str, *, alone: bool = True) -> str:
    """The curve of ``name``, one of ``series.columns``, as an SVG element.

    ``alone``: with ``STYLE`` in it; otherwise the page has it.
    """
    curve, column = CURVES[name], series.columns[name]
    found = spans(column, 0, series.keyframes, _SPANS)
    scale = ticks(found)
    last = newest(column)
    said = f"{curve.title}, keyframe 1 to {series.keyframes}"
    value = "" if last is None else value_text(last, curve.unit)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(said)}">',
        f"<style>{STYLE}</style>" if alone else "",
        _text(4, 16, "name", "start", curve.title),
        _text(_RIGHT, 16, "newest", "end", value),
        *(_grid_line(each, scale) for each in scale),
        *(_tick(series, each) for each in _numbers(series.keyframes)),
        *_line(found, scale),
        *_marks(series),
        "</svg>",
    ]
    return "".join(parts)


def _text(x: float, y: float, kind: str, anchor: str, text: str) -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(text)}</text>'


def _grid_line(value: float, scale: Sequence[float]) -> str:
    y = _y(value, scale)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + _text(_LEFT - 5, y + 4, "tick", "end", tick_text(value))


def _numbers(keyframes: int) -> list[int]:
    """Keyframes, from 0, whose numbers stand below the axis."""
    return sorted({0, (keyframes - 1) // 2, keyframes - 1} if keyframes else {})


def _tick(series: Series, keyframe: int) -> str:
    """The first stands at the left end, the last at the right end."""
    at_end = keyframe == series.keyframes - 1 and keyframe > 0
    anchor = "end" if at_end else "middle" if keyframe else "start"
    return _text(_x(series, keyframe), HEIGHT - 6, "tick", anchor, f"{keyframe + 1:,}")


def _line(found: Sequence[Span | None], scale: Sequence[float]) -> list[str]:
    """Of each run: what lies between the lowest and the highest, and the mean; or a dot."""
    parts = []
    for run in runs(found):
        points = [(_place(number, len(found)), span) for number, span in run]
        if len(points) == 1:
            (x, span), *_ = points
            parts.append(
                f'<circle class="dot" r="2" cx="{x:.1f}" cy="{_y(span.mean, scale):.1f}"/>'
            )
            continue
        upper = [f"{x:.1f},{_y(span.high, scale):.1f}" for x, span in points]
        lower = [f"{x:.1f},{_y(span.low, scale):.1f}" for x, span in reversed(points)]
        mean = [f"{x:.1f},{_y(span.mean, scale):.1f}" for x, span in points]
        if any(span.low < span.high for _, span in points):
            parts.append(f'<polygon class="range" points="{" ".join([*upper, *lower])}"/>')
        parts.append(f'<polyline class="mean" points="{" ".join(mean)}"/>')
    return parts


def _marks(series: Series) -> list[str]:
    near = groupby(series.happenings, key=lambda each: _x(series, each.keyframe) // _APART)
    return [_mark(series, list(group)) for _, group in near]


def _mark(series: Series, here: Sequence[Happening]) -> str:
    """One line for all of ``here``; a crash shows before all else."""
    x = _x(series, here[0].keyframe)
    kind = "restarted" if any(each.kind == "restarted" for each in here) else here[0].kind
    told = [f"{each.keyframe + 1:,}: {happening_text(each)}" for each in here[:_MOST_TOLD]]
    if len(here) > _MOST_TOLD:
        told.append(f"and {len(here) - _MOST_TOLD} more")
    return (
        f'<g class="mark {kind}" transform="translate({x:.1f} 0)">'
        f"<title>{escape(chr(10).join(told))}</title>"
        f'<line y1="{_TOP}" y2="{_BOTTOM}"/>'
        f'<path transform="translate(0 {_BOTTOM})" d="{_SIGNS[kind]}"/></g>'
    )


def _x(series: Series, keyframe: int) -> float:
    """Of a keyframe."""
    count = min(_SPANS, series.keyframes)
    return _place(keyframe * count // series.keyframes, count)


def _place(number: int, count: int) -> float:
    """Of one of ``count`` spans."""
    return (_LEFT + _RIGHT) / 2 if count < 2 else _LEFT + (_RIGHT - _LEFT) * number / (count - 1)


def _y(value: float, scale: Sequence[float]) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * (value - scale[0]) / (scale[-1] - scale[0])
