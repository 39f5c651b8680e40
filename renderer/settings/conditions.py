"""When a render is to stop or pause by itself: ``drift>60``, ``disk<5GiB``, ``time>07:00``.

Only reads them; whether one is met is for ``renderer.engine.conditions``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from renderer.errors import SettingsError

EXAMPLES = ("drift>60", "seam>2.5", "seconds>600", "disk<5GiB", "time>07:00")
"""One of each kind, as it is written."""
FIGURES = ("drift", "seam", "seconds")
"""Kinds that are about a figure of the newest keyframe."""

_SIGNS = {"drift": ">", "seam": ">", "seconds": ">", "disk": "<", "time": ">"}
_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12} | {
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}  # fmt: skip
_FORM = re.compile(r"\s*([a-z]+)\s*([<>])\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """One of them."""

    kind: str
    limit: float
    """Of a figure in its own unit; ``disk``: bytes; ``time``: minutes after midnight, local."""
    text: str
    """As it is written, without spaces."""


def read_condition(text: str) -> Condition:
    """What ``text`` says. Raises SettingsError."""
    form = _FORM.fullmatch(text.lower())
    if form is None or form[1] not in _SIGNS:
        raise SettingsError(f"{text!r} is not a condition; such as {', '.join(EXAMPLES)}")
    kind, sign, value = form.groups()
    if sign != _SIGNS[kind]:
        raise SettingsError(f"{text!r}: {kind} is written with {_SIGNS[kind]}, as in {_like(kind)}")
    limit = _limit(kind, value)
    if limit is None:
        raise SettingsError(f"{text!r}: {value} can't be used there; such as {_like(kind)}")
    return Condition(kind, limit, "".join(text.split()))


def condition_text(text: str) -> str:
    """``text`` as it is kept. Raises SettingsError where it is no condition."""
    return read_condition(text).text


def _like(kind: str) -> str:
    return next(example for example in EXAMPLES if example.startswith(kind))


def _limit(kind: str, value: str) -> float | None:
    if kind == "time":
        clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value)
        return int(clock[1]) * 60 + int(clock[2]) if clock else None
    if kind == "disk":
        size = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]i?b)", value)
        return float(size[1]) * _UNITS[size[2]] if size else None
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None
