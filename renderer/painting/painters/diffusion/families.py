"""How each kind of pipeline is loaded and called: our own map, by the class that its folder names.

diffusers has no such map that covers all inpainting pipelines and no common signature for them.
Knows the contents of ``model_index.json``; knows neither torch nor where the folder came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.errors import PainterError

INDEX = "model_index.json"
PIXELS_PER_CELL = 8
"""Side of the square of pixels behind one latent, px: every VAE here halves three times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One pipeline class: its parts, and the names of its arguments."""

    class_name: str
    models: tuple[str, ...]
    """Sub-folders that hold weights; every one is needed."""
    embeddings: tuple[str, ...]
    """What ``encode_prompt`` returns, in order, by the names that ``__call__`` takes it under."""
    options: Mapping[str, Any]
    """Given to ``from_pretrained``: what is switched off."""
    prefers_bfloat16: bool
    """Its VAE overflows float16."""
    halved: tuple[str, ...]
    """Tensors of a call whose first half stands for the negative prompt."""
    multiple: int = PIXELS_PER_CELL
    """Sides of a canvas are multiples of this, px."""


_SD = Family(
    class_name="StableDiffusionInpaintPipeline",
    models=("unet", "vae", "text_encoder"),
    embeddings=("prompt_embeds", "negative_prompt_embeds"),
    options={
        "safety_checker": None,
        "feature_extractor": None,
        "image_encoder": None,
        "requires_safety_checker": False,
    },
    prefers_bfloat16=False,
    halved=("prompt_embeds", "mask", "masked_image_latents"),
)
_SDXL = Family(
    class_name="StableDiffusionXLInpaintPipeline",
    models=("unet", "vae", "text_encoder", "text_encoder_2"),
    embeddings=(
        "prompt_embeds",
        "negative_prompt_embeds",
        "pooled_prompt_embeds",
        "negative_pooled_prompt_embeds",
    ),
    options={"add_watermarker": False, "feature_extractor": None, "image_encoder": None},
    prefers_bfloat16=True,
    halved=(
        "prompt_embeds",
        "mask",
        "masked_image_latents",
        "add_text_embeds",
        "add_time_ids",
    ),
)
FAMILIES: Mapping[str, Family] = {family.class_name: family for family in (_SD, _SDXL)}


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


def read_parts(index: Path, family: Family, model: str) -> list[str]:
    """The sub-folders that are loaded: every part of the pipeline that is not switched off."""
    return [
        name
        for name, value in _read(index, model).items()
        if isinstance(value, list) and value[:1] != [None] and name not in family.options
    ]


def _read(index: Path, model: str) -> dict[str, Any]:
    try:
        values = json.loads(index.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PainterError(
            f"{model} is no diffusers pipeline: it has no {INDEX}; "
            "give the folder that save_pretrained wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise PainterError(f"{index} can't be read: {error}") from error
    if not isinstance(values, dict):
        raise PainterError(f"{index} can't be read: it holds no table")
    return values


def _kind(name: str) -> str:
    """What a pipeline class is for, as far as its name tells."""
    if "Inpaint" in name or "Fill" in name:
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


def _instead(name: str) -> str:
    if "Inpaint" in name or "Fill" in name:
        return "use one of: " + ", ".join(FAMILIES) + ", e.g. the model sd2"
    nearest = "sdxl" if "XL" in name else "sd15" if name == "StableDiffusionPipeline" else "sd2"
    return f"an inpainting one is needed, e.g. the model {nearest}"
