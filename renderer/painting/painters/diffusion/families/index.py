"""The contents of ``model_index.json``: which pipeline a folder holds, and which parts.

Knows neither torch nor where the folder came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.families.family import Companion, Family
from renderer.painting.painters.diffusion.families.flux import FLUX_FILL, KLEIN
from renderer.painting.painters.diffusion.families.kandinsky import KANDINSKY, PRIOR
from renderer.painting.painters.diffusion.families.promax import PROMAX, PROMAX_CONTROLNET
from renderer.painting.painters.diffusion.families.qwen import CONTROLNET, QWEN
from renderer.painting.painters.diffusion.families.stable_diffusion import SD, SDXL
from renderer.painting.painters.diffusion.families.upscaler import SD_X4
from renderer.painting.painters.diffusion.families.zimage import Z_IMAGE, Z_IMAGE_CONTROLNET
from renderer.settings.presets import PRESETS

INDEX = "model_index.json"
_LONGEST = 1 << 20
"""Bytes of it that are read."""
_LIBRARIES = ("diffusers", "transformers")
"""Where the classes of parts may come from: importing anything else could run anything."""


def _without(family: Family, companion: Companion) -> Family:
    """The family as it is published: without the parts that the companion brings."""
    models = tuple(part for part in family.models if not part.startswith(companion.part))
    return replace(family, models=models, companion=companion)


_Z_IMAGE_ALONE = _without(Z_IMAGE, Z_IMAGE_CONTROLNET)
FAMILIES: Mapping[str, Family] = {
    **{family.class_name: family for family in (SD, SDXL, SD_X4, FLUX_FILL, KLEIN, Z_IMAGE, QWEN)},
    PROMAX.class_name: PROMAX,
    # The same weights paint with a mask and without, and are published as the latter.
    "Flux2KleinInpaintPipeline": KLEIN,
    **dict.fromkeys(("ZImagePipeline", "ZImageInpaintPipeline"), _Z_IMAGE_ALONE),
    "QwenImagePipeline": _without(QWEN, CONTROLNET),
    "StableDiffusionXLPipeline": _without(PROMAX, PROMAX_CONTROLNET),
    KANDINSKY.class_name: KANDINSKY,
    "KandinskyV22InpaintPipeline": _without(KANDINSKY, PRIOR),
}
"""Class that a folder names → how it is loaded and called."""


def read_family(index: Path, model: str) -> Family:
    """The family of the pipeline whose ``model_index.json`` is ``index``.

    ``model`` is how the user named it, for messages. Raises PainterError if the file is missing or
    damaged, or names a pipeline that this painter does not call.
    """
    name = _read(index, model).get("_class_name")
    if not isinstance(name, str):
        raise PainterError(f"{index} does not say which pipeline it is (no _class_name)")
    family = FAMILIES.get(name)
    if family is None:
        raise PainterError(f"{model} is {_kind(name)} ({name}); {_instead(name)}")
    return family


def read_parts(index: Path, options: Mapping[str, Any], model: str) -> list[str]:
    """The sub-folders that are loaded: every part of the pipeline that ``options`` leave on.

    Raises PainterError for a part that would be imported from anywhere but diffusers and
    transformers, or lies outside the folder.
    """
    parts = [
        (name, value)
        for name, value in _read(index, model).items()
        if isinstance(value, list) and value[:1] != [None] and name not in options
    ]
    for name, value in parts:
        library, *kind = (str(word) for word in value)
        if not name.isidentifier() or library not in _LIBRARIES or not "".join(kind).isidentifier():
            raise PainterError(
                f"{index} names {'.'.join([library, *kind])[:80]!r} for its part {name[:40]!r}, "
                f"which is no part of diffusers or transformers; it is not loaded"
            )
    return [name for name, _ in parts]


def _read(index: Path, model: str) -> dict[str, Any]:
    try:
        with index.open("rb") as file:
            values = json.loads(file.read(_LONGEST))
    except FileNotFoundError:
        raise PainterError(
            f"{model} is no diffusers pipeline: it has no {INDEX}; "
            "give the folder that save_pretrained wrote"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise PainterError(f"{index} can't be read: {error}") from error
    if not isinstance(values, dict):
        raise PainterError(f"{index} can't be read: it holds no table")
    return values


def _is_inpainting(name: str) -> bool:
    return "Inpaint" in name or "Fill" in name


def _kind(name: str) -> str:
    """What a pipeline class is for, as far as its name tells."""
    if _is_inpainting(name):
        return "an inpainting model of a kind that is not supported yet"
    for part, kind in (
        ("Img2Img", "an image-to-image model"),
        ("Upscale", "an upscaler"),
        ("Video", "a video model"),
        ("Audio", "an audio model"),
        ("Edit", "an image-editing model"),
        ("Kontext", "an image-editing model"),
        ("Pix2Pix", "an image-editing model"),
    ):
        if part in name:
            return kind
    return "a text-to-image model"


_NEAREST = (
    ("StableDiffusionPipeline", "sd15"),
    ("XL", "sdxl"),
    ("Flux2", "klein"),
    ("Flux", "flux-fill"),
    ("Qwen", "qwen"),
    ("ZImage", "z-image-turbo"),
    ("Kandinsky", "kandinsky"),
)
"""A piece of a class's name → the preset that is nearest to it."""


def _instead(name: str) -> str:
    if _is_inpainting(name):
        return "use one of the models " + ", ".join(preset.name for preset in PRESETS)
    nearest = next((preset for piece, preset in _NEAREST if piece in name), "sd2")
    return f"an inpainting one is needed, e.g. the model {nearest}"
