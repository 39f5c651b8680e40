"""From a few wishes to complete RenderSettings: fills in what the user left open.

Loads no model and reads no picture.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from renderer.errors import SettingsError, blaming
from renderer.files import full_path
from renderer.machine import cores
from renderer.painting.geometry import zoom_factor_from_pixels
from renderer.planning.join_options import NOTHING_ANEW, check_joining, joining_notes
from renderer.planning.painter_choice import (
    DIVING,
    change_method,
    change_model,
    choose_painter,
    preset_like,
)
from renderer.planning.sizes import choose_sizes, size_notes
from renderer.planning.upscaling import check_upscaling
from renderer.settings.film import ALL, BESIDES
from renderer.settings.lora_names import check_lora, resolved
from renderer.settings.presets import EXPERIMENTAL, check_method, check_model, find_preset
from renderer.settings.render import OPTIONS, RenderSettings, typed
from renderer.settings.samplers import find_sampler
from renderer.settings.speed_levels import LEVELS

SECONDS_PER_KEYFRAME = 2.0
_THREADS = 8
"""At most so many encoder threads by default; more cost quality and memory for little speed."""

_MOST = {"keyframes": 1_000_000, "frames_per_keyframe": 1_000_000}
"""More is a slip of the finger: weeks of film, or hours in which nothing new comes."""

_DIVING_FACTOR = 2.0
"""Zoom factor of a dive, where the user names none: with a smaller one each keyframe has little
room for what is new, and the dive loses itself in a blur."""
_FAINT, _FREE = 0.15, 0.75
"""Strengths of a dive below which there is hardly any detail, and above which it is another
picture's."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings, and what was decided on the way that the user should know."""

    settings: RenderSettings
    notes: tuple[str, ...]


def fill_in(wishes: Mapping[str, Any]) -> Plan:
    """Complete settings out of ``wishes``: plain values by RenderSettings' names.

    Besides those: ``outpaint_size`` (pixels) instead of ``zoom_factor``, and
    ``seconds_per_keyframe`` instead of ``frames_per_keyframe``. Raises SettingsError, and
    PainterError for a model on this disk that can't paint.
    """
    given = given_in(wishes)
    outpaint_size = given.pop("outpaint_size", None)
    seconds = given.pop("seconds_per_keyframe", None)
    notes: list[str] = []
    if given.get("method") == "refine":
        given.setdefault("direction", "in")
        if outpaint_size is None:
            given.setdefault("zoom_factor", _DIVING_FACTOR)
    preset = choose_painter(given, notes)
    if preset is not None and given.get("method") == "refine":
        given["prompt"] = given.get("prompt", "").strip() or preset.dive_prompt
    choose_sizes(given, preset, outpaint_size)
    given.setdefault("seed", secrets.randbelow(2**32))
    given.setdefault("threads", min(cores(), _THREADS))
    settings = RenderSettings().changed(given)
    if "frames_per_keyframe" not in given:
        frames = _frames(settings, SECONDS_PER_KEYFRAME if seconds is None else seconds)
        settings = settings.changed({"frames_per_keyframe": frames})
    check(settings)
    if settings.other_way and settings.keyframes_kept != ALL:
        raise SettingsError(
            f"keyframes_kept {settings.keyframes_kept} does not go with direction "
            f"{settings.direction}: that film is made at the end, of all pictures; leave one of "
            f"the two out",
            "keyframes_kept",
        )
    if preset is not None and preset.experimental:
        notes.append(f"{preset.name} is {EXPERIMENTAL}")
    notes += [*_speed_notes(settings), *_dive_notes(settings)]
    return Plan(settings, (*notes, *joining_notes(settings), *size_notes(settings)))


def changes(now: RenderSettings, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What ``wishes`` would change in ``now``, as plain values; for steering a project.

    The same names as in ``fill_in``. Another model brings its preset's suggestions along. Raises
    SettingsError for what can't be used; the project itself refuses what contradicts its film.
    """
    given = given_in(wishes)
    outpaint_size = given.pop("outpaint_size", None)
    seconds = given.pop("seconds_per_keyframe", None)
    if outpaint_size is not None:
        given["zoom_factor"] = zoom_factor_from_pixels(outpaint_size, now.keyframe_size)
    if seconds is not None:
        given["frames_per_keyframe"] = _frames(now.changed(given), seconds)
    if given.get("painter", now.painter) == "diffusion":
        change_method(now, given)
        change_model(now, given)
    elif given.get("painter") == "texture":
        given = {**NOTHING_ANEW, **given}
    check(now.changed(given))
    return given


def check(settings: RenderSettings) -> None:
    """Check what only this module and the tables of models and samplers know. SettingsError."""
    for name, most in _MOST.items():
        if (getattr(settings, name) or 0) > most:
            raise SettingsError(f"{_words(name)} must be at most {most}", name)
    check_joining(settings)
    check_upscaling(settings)
    if settings.painter != "diffusion":
        return
    with blaming("model"):
        check_model(settings.model)
    check_method(preset_like(settings.model), settings.method, settings.model)
    if settings.quantise == "yes" and find_spec("torchao") is None:
        raise SettingsError("quantise needs torchao: pip install 'zoomtui[quantise]'", "quantise")
    for lora in settings.loras:
        check_lora(lora)
    if settings.scheduler:
        find_sampler(settings.scheduler)
    if not settings.prompt.strip():
        raise SettingsError(
            "the diffusion painter needs a prompt: zoomtui render 'a coral reef, oil painting'",
            "prompt",
        )


def given_in(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The wishes that have a value. Raises SettingsError for what is wrong in any case."""
    given = {key: value for key, value in wishes.items() if value is not None}
    values = typed(given, {**OPTIONS, **BESIDES})
    given |= {one: values[one] for one in BESIDES.keys() & given.keys()}
    for one, option in BESIDES.items():
        if one in given and option.check and (complaint := option.check(one, given[one])):
            raise SettingsError(complaint, one)
        other = option.instead_of
        if one in given and other in given:
            raise SettingsError(
                f"{_words(one)} and {_words(other)} say the same thing; give only one of them", one
            )
    if "model" in given and preset_like(given["model"]).dives_only:
        given.setdefault("method", "refine")
    if "loras" in given:
        given["loras"] = tuple(resolved(text) for text in given["loras"])
    if given.get("upscaler"):
        given["upscaler"] = full_path(given["upscaler"])
    return given


def _frames(settings: RenderSettings, seconds: float) -> int:
    return max(1, round(min(seconds * settings.fps, 2 * _MOST["frames_per_keyframe"])))


def _speed_notes(settings: RenderSettings) -> list[str]:
    preset = find_preset(settings.model)
    if settings.painter != "diffusion" or settings.speed != "fast" or (preset and settings.loras):
        return []
    like = preset_like(settings.model)
    every = LEVELS["fast"].whole_every(settings.steps)
    if not like.unet or every == 1:
        does = "does what balanced does"
    else:
        does = f"runs its UNet's inner blocks at one step in {every} only (DeepCache)"
    return [f"no LoRA for few steps is used with {settings.model}, so --speed fast {does}"]


def _dive_notes(settings: RenderSettings) -> list[str]:
    if settings.method != "refine" or settings.painter != "diffusion":
        return []
    if settings.strength < _FAINT:
        return [f"at strength {settings.strength:g} a dive gets hardly any new detail"]
    if settings.strength > _FREE:
        return [
            f"at strength {settings.strength:g} a dive paints detail that has little to do with "
            f"what it dives into; {DIVING:g} is usual"
        ]
    return []


def _words(key: str) -> str:
    return key.replace("_", " ")
