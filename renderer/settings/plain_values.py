"""A setting's value as TOML and JSON hold it, and back: sizes as "WxH", fractions as text.

A setting's row says which form its value has (``option``). Knows no names and no ranges.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

import msgspec

from renderer.errors import SettingsError
from renderer.settings.option import YES_NO, Kind, Option

Size = tuple[int, int]
"""(width, height) in pixels."""

NONE = "none"
"""How no words, and no pairs, are written."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python makes of an argument's bytes that are not UTF-8; no text file can hold them."""


def to_plain(option: Option, value: Any) -> Any:
    """The value of a setting as TOML can hold it; None as the row's word for it."""
    if value is None:
        return option.none
    match option.kind:
        case "size":
            return dimensions(value)
        case "rate":
            return str(value)
        case "pairs":
            return dict(value)
        case "words":
            return list(value)
    return value


def from_plain(option: Option, value: Any) -> Any:
    """The inverse of ``to_plain``.

    Raises TypeError, ValueError, ArithmeticError or SettingsError for what is no such value.
    """
    if option.none and (value is None or value == option.none):
        return None
    if option.parse is not None:
        if option.kind != "words":
            return option.parse(str(value))
        return tuple(map(option.parse, msgspec.convert(value, tuple[str, ...])))
    match option.kind:
        case "size":
            return parse_size(str(value))
        case "rate":
            return Fraction(str(value))
        case "pairs":
            return {str(key): str(text) for key, text in dict(value).items()}
    return msgspec.convert(value, _TYPES.get(option.kind, str))


_TYPES: Mapping[Kind, Any] = {
    "words": tuple[str, ...],
    "whole": int,
    "count": int,
    "number": float,
    "seconds": float,
    "flag": bool,
    "switch": bool,
}
"""Of values that stand in TOML and JSON as they are; all others are text there."""


def read_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text. Raises ValueError, in words for the user."""
    try:
        values = tomllib.loads(text)
        repr(values)  # what is too long or too deep for that can't be named in a message either
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError):
        raise ValueError("a number is too long, or tables or lists lie too deep") from None
    return values


def from_text(kind: Kind, text: str) -> Any:
    """What ``text``, which is not empty, writes as a value of that kind: ``from_plain`` takes it.

    Raises ValueError for what is not written so; ``NOTATION`` says how it is.
    """
    match kind:
        case "whole":
            return int(text)
        case "count":
            return "inf" if text.casefold() == "inf" else int(text)
        case "number":
            return float(text)
        case "seconds":
            return parse_seconds(text)
        case "flag" | "switch":
            return not YES_NO.index(text)
        case "words":
            return tuple(shlex.split(text)) if text != NONE else ()
        case "pairs":
            return _pairs(shlex.split(text)) if text != NONE else {}
        case _:
            return text


def _pairs(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if not all(key and equals for key, equals, _ in pairs):
        raise ValueError("no pairs")
    return {key: rest for key, _, rest in pairs}


def is_text(value: str) -> bool:
    """Whether it can be written as UTF-8."""
    return _SURROGATE.search(value) is None


def parse_seconds(text: str) -> float:
    """``"90"``, ``"90s"``, ``"1.5m"``, ``"2h"``. Raises ValueError for anything else."""
    unit = _UNITS.get(text[-1:], 0)
    return float(text[:-1]) * unit if unit else float(text)


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def dimensions(size: Size) -> str:
    """(1920, 1080) → ``"1920x1080"``; ``parse_size`` takes it back."""
    return f"{size[0]}x{size[1]}"


def parse_size(text: str) -> Size:
    """``"1920x1080"`` → (1920, 1080). Raises ValueError for anything else."""
    width, height = text.lower().split("x")
    return int(width), int(height)


def parse_rate(text: str) -> Fraction:
    """``"25"``, ``"29.97"``, ``"24000/1001"``. Raises SettingsError."""
    if re.fullmatch(r"[-+]?[\d./]{1,24}", text):
        with suppress(ValueError, ZeroDivisionError):
            return Fraction(text)
    raise SettingsError(
        f"fps must be a number, or a fraction such as 24000/1001, not {text!r}", "fps"
    )
