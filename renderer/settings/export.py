"""What may be asked of an export: one row an option, checked as far as it can be by itself.

What contradicts the film or the target is found in ``renderer.export.plan``. Loads nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from renderer.errors import SettingsError
from renderer.settings.film import FilmSettings
from renderer.settings.focus import CENTRE, Point, in_the_picture, parse_point
from renderer.settings.option import NOTATION, finite, options_of, setting, setting_like
from renderer.settings.plain_values import Size, from_plain

Direction = Literal["out", "in", "in-out", "out-in"]
Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out"]
Upscale = Literal["lanczos"]

_WEEK = 7 * 24 * 3600
"""Seconds; more is a slip of the finger."""
_SECONDS: dict[str, Any] = {
    "kind": "seconds",
    "check": finite(lambda seconds: 0 <= seconds <= _WEEK, f"0 to {_WEEK} seconds, a week"),
}
_SOME_SECONDS = _SECONDS | {
    "check": finite(
        lambda seconds: 0 < seconds <= _WEEK, f"above 0 and at most {_WEEK} seconds, a week"
    ),
}
_FILM = options_of(FilmSettings)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """None, or the default, stands for "as the film is".

    Raises SettingsError, naming the option, for a value that can't be used.
    """

    direction: Direction | None = setting(
        None,
        none="as rendered",
        only=get_args(Direction),
        help="Which way it zooms: out, in (a film that was rendered the other way runs backwards), "
        "in-out (in first, then out again) or out-in; by default as it was rendered.",
        metavar="WAY",
        hint="in, out, or both ways; empty: as it was rendered.",
        row=("", 1),
    )
    loop: bool = setting(
        False,
        help="Dissolve the end into the beginning, while both move, so that the repeat can't be "
        "seen.",
        hint="Dissolve the end into the beginning: the repeat can't be seen.",
        row=("", 1),
    )
    focus: Point = setting(
        CENTRE,
        parse=parse_point,
        check=in_the_picture,
        help="Zoom about this point of the first picture instead of its middle: from 0,0 (top "
        "left) to 1,1 (bottom right).",
        metavar="X,Y",
        hint="X,Y of the point that stays in place: 0,0 (top left) to 1,1.",
        choices=("0.5,0.5", "0.33,0.33", "0.67,0.33", "0.33,0.67", "0.67,0.67"),
        unset="the middle",
        row=("", 8),
    )
    fps: Fraction | None = setting_like(
        _FILM["fps"],
        none="as the film",
        help="Frames a second, also a fraction such as 24000/1001.",
        choices=("12", "20", "24", "25", "30", "50", "60"),
        row=("", 5),
    )
    seconds_per_keyframe: float | None = setting(
        None,
        none="as the film",
        help="Seconds from one keyframe to the next.",
        label="Seconds each",
        choices=("0.5", "1", "2", "3", "5"),
        row=("", 2),
        **_SOME_SECONDS,
    )
    duration: float | None = setting(
        None,
        none="as it comes",
        help="Length in seconds, holds included (instead of --seconds-per-keyframe).",
        hint="Length in seconds, holds included; instead of Seconds each.",
        choices=("10", "15", "30", "60"),
        row=("", 2),
        **_SOME_SECONDS,
    )
    easing: Easing = setting(
        "linear",
        only=get_args(Easing),
        help="How the zoom starts and ends: linear (at a steady speed), ease-in (starts slowly), "
        "ease-out (ends slowly) or ease-in-out.",
        metavar="NAME",
        hint="linear: steady speed; ease-in starts slowly, ease-out ends slowly.",
        row=("", 3),
    )
    ease_seconds: float | None = setting(
        None,
        none="all the way",
        help="Seconds that the easing takes at each end, with steady speed in between; by default "
        "it takes all the time.",
        hint="Seconds of easing at each end; empty: all the way.",
        choices=("1", "2", "4"),
        row=("", 3),
        **_SOME_SECONDS,
    )
    hold_start: float = setting(
        0.0,
        help="Seconds to stand still on the first view.",
        label="Hold first",
        choices=("0", "1", "2", "3"),
        row=("", 4),
        **_SECONDS,
    )
    hold_end: float = setting(
        0.0,
        help="Seconds to stand still on the last view.",
        label="Hold last",
        choices=("0", "1", "2", "3"),
        row=("", 4),
        **_SECONDS,
    )
    speeds: tuple[Speed, ...] = setting(
        (),
        kind="words",
        parse=Speed.parse,
        help="Zoom faster or slower between two keyframes, counted from 1: 3-6=0.5 is half the "
        "speed from keyframe 3 to 6; repeatable.",
        metavar="FIRST-LAST=FACTOR",
        named="--speed",
        label="Speed",
        hint="FIRST-LAST=FACTOR, keyframes from 1: 3-6=0.5; several with spaces.",
        row=("", 8),
    )
    size: Size | None = setting(
        None,
        kind="size",
        none="as the film",
        help="Frame size; another aspect is cropped about the middle.",
        hint="WIDTHxHEIGHT; another aspect is cropped about the middle.",
        choices=("480x270", "640x360", "1280x720", "1920x1080", "1080x1920", "1080x1080"),
        row=("", 5),
    )
    upscale: Upscale | None = setting(
        None,
        none="no",
        only=get_args(Upscale),
        help="Allow a size larger than what was painted.",
        metavar="lanczos",
        hint="lanczos allows a size larger than what was painted.",
        row=("", 7),
    )
    codec: str | None = setting_like(
        _FILM["codec"],
        none="as the film",
        check=None,
        help="h264, hevc, av1 or vp9; by default the film's own, if the file can hold it.",
        hint="Empty: the film's own, if the file can hold it.",
        row=("", 6),
    )
    crf: int | None = setting_like(_FILM["crf"], none="as the film", row=("", 6))
    bit_depth: int | None = setting_like(
        _FILM["bit_depth"],
        none="as the film",
        help="8 or 10 bits; by default the film's own, if the codec has them.",
        row=("", 12),
    )
    preset: str | None = setting_like(_FILM["preset"], none="as the film", row=("", 7))
    encoder_options: Mapping[str, str] = setting_like(_FILM["encoder_options"], dict, row=("", 12))
    audio: Path | None = setting(
        None,
        kind="path",
        none="none",
        parse=Path,
        help="Music: a sound file, repeated or cut to the film's length.",
        metavar="FILE",
        label="Music",
        row=("", 9),
    )
    audio_fade_in: float = setting(
        0.0,
        help="Seconds over which the music fades in; 0 by default.",
        label="Fade in",
        choices=("0", "1", "2", "5"),
        row=("", 10),
        **_SECONDS,
    )
    audio_fade_out: float = setting(
        1.0,
        help="Seconds over which the music fades out; 1 by default.",
        label="Fade out",
        choices=("0", "1", "2", "5"),
        row=("", 10),
        **_SECONDS,
    )
    poster: float | None = setting(
        None,
        none="none",
        help="The frame at this second becomes the file's cover picture.",
        choices=("0", "1", "5"),
        row=("", 11),
        **_SECONDS,
    )
    force: bool = setting(
        False,
        help="Replace what is there, all pictures of a longer export as well; make animations of "
        "any length and size.",
        label="Replace",
        hint="yes: replace what is there, make animations of any size.",
        row=("", 11),
    )

    def __post_init__(self) -> None:
        for name, option in EXPORT_OPTIONS.items():
            if option.check and (complaint := option.check(name, getattr(self, name))):
                raise SettingsError(complaint, name)
        if self.duration is not None and self.seconds_per_keyframe is not None:
            raise SettingsError(
                "duration and seconds per keyframe contradict each other; give one", "duration"
            )
        if self.ease_seconds is not None and self.easing == "linear":
            raise SettingsError(
                "ease seconds need an easing to shorten; add --easing ease-in-out, for instance",
                "easing",
            )

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> ExportOptions:
        """From plain values: texts and numbers, as the command line and the form hold them."""
        typed = {}
        for name, value in given.items():
            option = EXPORT_OPTIONS[name]
            try:
                typed[name] = from_plain(option, value)
            except SettingsError as error:
                raise SettingsError(str(error), name) from None
            except ValueError:
                text = f"{name} {value!r} is not {NOTATION[option.kind]}"
                raise SettingsError(text, name) from None
        return cls(**typed)

    @property
    def times_as_film(self) -> bool:
        """True: every frame is the film's own, at the film's own time."""
        asked = (self.fps, self.seconds_per_keyframe, self.duration, self.speeds)
        bent = self.direction is not None or self.easing != "linear" or self.loop
        return not (bent or self.hold_start or self.hold_end or any(asked))

    @property
    def encodes(self) -> bool:
        """True: something is asked of the encoder beyond the codec's name."""
        asked = (self.crf, self.preset, self.bit_depth)
        return asked != (None, None, None) or bool(self.encoder_options)


EXPORT_OPTIONS = options_of(ExportOptions)
"""Name → row, of every option, in the order of the verb's help."""
