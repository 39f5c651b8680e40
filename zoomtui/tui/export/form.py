"""The form for an export, as plain text by field: to the verb's arguments, and to complaints.

Pure: knows neither Textual nor processes. An empty field stands for "as the film is". What a text
means is decided by the engine (``renderer.settings.export``); what contradicts the film is found by
the verb itself, run dry (``zoomtui.tui.export.child``).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from renderer.errors import RendererError, SettingsError
from renderer.export.containers import CONTAINERS, Target
from renderer.settings.codecs import CODECS
from renderer.settings.export import ExportOptions, Speed, parse_focus, parse_fps
from renderer.settings.film import ENCODER_SPEEDS
from renderer.settings.plain_values import parse_size
from zoomtui.tui.shared.form_fields import (
    YES_NO,
    Field,
    FieldError,
    Row,
    Texts,
    counted,
    read,
    words_of,
)

ENDINGS = tuple(dict.fromkeys(container.suffix for container in CONTAINERS))

FIELDS: tuple[Field, ...] = (
    Field("out", "File", "Its ending decides what it is; a folder/ is for single pictures.",
          "path", (*ENDINGS, "/")),
    Field("direction", "Direction", "in is the film backwards; in-out zooms in first.",
          choices=("out", "in", "in-out", "out-in")),
    Field("loop", "Loop", "Dissolve the end into the beginning: the repeat is not seen.", "flag",
          YES_NO[::-1]),
    Field("easing", "Easing", "Of the zoom's logarithm; ease-in starts slowly.",
          choices=("linear", "ease-in", "ease-out", "ease-in-out")),
    Field("ease_seconds", "Ease seconds", "Ease only so long at the ends; empty: all the way.",
          "seconds", ("1", "2", "4")),
    Field("seconds_per_keyframe", "Seconds each", "Seconds from one keyframe to the next.",
          "seconds", ("0.5", "1", "2", "3", "5")),
    Field("duration", "Duration", "Seconds of all of it, instead.", "seconds",
          ("10", "15", "30", "60")),
    Field("hold_start", "Hold first", "Seconds for which the first view stands still.",
          "seconds", ("0", "1", "2", "3")),
    Field("hold_end", "Hold last", "Seconds for which the last view stands still.",
          "seconds", ("0", "1", "2", "3")),
    Field("speeds", "Speed", "FIRST-LAST=FACTOR, keyframes from 1: 3-6=0.5; several with spaces.",
          "words"),
    Field("focus", "Focus", "X,Y that stays in its place: 0,0 top left to 1,1; empty: the middle.",
          choices=("0.5,0.5", "0.33,0.33", "0.67,0.33", "0.33,0.67", "0.67,0.67")),
    Field("fps", "Frames/s", "Also a fraction such as 24000/1001.",
          choices=("12", "20", "24", "25", "30", "50", "60")),
    Field("size", "Size", "WIDTHxHEIGHT; another aspect is cropped about the middle.",
          choices=("480x270", "640x360", "1280x720", "1920x1080", "1080x1920", "1080x1080")),
    Field("upscale", "Upscale", "lanczos allows a size larger than what was painted.",
          choices=("lanczos",)),
    Field("codec", "Codec", "Empty: as the film, if it fits the file.",
          choices=tuple(codec.name for codec in CODECS)),
    Field("crf", "Quality (crf)", "Lower is better and larger.", "whole",
          ("12", "16", "18", "20", "24", "28")),
    Field("preset", "Encoder speed", "The encoder's preset; slower is smaller.",
          choices=ENCODER_SPEEDS),
    Field("encoder_options", "Encoder", "KEY=VALUE for the encoder; several with spaces.", "pairs"),
    Field("poster", "Poster", "The frame at this second becomes the file's cover picture.",
          "seconds", ("0", "1", "5")),
    Field("audio", "Music", "A sound file: repeated, or cut, to the film's length.", "path"),
    Field("audio_fade_in", "Fade in", "Seconds, of the music.", "seconds", ("0", "1", "2", "5")),
    Field("audio_fade_out", "Fade out", "Seconds, of the music.", "seconds", ("0", "1", "2", "5")),
    Field("force", "Replace", "yes: write over what is there, make animations of any size.", "flag",
          YES_NO[::-1]),
)  # fmt: skip
BY_KEY = {field.key: field for field in FIELDS}
ROWS: tuple[Row, ...] = (
    ("out",),
    ("direction", "loop"),
    ("seconds_per_keyframe", "duration"),
    ("easing", "ease_seconds"),
    ("hold_start", "hold_end"),
    ("fps", "size"),
    ("codec", "crf"),
    ("preset", "upscale"),
    ("speeds", "focus"),
    ("audio",),
    ("audio_fade_in", "audio_fade_out"),
    ("poster", "force"),
    ("encoder_options",),
)
DEFAULTS: Texts = {
    "direction": "out",
    "loop": "no",
    "easing": "linear",
    "ease_seconds": "all the way",
    "seconds_per_keyframe": "as the film",
    "duration": "as it comes",
    "hold_start": "0",
    "hold_end": "0",
    "speeds": "none",
    "focus": "the middle",
    "fps": "as the film",
    "size": "as the film",
    "upscale": "no",
    "codec": "as the film",
    "crf": "as the film",
    "preset": "as the film",
    "encoder_options": "none",
    "poster": "none",
    "audio": "none",
    "audio_fade_in": "0",
    "audio_fade_out": "1",
    "force": "no",
}
"""What an empty field stands for."""


def free_name(folder: Path, project: Path) -> str:
    """The name of a film that is not in ``folder`` yet, after the project; harmless."""
    stem = re.sub(r"[^\w.,+ -]|^[.-]", "_", project.absolute().name.removesuffix(".zoom")) or "film"
    for number in range(1, 1000):
        name = f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4"
        if not (folder / name).exists():
            return name
    return f"{stem}.mp4"


def other_ending(name: str, by: int) -> str:
    """``name`` as another kind of file: the next of the endings, or, after the last, a folder."""
    kinds = BY_KEY["out"].choices
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - Path would drop a ./
    if name.endswith("/"):
        stem, ending = name.rstrip("/"), "/"
    elif ending not in kinds:
        return name if ending else name + kinds[0]
    return stem + kinds[(kinds.index(ending) + by) % len(kinds)]


def check(texts: Texts) -> None:
    """Find what is wrong by itself. Raises FieldError at the field that is to blame."""
    given: dict[str, Any] = {}
    for key in BY_KEY:
        if text := value(texts, key):
            given[key] = _read(key, text)
    out = given.pop("out", "")
    if not out:
        raise FieldError("out", "name the file, or a folder/ for pictures")
    try:
        Target.of(out)
        ExportOptions(**given)
    except SettingsError as error:
        raise complaint(error) from None


def arguments(project: Path, texts: Texts) -> list[str]:
    """What `zoomtui export` is to be given."""
    words = [_operand(os.fspath(project)), _operand(value(texts, "out"))]
    for key, field in BY_KEY.items():
        if key != "out" and (text := value(texts, key)):
            words += words_of(field, text)
    return words


def command_line(project: Path, texts: Texts) -> str:
    """The same export as a command; can be pasted into any POSIX shell."""
    return shlex.join(["zoomtui", "export", *arguments(project, texts)])


def complaint(error: RendererError) -> FieldError:
    """The error at the field that it blames, if there is one."""
    return FieldError(error.field if error.field in BY_KEY else "", str(error))


def value(texts: Texts, key: str) -> str:
    """The field as it counts: without spaces around it, a path with its ~ replaced."""
    return counted(BY_KEY[key], texts.get(key, ""))


def _operand(text: str) -> str:
    """A path that can't be taken for an option."""
    return f"./{text}" if text.startswith("-") else text


def _read(key: str, text: str) -> Any:
    """The text in the engine's types. Raises FieldError."""
    meant = read(BY_KEY[key], text)
    if key not in _PARSERS:
        return meant
    try:
        return _PARSERS[key](meant)
    except SettingsError as error:
        raise FieldError(key, str(error)) from None
    except ValueError:
        raise FieldError(key, f"{text[:40]!r} is not {_EXPECTED[key]}") from None


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "focus": parse_focus,
    "fps": parse_fps,
    "size": parse_size,
    "audio": Path,
    "speeds": lambda words: tuple(map(Speed.parse, words)),
}
_EXPECTED = {"size": "WIDTHxHEIGHT, such as 1280x720"}
