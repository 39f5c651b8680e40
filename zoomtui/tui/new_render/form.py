"""The form for a new render, as plain text by field: to wishes, to a command line, to complaints.

Knows no Textual, and of files only what a plan of prompts holds. An empty field is one that the
engine fills in (``renderer.planning.defaults``). What a text means is decided there too.
"""

from __future__ import annotations

import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.errors import PainterError, SettingsError
from renderer.planning.prepare import Prepared, prepare
from renderer.planning.prompt_file import Changes, Places, with_plan
from renderer.settings.codecs import resolve
from renderer.settings.film import BESIDES
from renderer.settings.option import Option
from renderer.settings.render import OPTIONS, RenderSettings
from renderer.settings.sources import SOURCES
from zoomtui.tui.shared.form_fields import FieldError, Fields, Texts, as_typed

TITLES = {
    "": "",
    "painting": "Painting",
    "joining": "Joining",
    "encoding": "Encoding",
    "ending": "Ending",
}
"""The groups, in their order; what is in the first is always shown, the rest is folded away."""
_ALL: Mapping[str, Option] = {**OPTIONS, **BESIDES, **SOURCES}
FIELDS = Fields(_ALL, TITLES, exact=("prompt", "negative_prompt"))

FILM_PRESETS: Mapping[str, Texts] = {
    "standard": {"size": "", "fps": "", "codec": "", "crf": "", "preset": ""},
    "draft": {"size": "640x360", "fps": "24", "codec": "h264", "crf": "28", "preset": "veryfast"},
    "quality": {"size": "", "fps": "60", "codec": "h264", "crf": "14", "preset": "slow"},
    "small file": {"size": "", "fps": "30", "codec": "av1", "crf": "32", "preset": "6"},
}
"""Looks of the film that fill several fields at once; the size alone affects what is painted."""

_LEFT_EMPTY = ("prompt", "negative_prompt", "seed")
"""Fields that stand for nothing while they are empty."""
_SAID_IN = {"frames_per_keyframe": "seconds_per_keyframe"}
"""Settings that another field stands for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the fields come to."""

    settings: RenderSettings
    notes: tuple[str, ...]
    """What was decided on the way that the user should know."""
    image: Path | None = None
    exemplar: Path | None = None
    prompts: Changes = ()
    """Those of later keyframes, each with the first keyframe that it is for."""
    places: Places = ()
    """Pictures that the plan names, each with the keyframe that is to show it."""

    def prepare(self, folder: Path, **changes: Any) -> Prepared:
        """The project at ``folder``, with ``changes`` to its settings. Raises RendererError."""
        settings, pictures = self.settings.changed(changes), (self.image, self.exemplar)
        return prepare(folder, settings, *pictures, self.prompts, self.places)


def wishes(texts: Texts) -> dict[str, Any]:
    """What was really filled in, for ``renderer.planning.defaults.fill_in``. Raises FieldError.

    Without ``SOURCES``.
    """
    wished = {key: text for key, text in texts.items() if key not in SOURCES}
    return {"prompt": "", **FIELDS.meaning(wished)}


def command_line(texts: Texts) -> str:
    """The `zoomtui render` that makes the same project; can be pasted into any POSIX shell."""
    return shlex.join(arguments(texts))


def arguments(texts: Texts) -> list[str]:
    """The words of that command."""
    counted = FIELDS.filled(texts)
    prompt = counted.pop("prompt", "")
    words = ["zoomtui", "render", *FIELDS.words(counted)]
    if not prompt:
        return words
    # The prompt may look like an option, and so stands behind the end of all options.
    return [*words, "--", prompt] if prompt.startswith("-") else [*words[:2], prompt, *words[2:]]


def path(texts: Texts, key: str) -> Path | None:
    """What one of ``SOURCES`` names; None: left open."""
    text = FIELDS.filled(texts).get(key)
    return Path(text) if text else None


def film_preset(texts: Texts) -> str:
    """The film preset that the fields are now; empty: none of them."""
    for name, values in FILM_PRESETS.items():
        if all(texts.get(key, "") == value for key, value in values.items()):
            return name
    return ""


def painter_of(texts: Texts) -> str:
    """The painter that the fields come to; diffusion as long as that is open."""
    from renderer.planning.painter_choice import usual_painter

    usual = usual_painter(texts.get("prompt", ""), texts.get("model", "").strip())
    return texts.get("painter", "").strip() or (usual[0] if usual else "diffusion")


def unused_by(painter: str) -> tuple[str, ...]:
    """Fields that the painter makes no use of; a prompt names the project all the same."""
    return tuple(key for key in FIELDS if key != "prompt" and not _ALL[key].concerns(painter))


def relevant(texts: Texts) -> dict[str, str]:
    """The fields that count: those that the painter makes use of."""
    unused = unused_by(painter_of(texts))
    return {key: text for key, text in texts.items() if key not in unused}


def defaults(settings: RenderSettings, folder: Path) -> dict[str, str]:
    """What an empty field stands for, by key, as it could be typed."""
    codec = resolve(settings.codec)
    seconds = float(settings.frames_per_keyframe / settings.fps)
    texts = {
        name: as_typed(option, getattr(settings, name))
        for name, option in OPTIONS.items()
        if option.row and name not in _LEFT_EMPTY
    }
    return {
        **texts,
        "scheduler": settings.scheduler or "the model's own",
        "keyframes": "inf: until stopped",
        "seconds_per_keyframe": f"{seconds:.4g}",
        "crf": str(codec.crf),
        "preset": codec.preset,
        "image": "painted",
        "exemplar": "the first picture" if settings.painter == "texture" else "none",
        "prompts": "none",
        "out": folder.name,
    }


def check(texts: Texts) -> Draft:
    """What the fields come to. Raises FieldError at the field that is to blame."""
    from renderer.film.encoder_options import encoder_options
    from renderer.painting.painters import check_name
    from renderer.planning.defaults import fill_in

    given, later, places = _planned(texts, wishes(texts))
    try:
        if "painter" in given:
            check_name(given["painter"])
        plan = fill_in(given)
        encoder_options(plan.settings)
    except (SettingsError, PainterError) as error:
        raise complaint(error, texts) from None
    pictures = path(texts, "image"), path(texts, "exemplar")
    return Draft(plan.settings, plan.notes, *pictures, later, places)


def _planned(texts: Texts, given: dict[str, Any]) -> tuple[dict[str, Any], Changes, Places]:
    """The wishes with the plan's first prompt, its later ones, and its pictures."""
    file = path(texts, "prompts")
    if file is None:
        return given, (), ()
    if _endless(file):
        raise FieldError("prompts", f"plan {file} can't be read as you type: it is no plain file")
    try:
        return with_plan(file, given)
    except SettingsError as error:
        raise FieldError("prompts", str(error)) from None


def _endless(file: Path) -> bool:
    """A pipe or a device: its reader may wait for ever."""
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):  # the reader says why
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def complaint(error: Exception, texts: Texts) -> FieldError:
    """The error at the field that it blames, if there is one."""
    blamed = getattr(error, "field", "")
    key = _SAID_IN.get(blamed, blamed)
    if key == "keyframe_size" and key not in FIELDS.filled(texts):
        key = "size"  # that is what it follows from
    if key == blamed:
        return FIELDS.complaint(error)
    return FieldError(key if key in FIELDS else "", str(error))
