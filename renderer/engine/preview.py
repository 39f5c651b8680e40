"""A picture that is not finished yet, on its way from the painter to a viewer.

A plain frozen value that can be turned into a JSON message and read back. Its pixels are raw, so
that no image codec is needed. It is no event: it is not kept, logged or counted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_SIDE = 256
"""Pixels; a viewer takes nothing larger."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One moment of a keyframe in the making."""

    keyframe: int
    step: int
    steps: int
    """Of how many; ``step`` is 0 before the first is done."""
    width: int
    height: int
    rgb: bytes
    """height × width × 3 bytes, sRGB, rows from the top."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` takes them back."""
        return {**asdict(self), "rgb": base64.b64encode(self.rgb).decode("ascii")}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preview:
        """The inverse of ``to_json``. Raises ValueError for what is no preview."""
        names = ("keyframe", "step", "steps", "width", "height")
        keyframe, step, steps, width, height = (_number(values.get(name)) for name in names)
        if not (1 <= width <= LONGEST_SIDE and 1 <= height <= LONGEST_SIDE):
            raise ValueError(f"no preview: {width}x{height} pixels")
        try:
            rgb = base64.b64decode(values.get("rgb", ""), validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError(f"no preview: {error}") from None
        if len(rgb) != width * height * 3:
            raise ValueError(f"no preview: {len(rgb)} bytes for {width}x{height} pixels")
        return cls(keyframe, step, steps, width, height, rgb)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"no preview: {value!r} is no number")
    return value
