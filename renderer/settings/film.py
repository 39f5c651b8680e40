"""The chain of keyframes and the film made of it: one row a setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from renderer.errors import SettingsError
from renderer.settings import names
from renderer.settings.conditions import EXAMPLES, condition_text
from renderer.settings.option import Option, at_least, between, finite, not_empty, setting
from renderer.settings.painting import PaintingSettings
from renderer.settings.plain_values import Size, dimensions, parse_rate

Direction = Literal["out", "in"]

_SLOWEST = Fraction(1, 100)
MIN_SIDE, MAX_SIDE = 64, 8192
UPSCALES = (1, 2, 4)
MOST_WORKERS = 64
ALL, MARKS = "all", "marks"


def _side(name: str, value: Size) -> str | None:
    if min(value) >= MIN_SIDE and max(value) <= MAX_SIDE:
        return None
    return f"{name} {dimensions(value)} is out of range; each side {MIN_SIDE} to {MAX_SIDE}"


def _film_size(name: str, value: Size) -> str | None:
    if complaint := _side(name, value):
        return complaint
    even = tuple(side + side % 2 for side in value)
    if value == even:
        return None
    return (
        f"{name} {dimensions(value)} has an odd side, which yuv420p film can't have; "
        f"use {even[0]}x{even[1]}"
    )


def _zoom_factor(name: str, value: float) -> str | None:
    if not math.isfinite(value) or value <= 1:
        return f"{name} must be above 1 (1.5 is usual), not {value:g}"
    return None if value <= 4 else f"{name} {value:g} is too large; at most 4"


def _frame_rate(name: str, value: Fraction | None) -> str | None:
    """Frames a second, or None where that is allowed."""
    if value is None:
        return None
    if not 0 < value <= 1000:
        return f"{name} must be above 0 and at most 1000, not {value}"
    if value < _SLOWEST:
        return f"{name} {value} is less than a frame in 100 seconds; at least {_SLOWEST}"
    if value.numerator < 2**31 and value.denominator < 2**31:
        return None
    return f"{name} {value} can't be written exactly; use a simple fraction such as 30000/1001"


def _keyframes_kept(name: str, value: str) -> str | None:
    if value in (ALL, MARKS) or _count(value) >= 2:
        return None
    return f"{name} must be {ALL}, {MARKS}, or 2 and more of the newest, not {value[:40]!r}"


def _count(text: str) -> int:
    """The number that stands there; 0: none, or one with more digits than can be meant."""
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _workers(text: str) -> int:
    if 1 <= (count := _count(text)) <= MOST_WORKERS:
        return count
    raise SettingsError(f"workers must be auto, or 1 to {MOST_WORKERS}, not {text[:40]!r}")


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False, eq=False)
class FilmSettings(PaintingSettings):
    """All but the number of keyframes are fixed by the film. ``RenderSettings`` checks them."""

    keyframe_size: Size = setting(
        (512, 512),
        kind="size",
        check=_side,
        help="Size of the picture that a border is painted around; by default what suits model "
        "and film.",
        hint="Size that is outpainted; empty: what suits model and film.",
        choices=("512x512", "768x768", "1024x1024"),
        row=("painting", 4),
        slows=True,
        new_painter=True,
    )
    size_multiple: int = setting(8, check=between(1, 128), new_painter=True)
    """Sides of what is painted are multiples of this (the model's need)."""
    upscale: int = setting(
        1,
        only=UPSCALES,
        help="Paint so many times smaller, 2 or 4, and enlarge what is painted with --upscaler: "
        "sharp large films of models that paint small pictures. 1 (default): as painted.",
        metavar="1|2|4",
        hint="Paint 2 or 4 times smaller, and enlarge it with the upscaler.",
        row=("painting", 6),
        slows=True,
        new_painter=True,
        provenance=True,
    )
    zoom_factor: float = setting(
        1.5,
        check=_zoom_factor,
        help="How many times wider the view gets with each keyframe; by default 1.5, with "
        "--method refine 2.",
        metavar="R",
        hint="How much wider each keyframe's view is: above 1, up to 4.",
        choices=("1.25", "1.5", "2", "3"),
        row=("", 7),
        slows=True,
        new_painter=True,
        provenance=True,
    )
    keyframes: int | None = setting(
        None,
        kind="count",
        none="inf",
        check=at_least(2, " (the first picture and one around it)"),
        help="Pictures in all, the first included; inf: until stopped.",
        metavar="N|inf",
        choices=("inf", "10", "20", "60", "200"),
        row=("", 6),
        steerable=True,
    )
    stop_when: tuple[str, ...] = setting(
        (),
        kind="words",
        parse=condition_text,
        help="Stop by itself after a keyframe for which this is so: drift>60, seam>2.5, "
        "seconds>600, disk<5GiB or time>07:00; may be given several times.",
        metavar="CONDITION",
        hint="Stop by itself; several with spaces. Looked at after every keyframe.",
        choices=EXAMPLES,
        row=("ending", 1),
        steerable=True,
    )
    review: int = setting(
        0,
        check=between(0, 16, " takes", off=True),
        help="Hold after each keyframe, once it has N takes (by default 1), until one of them is "
        "chosen: in the monitor, or by `zoomtui choose`; 0: never. Begun without a terminal, a "
        "render needs --review-wait as well.",
        metavar="[N]",
        alone=1,
        hint="Takes of each keyframe to choose from, which the render waits for; 0: none.",
        row=("ending", 3),
        steerable=True,
    )
    review_wait: float = setting(
        0.0,
        kind="seconds",
        check=finite(lambda seconds: 0 <= seconds <= 1e6, "0 to 1000000 seconds"),
        help="Seconds (or 2m, 1h) after which a held keyframe goes on by itself, with the take "
        "that came out best; 0 (default): never.",
        label="Wait",
        hint="Seconds after which a held keyframe goes on by itself; 0: never.",
        row=("ending", 3),
        steerable=True,
    )
    pause_when: tuple[str, ...] = setting(
        (),
        kind="words",
        parse=condition_text,
        help="Pause by itself after such a keyframe; conditions as for --stop-when.",
        metavar="CONDITION",
        hint="Pause by itself; several with spaces. Looked at after every keyframe.",
        choices=EXAMPLES,
        row=("ending", 2),
        steerable=True,
    )
    size: Size = setting(
        (512, 512),
        kind="size",
        check=_film_size,
        help="Film size: any aspect, both sides even; by default what suits the painter.",
        label="Film size",
        hint="WIDTHxHEIGHT, both even; empty: what suits the painter.",
        choices=("512x512", "640x360", "1280x720", "1920x1080", "1080x1920", "3840x2160"),
        row=("", 8),
    )
    fps: Fraction = setting(
        Fraction(30),
        check=_frame_rate,
        parse=parse_rate,
        help="Frames a second, also a fraction such as 24000/1001; 30 by default.",
        label="Frames/s",
        hint="Also a fraction such as 24000/1001.",
        choices=("24", "25", "30", "50", "60"),
        row=("", 8),
    )
    frames_per_keyframe: int = setting(
        60,
        check=at_least(1),
        help="Frames from one keyframe to the next.",
    )
    codec: str = setting(
        "h264",
        check=not_empty,
        help="h264 (default), hevc, av1, vp9, or an encoder such as h264_nvenc.",
        metavar="NAME",
        hint="Software or hardware encoder; h264 plays everywhere.",
        choices=names.codecs,
        row=("encoding", 1),
    )
    crf: int | None = setting(
        None,
        kind="whole",
        none="default",
        check=between(0, 63),
        help="Quality: a lower number looks better and takes more space.",
        label="Quality (crf)",
        choices=("12", "16", "18", "20", "24", "28"),
        row=("encoding", 1),
    )
    bit_depth: int = setting(
        8,
        only=(8, 10),
        help="8 (default), or 10: dark skies without bands, by h264, hevc and av1; browsers and "
        "televisions don't play h264 in 10 bits.",
        metavar="8|10",
        hint="10: dark skies without bands; 8 plays everywhere.",
        row=("encoding", 3),
    )
    preset: str = setting(
        "",
        help="The encoder's speed preset, such as veryfast; slower ones make smaller files.",
        metavar="NAME",
        label="Encoder speed",
        hint="The encoder's preset; slower ones make smaller files.",
        choices=(
            *("ultrafast", "veryfast", "faster", "fast"),
            *("medium", "slow", "slower", "veryslow"),
        ),
        row=("encoding", 2),
    )
    encoder_options: Mapping[str, str] = setting(
        dict,
        kind="pairs",
        help="Any other option of the encoder; repeatable.",
        named="--encoder-option",
        label="Encoder",
        hint="KEY=VALUE for the encoder; several with spaces.",
        row=("encoding", 2),
    )
    keyframes_kept: str = setting(
        ALL,
        check=_keyframes_kept,
        help="Pictures that stay on the disk: all (default), the newest N, or marks, those with a "
        "mark and the newest eight. The first one always stays. Film that is made stays as it is, "
        "but where pictures are gone it can't be made again: not rewound to, and not exported at "
        "another size, speed or direction.",
        metavar="all|N|marks",
        label="Keep",
        hint="Pictures that stay: all, the newest N, or marks; others can't be exported anew.",
        choices=(ALL, "100", "1000", MARKS),
        row=("encoding", 4),
        steerable=True,
    )
    workers: int | None = setting(
        None,
        parse=_workers,
        none="auto",
        help="Intervals of the film to make at once, and threads for their frames; auto (default): "
        "one for each core, as far as memory goes. The film is the same with any number.",
        metavar="N|auto",
        hint="Parts of the film made at once; empty: one for each core.",
        choices=("auto", "1", "2", "4", "8", "16"),
        row=("encoding", 3),
        steerable=True,
    )
    threads: int = setting(2, check=between(1, 64))
    """Of the encoder: part of the settings, because x264's bytes depend on it."""
    focus_ease: float = setting(
        0.25,
        check=between(0, 0.5),
        help="Share of the way to the next keyframe in which a dive changes its direction, where "
        "its focus has changed; 0: at once.",
        metavar="S",
        hint="How gently a dive changes its direction, 0 (at once) to 0.5.",
        choices=("0", "0.25", "0.5"),
        row=("painting", 3),
    )
    direction: Direction = setting(
        "out",
        only=get_args(Direction),
        help="Which way the finished film runs, out or in; where it is not rendered that way (the "
        "methods zoom out by default, refine dives in), it is made as well at the end, as "
        "exports/in.mp4 or exports/out.mp4.",
        metavar="out|in",
        hint="The other way than rendered: at the end that film is made too.",
        row=("", 7),
    )


BESIDES: Mapping[str, Option] = {
    "outpaint_size": Option(
        kind="whole",
        help="Pixels of border at each end of the shorter side (instead of --zoom-factor).",
        metavar="PX",
        instead_of="zoom_factor",
    ),
    "seconds_per_keyframe": Option(
        kind="number",
        check=finite(lambda seconds: seconds > 0, "above 0"),
        help="Seconds of film from one keyframe to the next (instead of --frames-per-keyframe); 2 "
        "by default.",
        metavar="S",
        instead_of="frames_per_keyframe",
        label="Seconds each",
        hint="Seconds of film from one keyframe to the next.",
        choices=("1", "2", "3", "5", "10"),
        row=("", 6),
    ),
}
"""Options that say a setting in another way."""
