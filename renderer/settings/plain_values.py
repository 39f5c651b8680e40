"""A setting's value as TOML and JSON hold it, and back: sizes as "WxH", fractions as text.

Knows the few names whose values have a form of their own, and what a text is; knows no ranges.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

Size = tuple[int, int]
"""(width, height) in pixels."""

_SIZES = {"size", "keyframe_size"}
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What bytes that are no UTF-8 become in Python's arguments; no file can hold it as text."""


def to_plain(key: str, value: Any) -> Any:
    """The value of the field ``key`` as TOML can hold it; no end becomes ``inf``."""
    if key in _SIZES:
        return dimensions(value)
    if key == "fps":
        return str(value)
    if key == "keyframes" and value is None:
        return "inf"
    if key == "crf" and value is None:
        return "default"
    if key == "encoder_options":
        return dict(value)
    if key == "loras":
        return list(value)
    return value


def from_plain(key: str, value: Any, *, like: object) -> Any:
    """The inverse of ``to_plain``; the result is of the type that ``like``, a valid value, has.

    Raises TypeError, ValueError or ArithmeticError for what is no such value.
    """
    if key in _SIZES:
        return parse_size(str(value))
    if key == "fps":
        return Fraction(str(value))
    if key == "keyframes":
        return None if value == "inf" or value is None else _whole(value)
    if key == "crf":
        return None if value == "default" or value is None else _whole(value)
    if key == "encoder_options":
        return {str(k): str(v) for k, v in dict(value).items()}
    if key == "loras":
        return _texts(value)
    if isinstance(like, bool) and isinstance(value, bool):
        return value
    if isinstance(like, int) and not isinstance(like, bool):
        return _whole(value)
    if isinstance(like, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(like, str) and isinstance(value, str):
        return value
    raise TypeError(key)


def is_text(value: str) -> bool:
    """Whether it can be written as UTF-8."""
    return _SURROGATE.search(value) is None


def dimensions(size: Size) -> str:
    """(1920, 1080) → ``"1920x1080"``; ``parse_size`` takes it back."""
    return f"{size[0]}x{size[1]}"


def parse_size(text: str) -> Size:
    """``"1920x1080"`` → (1920, 1080). Raises ValueError for anything else."""
    width, height = text.lower().split("x")
    return int(width), int(height)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise TypeError
    return tuple(value)
