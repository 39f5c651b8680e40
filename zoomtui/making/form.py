"""The form for a new render, as plain text by field: to wishes, to a command line, to complaints.

Pure: knows neither Textual nor files. An empty field is one that the engine fills in
(``renderer.defaults``). What a text means is decided there too; here only numbers are read.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from renderer.errors import SettingsError
from renderer.film.codecs import CODECS, resolve
from renderer.painting.painters.models import PRESETS
from renderer.painting.painters.schedulers import SCHEDULERS
from renderer.settings import RenderSettings, unknown

if TYPE_CHECKING:
    from renderer.defaults import Plan

Kind = Literal["text", "whole", "number", "count", "path"]
Texts = Mapping[str, str]
"""What stands in each field, by its key."""

DIFFUSION = ("negative_prompt", "model", "steps", "guidance_scale", "strength", "scheduler")
"""Fields that only a model makes use of."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Its key is RenderSettings' name where it has one."""

    key: str
    label: str
    help: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    """Texts that are worth offering; others may be allowed too."""

    @property
    def option(self) -> str:
        """The option of ``zoomtui render`` that says the same."""
        return {"folder": "--out"}.get(self.key, "--" + self.key.replace("_", "-"))


_ENCODERS = tuple(codec.name for codec in CODECS)
_SPEEDS = ("ultrafast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

FIELDS: tuple[Field, ...] = (
    Field("prompt", "Prompt", "What to paint, as long as you like. Kept exactly as typed."),
    Field("negative_prompt", "Negative", "What to keep out of the picture."),
    Field("painter", "Painter", "texture needs no model; module:factory is one of your own.",
          choices=("texture", "diffusion")),
    Field("model", "Model", "Or a hub id (may end in @revision), or a folder.",
          choices=tuple(preset.name for preset in PRESETS)),
    Field("steps", "Steps", "Denoising steps a call; more is slower.", "whole",
          ("10", "20", "25", "40")),
    Field("guidance_scale", "Guidance", "Weight of the prompt; 0 or more.", "number",
          ("1", "5", "7.5", "10")),
    Field("strength", "Strength", "How much of the border is noised anew; above 0, up to 1.",
          "number", ("0.9", "0.95", "0.99", "1")),
    Field("scheduler", "Scheduler", "The sampler; empty: what suits the model.",
          choices=tuple(SCHEDULERS)),
    Field("image", "First picture", "A picture of yours to begin with, any size; empty: painted.",
          "path"),
    Field("exemplar", "Exemplar", "Picture that the texture painter grows from; empty: the first.",
          "path"),
    Field("seed", "Seed", "The same seed gives the same film. Ctrl+R draws another.", "whole"),
    Field("method", "Method", "All four sides in one call, or one side a call.",
          choices=("direct", "sequential")),
    Field("keyframes", "Keyframes", "Pictures in all; empty or inf: until you stop it.", "count",
          ("inf", "10", "20", "60", "200")),
    Field("zoom_factor", "Zoom factor", "How much wider the view gets a keyframe; 1 to 4.",
          "number", ("1.25", "1.5", "2", "3")),
    Field("seconds_per_keyframe", "Seconds each", "Seconds of film from one keyframe to the next.",
          "number", ("1", "2", "3", "5", "10")),
    Field("size", "Film size", "WIDTHxHEIGHT, even; empty: what suits the painter.",
          choices=("512x512", "640x360", "1280x720", "1920x1080", "1080x1920", "3840x2160")),
    Field("fps", "Frames/s", "Also a fraction such as 24000/1001.",
          choices=("24", "25", "30", "50", "60")),
    Field("codec", "Codec", "Software or hardware encoder; h264 plays everywhere.",
          choices=_ENCODERS),
    Field("crf", "Quality (crf)", "Lower is better and larger; empty: the codec's default.",
          "whole", ("12", "16", "18", "20", "24", "28")),
    Field("preset", "Speed", "The encoder's speed preset; slower is smaller.", choices=_SPEEDS),
    Field("folder", "Folder", "The new project's; empty: named after the prompt, here.", "path"),
)  # fmt: skip
BY_KEY = {field.key: field for field in FIELDS}

FILM_PRESETS: Mapping[str, Texts] = {
    "standard": {"size": "", "fps": "", "codec": "", "crf": "", "preset": ""},
    "draft": {"size": "640x360", "fps": "24", "codec": "h264", "crf": "28", "preset": "veryfast"},
    "quality": {"size": "", "fps": "60", "codec": "h264", "crf": "14", "preset": "slow"},
    "small file": {"size": "", "fps": "30", "codec": "av1", "crf": "32", "preset": "6"},
}
"""Looks of the film that fill several fields at once; none touches what is painted but by size."""


class FieldError(Exception):
    """A field can't be used as it stands; the message says why, in one line."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def wishes(texts: Texts) -> dict[str, Any]:
    """What was really filled in, for ``renderer.defaults.fill_in``. Raises FieldError.

    Without ``image``, ``exemplar`` and ``folder``, which are no settings.
    """
    given: dict[str, Any] = {"prompt": texts.get("prompt", "")}
    for field in FIELDS:
        text = _text(field, texts)
        if text and field.key not in ("prompt", "image", "exemplar", "folder"):
            given[field.key] = _value(field, text)
    return given


def command_line(texts: Texts) -> str:
    """The `zoomtui render` that makes the same project; can be pasted into any POSIX shell."""
    return shlex.join(arguments(texts))


def arguments(texts: Texts) -> list[str]:
    """The words of that command."""
    prompt = texts.get("prompt", "")
    words = ["zoomtui", "render"]
    for field in FIELDS:
        text = _text(field, texts)
        if field.key == "prompt" or not text:
            continue
        words += [f"{field.option}={text}"] if text.startswith("-") else [field.option, text]
    if not prompt:
        return words
    # The prompt may look like an option, and so stands behind the end of all options.
    return [*words, "--", prompt] if prompt.startswith("-") else [*words[:2], prompt, *words[2:]]


def path(texts: Texts, key: str) -> Path | None:
    """What ``image``, ``exemplar`` or ``folder`` names; None: left open."""
    text = _text(BY_KEY[key], texts)
    return Path(text) if text else None


def filled(texts: Texts, preset: str) -> dict[str, str]:
    """The fields with a film preset put in."""
    return {**texts, **FILM_PRESETS[preset]}


def film_preset(texts: Texts) -> str:
    """The film preset that the fields are now; empty: none of them."""
    for name, values in FILM_PRESETS.items():
        if all(texts.get(key, "") == value for key, value in values.items()):
            return name
    return ""


def painter_of(texts: Texts) -> str:
    """The painter that the fields come to."""
    from renderer.painting.painters.accelerator import accelerator

    modelled = texts.get("model", "").strip() or accelerator()
    return texts.get("painter", "").strip() or ("diffusion" if modelled else "texture")


def relevant(texts: Texts) -> dict[str, str]:
    """The fields that count: those that only a model makes use of don't without one."""
    unused = DIFFUSION if painter_of(texts) == "texture" else ()
    return {key: text for key, text in texts.items() if key not in unused}


def defaults(settings: RenderSettings, folder: Path) -> dict[str, str]:
    """What an empty field stands for, by key, as it could be typed."""
    codec = resolve(settings.codec)
    seconds = float(settings.frames_per_keyframe / settings.fps)
    return {
        "painter": settings.painter,
        "model": settings.model,
        "steps": str(settings.steps),
        "guidance_scale": f"{settings.guidance_scale:g}",
        "strength": f"{settings.strength:g}",
        "scheduler": settings.scheduler or "the model's own",
        "image": "painted",
        "exemplar": "the first picture" if settings.painter == "texture" else "none",
        "method": settings.method,
        "keyframes": "inf: until stopped",
        "zoom_factor": f"{settings.zoom_factor:g}",
        "seconds_per_keyframe": f"{seconds:.4g}",
        "size": f"{settings.size[0]}x{settings.size[1]}",
        "fps": str(settings.fps),
        "codec": settings.codec,
        "crf": str(codec.crf),
        "preset": codec.preset,
        "folder": folder.name,
    }


def check(texts: Texts) -> Plan:
    """The Plan that the fields come to. Raises FieldError at the field that is to blame."""
    from renderer.defaults import fill_in
    from renderer.film.options import encoder_options

    given = wishes(texts)
    try:
        _check_painter(given.get("painter", ""))
        plan = fill_in(given)
        encoder_options(plan.settings)
    except SettingsError as error:
        raise FieldError(field_of(str(error), texts), str(error)) from None
    return plan


def _check_painter(name: str) -> None:
    """A name that nobody has registered is wrong; ``module:factory`` shows when it is loaded."""
    from importlib.metadata import entry_points

    from renderer.painting.painters import BUILT_IN, ENTRY_POINT_GROUP

    known = {*BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))}
    if name and name not in known and ":" not in name:
        raise SettingsError(unknown(f"painter {name!r}", name, known) + " (or module:factory)")


def field_of(complaint: str, texts: Texts) -> str:
    """The field that an error is about: the one whose path, or else whose name, it has first."""
    for key in ("image", "exemplar", "folder"):
        named = path(texts, key)
        if named is not None and str(named) in complaint:
            return key
    line = complaint.casefold().replace("_", " ")
    if "needs a prompt" in line or "prompt is empty" in line:
        return "prompt"
    found = [
        (line.find(name), -len(name), key) for name, key in _NAMES.items() if _names(line, name)
    ]
    return min(found)[2] if found else ""


_NAMES = {
    **{key.replace("_", " "): key for key in BY_KEY if key not in ("prompt", "image")},
    "keyframe size": "size",
    "frames per keyframe": "seconds_per_keyframe",
    "encoder": "codec",
    "--out": "folder",
}
"""Words by which the engine calls what stands in a field."""


def _names(line: str, name: str) -> bool:
    """``name`` stands in ``line`` as words of their own."""
    at = line.find(name)
    after = line[at + len(name) : at + len(name) + 1]
    return at >= 0 and not after.isalnum() and (at == 0 or not line[at - 1].isalnum())


def _text(field: Field, texts: Texts) -> str:
    """The field as it counts: a prompt exactly as typed, all else without spaces around it."""
    text = texts.get(field.key, "")
    if field.key in ("prompt", "negative_prompt"):
        return text
    if field.kind == "path":  # in the command line it is quoted, so no shell would do it
        return os.path.expanduser(text.strip())  # noqa: PTH111 - an empty text is no path
    return text.strip()


def _value(field: Field, text: str) -> Any:
    if field.kind == "count" and text.casefold() == "inf":
        return "inf"
    try:
        if field.kind in ("whole", "count"):
            return int(text)
        if field.kind == "number":
            return float(text)
    except ValueError:
        what = {"whole": "a whole number", "count": "a whole number or inf", "number": "a number"}
        raise FieldError(field.key, f"{text[:40]!r} is not {what[field.kind]}") from None
    return text
