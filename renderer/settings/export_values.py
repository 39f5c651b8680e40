"""Values of an export that have a notation of their own, read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from renderer.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Speed:
    """From one keyframe to another, counted from 1, the camera moves this many times as fast."""

    first: int
    last: int | None
    """None: to the end."""
    factor: float

    @classmethod
    def parse(cls, text: str) -> Speed:
        """``"3-6=0.5"`` or ``"3-=2"``. Raises SettingsError."""
        found = re.fullmatch(r"(\d{1,7})-(\d{1,7})?=(\d+(?:\.\d*)?|\.\d+)", text.strip())
        factor = float(found[3]) if found else 0.0
        if not found or not 0.01 <= factor <= 100:
            raise SettingsError(
                f"speed must be FIRST-LAST=FACTOR with a factor of 0.01 to 100, such as 3-6=0.5, "
                f"not {text!r}"
            )
        first, last = int(found[1]), int(found[2]) if found[2] else None
        if first < 1 or (last is not None and last <= first):
            raise SettingsError(f"speed {text} names no range; keyframes count from 1, as in 3-6")
        return cls(first, last, factor)
