"""ExportOptions: what may be asked of an export, each value checked by itself, and read from text.

None or a default stands for "as the film is". What contradicts the film or the target is found in
``plan``. Loads nothing heavy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from renderer.errors import SettingsError
from renderer.settings.option import unknown
from renderer.settings.plain_values import Size

Direction = Literal["out", "in", "in-out", "out-in"]
Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out"]
Upscale = Literal["", "lanczos"]

CENTRE = (0.5, 0.5)
_LONGEST = 7 * 24 * 3600.0
"""Seconds; more is a slip of the finger."""


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
                f"not {text!r}",
                "speeds",
            )
        first, last = int(found[1]), int(found[2]) if found[2] else None
        if first < 1 or (last is not None and last <= first):
            raise SettingsError(
                f"speed {text} names no range; keyframes count from 1, as in 3-6", "speeds"
            )
        return cls(first, last, factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What is asked. Raises SettingsError, naming the option, for a value that can't be used."""

    # the camera's way
    direction: Direction = "out"
    """``in-out`` zooms in first, then out again."""
    loop: bool = False
    """Join the end to the beginning so that the repeat is not seen."""
    focus: tuple[float, float] = CENTRE
    """The point of the first picture that stays in its place on the screen: across from the left,
    down from the top, 0 … 1."""

    # timing
    fps: Fraction | None = None
    seconds_per_keyframe: float | None = None
    duration: float | None = None
    """Length of everything, holds included, seconds."""
    easing: Easing = "linear"
    ease_seconds: float | None = None
    """Ease only so long at the ends; None: all the way."""
    hold_start: float = 0.0
    """Seconds for which the first view stands still."""
    hold_end: float = 0.0
    speeds: tuple[Speed, ...] = ()

    # the picture
    size: Size | None = None
    upscale: Upscale = ""
    """``lanczos``: a size larger than the keyframes' own is made all the same."""

    # the file
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    poster: float | None = None
    """Time of the frame that becomes the file's cover picture, seconds."""
    audio: Path | None = None
    audio_fade_in: float = 0.0
    audio_fade_out: float = 1.0
    force: bool = False
    """Write over what is there, and make files of unreasonable size."""

    def __post_init__(self) -> None:
        _one_of("direction", self.direction, get_args(Direction))
        _one_of("easing", self.easing, get_args(Easing))
        _one_of("upscale", self.upscale, get_args(Upscale))
        _check_times(self)
        if self.duration is not None and self.seconds_per_keyframe is not None:
            raise SettingsError(
                "duration and seconds per keyframe contradict each other; give one", "duration"
            )
        if self.ease_seconds is not None and self.easing == "linear":
            raise SettingsError(
                "ease seconds need an easing to shorten; add --easing ease-in-out, for instance",
                "easing",
            )
        if not all(0 <= part <= 1 for part in self.focus):
            x, y = self.focus
            raise SettingsError(
                f"focus must lie in the picture, 0 to 1 each way, not {x:g},{y:g}", "focus"
            )
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise SettingsError(f"fps must be above 0 and at most 1000, not {self.fps}", "fps")

    @property
    def times_as_film(self) -> bool:
        """True: every frame is the film's own, at the film's own time."""
        asked = (self.fps, self.seconds_per_keyframe, self.duration, self.speeds)
        bent = self.direction != "out" or self.easing != "linear" or self.loop
        return not (bent or self.hold_start or self.hold_end or any(asked))

    @property
    def encodes(self) -> bool:
        """True: something is asked of the encoder beyond the codec's name."""
        return self.crf is not None or self.preset is not None or bool(self.encoder_options)


def parse_focus(text: str) -> tuple[float, float]:
    """``"0.3,0.6"``. Raises SettingsError."""
    try:
        across, down = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"focus must be X,Y, each 0 to 1 from the top left, such as 0.3,0.6, not {text!r}",
            "focus",
        ) from None
    return across, down


def parse_fps(text: str) -> Fraction:
    """``"25"``, ``"29.97"``, ``"24000/1001"``. Raises SettingsError."""
    if re.fullmatch(r"[\d./]{1,24}", text):
        try:
            return Fraction(text)
        except (ValueError, ZeroDivisionError):
            pass
    raise SettingsError(
        f"fps must be a number, or a fraction such as 24000/1001, not {text!r}", "fps"
    )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(
            unknown(f"{name} {value!r}", value, {word for word in known if word}), name
        )


def _check_times(options: ExportOptions) -> None:
    above_zero = ("seconds_per_keyframe", "duration", "ease_seconds")
    for name in (
        *above_zero,
        "hold_start",
        "hold_end",
        "poster",
        "audio_fade_in",
        "audio_fade_out",
    ):
        value = getattr(options, name)
        if value is None:
            continue
        words = name.replace("_", " ")
        if not math.isfinite(value) or value < 0 or (value == 0 and name in above_zero):
            least = "above 0" if name in above_zero else "0 or more"
            raise SettingsError(f"{words} must be {least} (seconds), not {value:g}", name)
        if value > _LONGEST:
            raise SettingsError(f"{words} of {value:g} seconds is more than a week", name)
