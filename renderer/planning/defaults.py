"""From a few wishes to complete RenderSettings: fills in what the user left open.

Loads no model and reads no picture: what depends on a model comes from the table of presets, for a
folder from the preset of the same kind.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from renderer.errors import PainterError, SettingsError, blaming
from renderer.machine import cores
from renderer.painting.geometry import zoom_factor_from_pixels
from renderer.painting.painters.accelerator import accelerator
from renderer.painting.painters.diffusion.families.index import INDEX, read_family
from renderer.planning.join_options import (
    NOTHING_ANEW,
    SUGGESTED,
    check_joining,
    joining_notes,
)
from renderer.planning.sizes import choose_sizes, size_notes, upscale_of
from renderer.planning.upscaling import check_upscaling
from renderer.settings import cosmos
from renderer.settings.film import BESIDES
from renderer.settings.lora_names import check_lora, resolved
from renderer.settings.plain_values import parse_rate
from renderer.settings.presets import (
    DEFAULT,
    EXPERIMENTAL,
    FewSteps,
    ModelPreset,
    check_method,
    check_model,
    find_preset,
)
from renderer.settings.render import OPTIONS, RenderSettings
from renderer.settings.samplers import find_sampler
from renderer.settings.speed_levels import LEVELS

SECONDS_PER_KEYFRAME = 2.0
_THREADS = 8
"""At most so many encoder threads by default; more cost quality and memory for little speed."""

_MOST = {"keyframes": 1_000_000, "frames_per_keyframe": 1_000_000}
"""More is a slip of the finger: weeks of film, or hours in which nothing new comes."""

DIVING, DIVING_FACTOR = 0.4, 2.0
"""Strength with which a dive paints detail, where the user names none, and its zoom factor: with a
smaller one each keyframe has little room for what is new, and the dive loses itself in a blur."""
_FAINT, _FREE = 0.15, 0.75
"""Strengths of a dive below which there is hardly any detail, and above which it is another
picture's."""

PAINTING = ("steps", "guidance_scale", "strength", "scheduler")
"""Settings that a model's preset suggests."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings, and what was decided on the way that the user should know."""

    settings: RenderSettings
    notes: tuple[str, ...]


def fill_in(wishes: Mapping[str, Any]) -> Plan:
    """Complete settings out of ``wishes``: plain values by RenderSettings' names.

    Besides those: ``outpaint_size`` (pixels) instead of ``zoom_factor``, and
    ``seconds_per_keyframe`` instead of ``frames_per_keyframe``. Raises SettingsError.
    """
    given = _given(wishes)
    outpaint_size = given.pop("outpaint_size", None)
    seconds = given.pop("seconds_per_keyframe", None)
    notes: list[str] = []
    if given.get("method") == "refine":
        given.setdefault("direction", "in")
        if outpaint_size is None:
            given.setdefault("zoom_factor", DIVING_FACTOR)
    preset = _choose_painter(given, notes)
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
    if preset is not None and preset.experimental:
        notes.append(f"{preset.name} is {EXPERIMENTAL}")
    notes += [*_speed_notes(settings), *_dive_notes(settings)]
    return Plan(settings, (*notes, *joining_notes(settings), *size_notes(settings)))


def changes(now: RenderSettings, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What ``wishes`` would change in ``now``, as plain values; for steering a project.

    The same names as in ``fill_in``. Another model brings its preset's suggestions along. Raises
    SettingsError for what can't be used; the project itself refuses what contradicts its film.
    """
    given = _given(wishes)
    outpaint_size = given.pop("outpaint_size", None)
    seconds = given.pop("seconds_per_keyframe", None)
    if outpaint_size is not None:
        given["zoom_factor"] = zoom_factor_from_pixels(outpaint_size, now.keyframe_size)
    if seconds is not None:
        given["frames_per_keyframe"] = _frames(now.changed(given), seconds)
    if given.get("painter", now.painter) == "diffusion":
        _change_method(now, given)
        _change_model(now, given)
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


def _given(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The wishes that have a value. Raises SettingsError for what is wrong in any case."""
    given = {key: value for key, value in wishes.items() if value is not None}
    for one, option in BESIDES.items():
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
        given["upscaler"] = str(Path(given["upscaler"]).expanduser().resolve())
    if "fps" in given:
        given["fps"] = str(parse_rate(str(given["fps"])))
    return given


def _choose_painter(given: dict[str, Any], notes: list[str]) -> ModelPreset | None:
    """Settle painter and model; returns the model's preset, None for painters without a model."""
    chosen = "painter" in given
    if not chosen:
        usual = usual_painter(given.get("prompt", ""), given.get("model"))
        if usual is None:
            raise SettingsError(_OPEN, "painter")
        given["painter"], model = usual
        if model == cosmos.NAME and "model" not in given:
            notes.append("no GPU here, so cosmos paints this sky, in seconds a keyframe")
        if model:
            given["model"] = model
    if given["painter"] == "diffusion":
        return _choose_model(given, upscale_of(given))
    if not chosen:
        notes.append("no GPU here and no prompt, so the texture painter is used")
    if given["painter"] == "texture":
        if unused := _unused(given, chosen=chosen):
            words = _list([_words(key) for key in unused])
            notes.append(f"the texture painter has no model; it ignores {words}")
        given.update(NOTHING_ANEW)
    return None


def usual_painter(prompt: str, model: str | None) -> tuple[str, str] | None:
    """The painter, and the model ("": none, or the default), where the user names no painter.

    None: without a GPU that is the user's to say, for a prompt about anything but the sky.
    """
    if model or accelerator():
        return "diffusion", model or ""
    if not prompt.strip():
        return "texture", ""
    if cosmos.is_of_the_sky(prompt) and find_preset(cosmos.NAME):
        return "diffusion", cosmos.NAME
    return None


_OPEN = (
    "no GPU here, so say what paints this: --model cosmos (seconds a keyframe, but only skies), "
    "--model sd2 (anything, in minutes a keyframe on the CPU) or --painter texture --image FILE "
    "(grows from a picture of yours, and follows no prompt)"
)


def _unused(given: Mapping[str, Any], *, chosen: bool) -> list[str]:
    """What was wished for and has no effect with the texture painter.

    Where the painter was not ``chosen`` but follows from the lack of an accelerator, a prompt does
    not count as one.
    """
    usual = RenderSettings().plain()
    return [
        name
        for name, option in OPTIONS.items()
        if name in given
        and not option.concerns("texture")
        and (given[name] != usual[name] or name in PAINTING)
        and (chosen or name != "prompt")
    ]


def _choose_model(given: dict[str, Any], upscale: int) -> ModelPreset:
    """Settle the model and what suits it; what is measured in its pixels grows with them."""
    preset = find_preset(given.setdefault("model", DEFAULT))
    like = preset_like(given["model"])
    if method := given.get("method"):
        given.setdefault("tile", _tile(like, method, upscale))
        if method == "refine":
            given.setdefault("strength", DIVING)
    if given.get("speed") == "fast" and preset is not None and preset.few_steps is not None:
        _choose_few_steps(given, preset.few_steps)
    for name in PAINTING:
        given.setdefault(
            name, "" if preset is None and name == "scheduler" else getattr(like, name)
        )
    for name in SUGGESTED:
        given.setdefault(name, getattr(like, name) * upscale)
    if accelerator():
        given.setdefault("device", "gpu")  # it won't go on on the CPU without a word
    given.setdefault("size_multiple", like.multiple)
    folder = Path(given["model"]).expanduser()
    if preset is None and folder.exists():
        given["model"] = str(folder.resolve())  # a project may be resumed from elsewhere
    return like


def preset_like(model: str) -> ModelPreset:
    """The preset whose settings suit a model: its own, else by its folder, or the default."""
    folder = Path(model).expanduser()
    like = find_preset(model)
    if like is None and folder.is_dir():
        with suppress(PainterError):  # the error comes when it is loaded
            like = find_preset(read_family(folder / INDEX, model).base_preset)
    like = like or find_preset(DEFAULT)
    assert like is not None
    return like


def _change_model(now: RenderSettings, given: dict[str, Any]) -> None:
    """Add what suits another model, or a change to or from ``--speed fast``; else nothing."""
    before = find_preset(now.model)
    distilled = before.few_steps.lora if before and before.few_steps else None
    fast = given.get("speed", now.speed) == "fast"
    if not {"painter", "model"} & given.keys() and (
        "speed" not in given or fast == (distilled in now.loras)
    ):
        return
    ours = now.model if now.painter == "diffusion" else ""  # else it is meant for another painter
    if given.get("method", now.method) == "refine" and not {"painter", "model"} & given.keys():
        given.setdefault("strength", now.strength)  # only its speed changes
    given.setdefault("model", ours or DEFAULT)
    given.setdefault("device", now.device)
    if distilled in now.loras:
        given.setdefault("loras", tuple(lora for lora in now.loras if lora != distilled))
    if fast:
        given["speed"] = "fast"
        given.setdefault("loras", now.loras)
    _choose_model(given, now.upscale)


def _change_method(now: RenderSettings, given: dict[str, Any]) -> None:
    """Add what suits a method, where that changes, or where another model paints by it."""
    before, method = now.method, given.get("method", now.method)
    if method == before and (method == "direct" or not {"painter", "model"} & given.keys()):
        return
    like = preset_like(given.get("model", now.model))
    given.setdefault("tile", _tile(like, method, now.upscale))
    if "refine" in (before, method):
        given.setdefault("strength", DIVING if method == "refine" else like.strength)


def _tile(like: ModelPreset, method: str, upscale: int) -> int:
    """What a model sees at a time: all that it does well in a dive, as trained on in sequence."""
    return {"refine": like.canvas, "sequential": like.native * upscale}.get(method, 0)


def _choose_few_steps(given: dict[str, Any], few: FewSteps) -> None:
    """Settle what a distilled LoRA needs, unless the user has said how many steps to take."""
    if "steps" in given:
        return
    given["loras"] = (few.lora, *given.get("loras", ()))
    for name in PAINTING:
        given.setdefault(name, getattr(few, name))


def _frames(settings: RenderSettings, seconds: float) -> int:
    if not math.isfinite(seconds) or seconds <= 0:
        raise SettingsError(
            f"seconds per keyframe must be above 0, not {seconds:g}", "seconds_per_keyframe"
        )
    return max(1, round(seconds * settings.fps))


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


def _list(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
