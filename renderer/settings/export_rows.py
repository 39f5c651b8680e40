"""What may be asked of an export: one row an option. Loads nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from renderer.settings import names
from renderer.settings.export_values import Point, Speed, parse_point
from renderer.settings.film import ENCODER_SPEEDS, frame_rate
from renderer.settings.option import Check, one_of, setting
from renderer.settings.plain_values import Size, parse_rate

Direction = Literal["out", "in", "in-out", "out-in"]
Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out"]
Upscale = Literal["lanczos"]

CENTRE = (0.5, 0.5)
_LONGEST = 7 * 24 * 3600.0
"""Seconds; more is a slip of the finger."""


def _seconds(*, above_zero: bool = False) -> Check:
    def check(name: str, value: float | None) -> str | None:
        words = name.replace("_", " ")
        if value is None:
            return None
        if not math.isfinite(value) or value < 0 or (value == 0 and above_zero):
            least = "above 0" if above_zero else "0 or more"
            return f"{words} must be {least} (seconds), not {value:g}"
        return f"{words} of {value:g} seconds is more than a week" if value > _LONGEST else None

    return check


def _in_the_picture(name: str, value: Point) -> str | None:
    if all(0 <= part <= 1 for part in value):
        return None
    return f"{name} must lie in the picture, 0 to 1 each way, not {value[0]:g},{value[1]:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRows:
    """None or a default stands for "as the film is". ``ExportOptions`` checks it."""

    direction: Direction = setting(
        "out",
        check=one_of(*get_args(Direction)),
        help="out (as rendered), in (backwards), in-out (in first, then out again), or out-in.",
        metavar="WAY",
        label="Direction",
        hint="in is the film backwards; in-out zooms in first.",
        choices=get_args(Direction),
        row=("", 1),
    )
    loop: bool = setting(
        False,
        kind="flag",
        help="Dissolve the end into the beginning, while both move, so that the repeat is not "
        "seen.",
        label="Loop",
        hint="Dissolve the end into the beginning: the repeat is not seen.",
        row=("", 1),
    )
    focus: Point = setting(
        CENTRE,
        parse=parse_point,
        check=_in_the_picture,
        help="Zoom about this point of the first picture instead of its middle, 0,0 (top left) to "
        "1,1.",
        metavar="X,Y",
        label="Focus",
        hint="X,Y that stays in its place: 0,0 top left to 1,1; empty: the middle.",
        choices=("0.5,0.5", "0.33,0.33", "0.67,0.33", "0.33,0.67", "0.67,0.67"),
        unset="the middle",
        row=("", 8),
    )
    fps: Fraction | None = setting(
        None,
        kind="rate",
        none="as the film",
        parse=parse_rate,
        check=frame_rate,
        help="Frames a second, also 24000/1001.",
        metavar="RATE",
        label="Frames/s",
        hint="Also a fraction such as 24000/1001.",
        choices=("12", "20", "24", "25", "30", "50", "60"),
        row=("", 5),
    )
    seconds_per_keyframe: float | None = setting(
        None,
        kind="seconds",
        none="as the film",
        check=_seconds(above_zero=True),
        help="Time from one keyframe to the next.",
        metavar="S",
        label="Seconds each",
        hint="Seconds from one keyframe to the next.",
        choices=("0.5", "1", "2", "3", "5"),
        row=("", 2),
    )
    duration: float | None = setting(
        None,
        kind="seconds",
        none="as it comes",
        check=_seconds(above_zero=True),
        help="Length of all of it, holds included, instead.",
        metavar="S",
        label="Duration",
        hint="Seconds of all of it, instead.",
        choices=("10", "15", "30", "60"),
        row=("", 2),
    )
    easing: Easing = setting(
        "linear",
        check=one_of(*get_args(Easing)),
        help="linear, ease-in (start slowly), ease-out or ease-in-out; of the zoom's logarithm.",
        metavar="NAME",
        label="Easing",
        hint="Of the zoom's logarithm; ease-in starts slowly.",
        choices=get_args(Easing),
        row=("", 3),
    )
    ease_seconds: float | None = setting(
        None,
        kind="seconds",
        none="all the way",
        check=_seconds(above_zero=True),
        help="Ease only so long at the ends, with steady speed between them.",
        metavar="S",
        label="Ease seconds",
        hint="Ease only so long at the ends; empty: all the way.",
        choices=("1", "2", "4"),
        row=("", 3),
    )
    hold_start: float = setting(
        0.0,
        kind="seconds",
        check=_seconds(),
        help="Stand still on the first view.",
        metavar="S",
        label="Hold first",
        hint="Seconds for which the first view stands still.",
        choices=("0", "1", "2", "3"),
        row=("", 4),
    )
    hold_end: float = setting(
        0.0,
        kind="seconds",
        check=_seconds(),
        help="Stand still on the last view.",
        metavar="S",
        label="Hold last",
        hint="Seconds for which the last view stands still.",
        choices=("0", "1", "2", "3"),
        row=("", 4),
    )
    speeds: tuple[Speed, ...] = setting(
        (),
        kind="words",
        parse=Speed.parse,
        help="Faster or slower between two keyframes, counted from 1: 3-6=0.5; repeatable.",
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
        metavar="WxH",
        label="Size",
        hint="WIDTHxHEIGHT; another aspect is cropped about the middle.",
        choices=("480x270", "640x360", "1280x720", "1920x1080", "1080x1920", "1080x1080"),
        row=("", 5),
    )
    upscale: Upscale | None = setting(
        None,
        none="no",
        check=one_of(*get_args(Upscale)),
        help="Allow a size larger than what was painted.",
        metavar="lanczos",
        label="Upscale",
        hint="lanczos allows a size larger than what was painted.",
        choices=get_args(Upscale),
        row=("", 7),
    )
    codec: str | None = setting(
        None,
        none="as the film",
        help="h264, hevc, av1, vp9; by default as the film, if it fits.",
        metavar="NAME",
        label="Codec",
        hint="Empty: as the film, if it fits the file.",
        choices=names.codecs,
        row=("", 6),
    )
    crf: int | None = setting(
        None,
        kind="whole",
        none="as the film",
        help="Quality; lower is better, larger.",
        metavar="N",
        label="Quality (crf)",
        hint="Lower is better and larger.",
        choices=("12", "16", "18", "20", "24", "28"),
        row=("", 6),
    )
    preset: str | None = setting(
        None,
        none="as the film",
        help="The encoder's speed preset.",
        metavar="NAME",
        label="Encoder speed",
        hint="The encoder's preset; slower is smaller.",
        choices=ENCODER_SPEEDS,
        row=("", 7),
    )
    encoder_options: Mapping[str, str] = setting(
        dict,
        kind="pairs",
        help="Anything else for the encoder; repeatable.",
        named="--encoder-option",
        label="Encoder",
        hint="KEY=VALUE for the encoder; several with spaces.",
        row=("", 12),
    )
    audio: Path | None = setting(
        None,
        kind="path",
        none="none",
        parse=Path,
        help="Music: repeated, or cut, to the film's length.",
        metavar="FILE",
        label="Music",
        hint="A sound file: repeated, or cut, to the film's length.",
        row=("", 9),
    )
    audio_fade_in: float = setting(
        0.0,
        kind="seconds",
        check=_seconds(),
        help="Of the music; 0 by default.",
        metavar="S",
        label="Fade in",
        hint="Seconds, of the music.",
        choices=("0", "1", "2", "5"),
        row=("", 10),
    )
    audio_fade_out: float = setting(
        1.0,
        kind="seconds",
        check=_seconds(),
        help="Of the music; 1 by default.",
        metavar="S",
        label="Fade out",
        hint="Seconds, of the music.",
        choices=("0", "1", "2", "5"),
        row=("", 10),
    )
    poster: float | None = setting(
        None,
        kind="seconds",
        none="none",
        check=_seconds(),
        help="The frame at this time is the file's cover picture.",
        metavar="S",
        label="Poster",
        hint="The frame at this second becomes the file's cover picture.",
        choices=("0", "1", "5"),
        row=("", 11),
    )
    force: bool = setting(
        False,
        kind="flag",
        help="Replace what is there; make animations of unreasonable size.",
        label="Replace",
        hint="yes: write over what is there, make animations of any size.",
        row=("", 11),
    )
