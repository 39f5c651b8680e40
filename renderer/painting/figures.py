"""What is measured of every keyframe: one field for each figure.

Events, journal, provenance, state and status hold these fields, and no copies of them; viewers show
each by its own text. Knows nothing of how a figure is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import fsum
from typing import Any, Literal

LAST = 10
"""Keyframes that a mean is taken of."""


Grade = Literal["good", "fair", "poor"]


def figure(
    text: Callable[[float], str],
    *,
    scale: str = "",
    grades: tuple[float, float] | None = None,
    mean: bool = False,
    of_some: bool = False,
    **options: Any,
) -> Any:
    """A field for a figure. ``text`` shows it, and ``scale``, behind it, how to read it;
    ``grades``: up to the first it is good, up to the second fair, above that poor;
    ``mean``: the figure of a single keyframe says little; ``of_some``: not every keyframe has it,
    and 0 says so."""
    facts = {"text": text, "scale": scale, "grades": grades, "mean": mean, "of_some": of_some}
    return field(metadata=facts, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one keyframe, or typical of the last ones."""

    seconds: float = figure(lambda seconds: f"{seconds:.1f} s", mean=True)
    """Painting time."""
    seam: float = figure(
        lambda seam: f"seam {seam:.2f}",
        scale=" (1 = invisible)",
        grades=(1.5, 2.5),
        of_some=True,
    )
    """Gradient across the paste border ÷ around it; 1 = invisible. 0 without one."""
    drift: float = figure(
        lambda drift: f"drift {drift:.1f}", scale="/255", grades=(30, 60), of_some=True
    )
    """Distance of the picture's mean colour from that of the keyframe whose look it is to keep, of
    255: the first one, or the one at which the last change of prompt had settled. 0 in a dive, and
    until then."""
    idle: float = figure(lambda idle: f"painter idle {100 * idle:.0f} %", mean=True, default=0.0)
    """Share of the time since the last keyframe that the painter was left without work, 0 … 1."""
    residue: float = figure(
        lambda residue: f"residue {residue:.2f}",
        scale="/255",
        grades=(0.5, 1.5),
        of_some=True,
        default=0.0,
    )
    """Of a dive: how far the scaled-down canvas is from the last picture, of 255."""


FIGURES: Mapping[str, Mapping[str, Any]] = {each.name: each.metadata for each in fields(Figures)}
"""Name → how it is shown and summed up."""
BESIDE_TIME = tuple(name for name in FIGURES if name != "seconds")
"""Names of the figures that follow the time that a keyframe took."""


_ABSURD = 1e300
"""A whole number from elsewhere may be larger than any float."""


def figures_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that a record, an event or a file's provenance holds."""
    return {
        name: value
        for name in FIGURES
        if isinstance(value := values.get(name), int | float) and abs(value) < _ABSURD
    }


def texts(figures: Mapping[str, float], names: Sequence[str]) -> list[str]:
    """``["seam 1.04", "drift 0.7"]``: the named ones that are there, for people."""
    return [FIGURES[name]["text"](figures[name]) for name in names if _has(figures.get(name), name)]


def _has(value: float | None, name: str) -> bool:
    return value is not None and not (value == 0 and FIGURES[name]["of_some"])


def grade(name: str, value: float) -> Grade | None:
    """What a figure says of a keyframe; None: it says nothing of that kind.

    The bounds are what is seen: up to 1.5 a seam has to be looked for, above 2.5 it is a line; a
    drift of 60 is another mood.
    """
    grades = FIGURES[name]["grades"]
    if grades is None:
        return None
    good, fair = grades
    return "good" if value <= good else "fair" if value <= fair else "poor"


def explained(figures: Figures) -> str:
    """How good the keyframe is, each figure with its scale and its grade."""
    said = []
    for name, how in FIGURES.items():
        value = getattr(figures, name)
        if how["scale"] and _has(value, name):
            parts = [f"{how['text'](value)}{how['scale']}", grade(name, value)]
            said.append(" ".join(part for part in parts if part))
    return ", ".join(said)


def typical(figures: Sequence[Figures]) -> Figures | None:
    """The newest figures, means of the last ones where a single one says little; None if none."""
    if not figures:
        return None
    last = figures[-LAST:]
    return Figures(
        **{
            name: fsum(getattr(each, name) for each in last) / len(last)
            if how["mean"]
            else getattr(last[-1], name)
            for name, how in FIGURES.items()
        }
    )
