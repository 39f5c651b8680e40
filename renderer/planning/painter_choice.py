"""Which painter and which model make a film, and the settings that suit them.

Settled where the user left it open, and settled anew where they change. Loads no model: what
depends on one comes from the table of presets, for another one from the preset of the same kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from renderer.errors import PainterError, SettingsError
from renderer.files import is_file, is_folder, is_there, user_path
from renderer.painting.geometry import Geometry
from renderer.painting.painters.accelerator import accelerator
from renderer.painting.painters.diffusion.families.index import INDEX, read_family
from renderer.planning.join_options import NOTHING_ANEW, SUGGESTED
from renderer.planning.sizes import upscale_of
from renderer.settings import cosmos
from renderer.settings.plain_values import dimensions
from renderer.settings.presets import CHECKPOINT, DEFAULT, FewSteps, ModelPreset, find_preset
from renderer.settings.render import OPTIONS, RenderSettings

DIVING = 0.4
"""Strength with which a dive paints detail, where the user names none."""
PAINTING = ("steps", "guidance_scale", "strength", "scheduler")
"""Settings that a model's preset suggests."""
_OPEN = (
    "no GPU here, so say what paints this: --model cosmos (seconds a keyframe, but only skies), "
    "--model sd2 (anything, in minutes a keyframe on the CPU) or --painter texture --image FILE "
    "(grows from a picture of yours, and follows no prompt)"
)
_UNKNOWN = (
    f"of which kind {{model}} is shows only when it is loaded, so it gets the settings of {DEFAULT}"
)


def choose_painter(given: dict[str, Any], notes: list[str]) -> ModelPreset | None:
    """Settle painter and model; returns the model's preset, None for painters without a model.

    Raises SettingsError, and PainterError for what lies here and is no model that can paint.
    """
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
        like = _choose_model(given, upscale_of(given))
        try:
            if find_like(given["model"]) is None:
                notes.append(_UNKNOWN.format(model=given["model"]))
        except PainterError as error:
            raise PainterError(str(error), "model") from None
        return like
    if not chosen:
        notes.append("no GPU here and no prompt, so the texture painter is used")
    if given["painter"] == "texture":
        notes += texture_notes(given, chosen=chosen)
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


def texture_notes(given: Mapping[str, Any], *, chosen: bool = True) -> list[str]:
    """What the user should know of wishes that have no effect with the texture painter."""
    unused = [key.replace("_", " ") for key in _unused(given, chosen=chosen)]
    return [f"the texture painter has no model; it ignores {_list(unused)}"] if unused else []


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
    folder = user_path(given["model"])
    if preset is None and is_there(folder):
        given["model"] = str(folder.resolve())  # a project may be resumed from elsewhere
    return like


def preset_like(model: str) -> ModelPreset:
    """The preset whose settings suit a model: as ``find_like``, or the default."""
    like = None
    with suppress(PainterError):  # the error comes when it is loaded
        like = find_like(model)
    like = like or find_preset(DEFAULT)
    assert like is not None
    return like


def find_like(model: str) -> ModelPreset | None:
    """A model's own preset, or that of its kind; None: that shows only when it is loaded.

    Raises PainterError for what lies here and is no model that can paint.
    """
    if preset := find_preset(model):
        return preset
    from renderer.painting.painters.diffusion.checkpoint import find_base_preset
    from renderer.painting.painters.diffusion.hub import cached_index

    path = user_path(model)
    if path.suffix == CHECKPOINT and is_file(path):
        return find_preset(find_base_preset(path))
    index = path / INDEX if is_folder(path) else cached_index(model)
    return None if index is None else find_preset(read_family(index, model).base_preset)


def change_model(now: RenderSettings, given: dict[str, Any]) -> None:
    """Add what suits another model, or a change to or from ``--speed fast``; else nothing.

    Raises SettingsError for a model that can't paint canvases of the film's sizes.
    """
    before = find_preset(now.model)
    distilled = before.few_steps.lora if before and before.few_steps else None
    fast = given.get("speed", now.speed) == "fast"
    if not {"painter", "model"} & given.keys():  # only its speed may change
        if "speed" not in given or distilled is None or fast == (distilled in now.loras):
            return
        if fast and "steps" in given:  # no LoRA comes
            return
        refines = given.get("method", now.method) == "refine"
        for name in (*SUGGESTED, *["strength"] * refines):
            given.setdefault(name, getattr(now, name))
    ours = now.model if now.painter == "diffusion" else ""  # else it is meant for another painter
    given.setdefault("model", ours or DEFAULT)
    given.setdefault("device", now.device)
    if distilled in now.loras:
        given.setdefault("loras", tuple(lora for lora in now.loras if lora != distilled))
    if fast:
        given["speed"] = "fast"
        given.setdefault("loras", now.loras)
    given.setdefault("size_multiple", now.size_multiple)
    like = _choose_model(given, now.upscale)
    _check_sizes(now.changed(given), like.multiple)


def _check_sizes(settings: RenderSettings, multiple: int) -> None:
    """Raise SettingsError where the film's canvases are not of sizes that the model can paint."""
    step = multiple * settings.upscale
    for call in Geometry.of(settings).calls(settings.method, settings.tile):
        if any(min(side, settings.tile or side) % step for side in call.canvas_size):
            raise SettingsError(
                f"{settings.model} paints in multiples of {step}, and this film's canvas "
                f"{dimensions(call.canvas_size)} is not; choose another model, or start a new "
                "project",
                "model",
            )


def change_method(now: RenderSettings, given: dict[str, Any]) -> None:
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


def _list(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
