"""The models that ship as presets, and how a user's ``--model`` is read. Light: no torch, no hub.

Figures are of the half-precision weights. A preset pins the revision that was looked at, so that a
changed repository can't change a film; where none was, it follows the repository's ``main``, and a
film stays with what was downloaded first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from renderer.errors import SettingsError
from renderer.settings import cosmos
from renderer.settings.option import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class FewSteps:
    """A distilled LoRA for a model, and the settings that it was made for."""

    lora: str
    """``owner/name/file.safetensors`` on the hub."""
    steps: int
    guidance_scale: float
    scheduler: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPreset:
    """An inpainting model, with settings that suit it."""

    name: str
    """Short name for the command line."""
    repo: str
    """Id on the Hugging Face hub; empty for one that is part of this package."""
    revision: str
    """Commit of that repository, 40 hex digits; ``main`` where none was looked at."""
    licence: str
    weights: str
    """Size of the download."""
    vram: str
    """Memory of the GPU that painting takes."""
    native: int
    """Side of the square pictures that it was trained on, px."""
    canvas: int
    """Longest side of a canvas at which it still paints well, px."""
    multiple: int = 8
    """Canvas sides must be multiples of this, px."""
    steps: int = 25
    guidance_scale: float = 7.5
    strength: float = 1.0
    scheduler: str = ""
    """A name from ``samplers.py``; empty: the model's own."""
    overmask: int = 8
    """A cell of its latents, px: what it paints in the first one is mixed with the grey of the
    mask, so that cell had better lie inside, where the picture is put back."""
    feather: int = 48
    """A sixteenth of its canvas, px."""
    aliases: tuple[str, ...] = ()
    """Other names, and ids that the same weights have or had on the hub."""
    note: str = ""
    unet: bool = False
    """Its denoiser is a UNet, of which ``--speed fast`` can leave out the inner blocks."""
    few_steps: FewSteps | None = None
    """What ``--speed fast`` takes; None: none is known."""
    gated: bool = False
    """Its licence must be accepted on the hub before it can be downloaded."""
    on_cpu: bool = False
    """Made for machines without a GPU: paints in seconds there."""
    tried: bool = True
    """Its repository was looked at; else its figures are those that its makers give."""
    folder: Path | None = None
    """Where it lies, for one that is part of this package."""


def _packaged() -> tuple[ModelPreset, ...]:
    """Our own model, if this package has its weights."""
    card = cosmos.read_card()
    if card is None:
        return ()
    return (
        ModelPreset(
            name=cosmos.NAME,
            repo="",
            revision="",
            licence=card.licence,
            weights=f"{card.size / 1e6:.0f} MB",
            vram="about 1 GB",
            native=512,
            canvas=768,
            steps=card.steps,
            guidance_scale=card.guidance_scale,
            note="nebulae and stars; small, made for CPUs",
            unet=True,
            on_cpu=True,
            folder=cosmos.FOLDER,
        ),
    )


PRESETS = (
    ModelPreset(
        name="sd2",
        repo="sd2-community/stable-diffusion-2-inpainting",
        revision="5f74973cbb64c8568780732c17f43eb269d63a0d",
        licence="CreativeML Open RAIL++-M",
        weights="2.6 GB",
        vram="about 4 GB",
        native=512,
        canvas=768,
        scheduler="dpm++",
        aliases=(
            "sd-2",
            "stable-diffusion-2-inpainting",
            "stabilityai/stable-diffusion-2-inpainting",
        ),
        note="Stable Diffusion 2 inpainting, from a mirror: the original has left the hub",
        unet=True,
        few_steps=FewSteps(
            lora="h1t/TCD-SD21-base-LoRA/pytorch_lora_weights.safetensors",
            steps=8,
            guidance_scale=0.0,
            scheduler="tcd",
        ),
    ),
    ModelPreset(
        name="sd15",
        repo="stable-diffusion-v1-5/stable-diffusion-inpainting",
        revision="8a4288a76071f7280aedbdb3253bdb9e9d5d84bb",
        licence="CreativeML Open RAIL-M",
        weights="2.1 GB",
        vram="about 3 GB",
        native=512,
        canvas=768,
        scheduler="dpm++",
        aliases=(
            "sd1.5",
            "sd-1.5",
            "stable-diffusion-inpainting",
            "runwayml/stable-diffusion-inpainting",
        ),
        note="Stable Diffusion 1.5 inpainting, the lightest",
        unet=True,
        few_steps=FewSteps(
            lora="latent-consistency/lcm-lora-sdv1-5/pytorch_lora_weights.safetensors",
            steps=6,
            guidance_scale=1.5,
            scheduler="lcm",
        ),
    ),
    ModelPreset(
        name="sdxl",
        repo="diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        revision="115134f363124c53c7d878647567d04daf26e41e",
        licence="CreativeML Open RAIL++-M",
        weights="6.9 GB",
        vram="about 11 GB",
        native=1024,
        canvas=1024,
        strength=0.99,
        feather=64,
        scheduler="euler",
        aliases=("sd-xl", "stable-diffusion-xl-1.0-inpainting-0.1"),
        note="Stable Diffusion XL inpainting; its card asks for a strength just under 1",
        unet=True,
        few_steps=FewSteps(
            lora="h1t/TCD-SDXL-LoRA/pytorch_lora_weights.safetensors",
            steps=9,  # at this strength one fewer is run
            guidance_scale=0.0,
            scheduler="tcd",
            strength=0.99,
        ),
    ),
    ModelPreset(
        name="flux-fill",
        repo="black-forest-labs/FLUX.1-Fill-dev",
        revision="main",
        licence="FLUX.1 [dev] non-commercial",
        weights="34 GB",
        vram="about 36 GB",
        native=1024,
        canvas=1408,
        multiple=16,
        steps=30,
        guidance_scale=30.0,
        overmask=16,
        feather=64,
        aliases=("FLUX.1-Fill-dev",),
        note="FLUX.1 Fill; its guidance is trained in, it takes no negative prompt",
        gated=True,
        tried=False,
    ),
    ModelPreset(
        name="klein",
        repo="black-forest-labs/FLUX.2-klein-4B",
        revision="main",
        licence="Apache-2.0",
        weights="16 GB",
        vram="about 13 GB",
        native=1024,
        canvas=960,  # more, and the pads' rounding may go beyond what its pipeline takes
        multiple=16,
        steps=4,
        guidance_scale=1.0,
        overmask=16,
        feather=64,
        aliases=("klein-4b", "FLUX.2-klein-4B"),
        note="FLUX.2 klein, distilled: 4 steps, guidance and negative prompt do nothing",
        tried=False,
    ),
    ModelPreset(
        name="z-image-turbo",
        repo="Tongyi-MAI/Z-Image-Turbo",
        revision="main",
        licence="Apache-2.0",
        weights="20 GB",
        vram="about 16 GB",
        native=1024,
        canvas=1024,
        multiple=16,
        steps=9,
        guidance_scale=0.0,
        overmask=16,
        feather=64,
        aliases=("z-image",),
        note="Z-Image Turbo: 9 steps without guidance, and so without a negative prompt",
        tried=False,
    ),
    ModelPreset(
        name="qwen",
        repo="Qwen/Qwen-Image",
        revision="main",
        licence="Apache-2.0",
        weights="62 GB",
        vram="about 66 GB",
        native=1328,
        canvas=1328,
        multiple=16,
        steps=30,
        guidance_scale=4.0,
        overmask=16,
        feather=64,
        aliases=("qwen-image",),
        note="Qwen-Image with InstantX' ControlNet, which was trained to paint outside",
        tried=False,
    ),
    ModelPreset(
        name="kandinsky",
        repo="kandinsky-community/kandinsky-2-2-decoder-inpaint",
        revision="main",
        licence="Apache-2.0",
        weights="10 GB",
        vram="about 10 GB",
        native=512,
        canvas=768,
        multiple=64,
        steps=50,
        guidance_scale=4.0,
        aliases=("kandinsky-2.2",),
        note="Kandinsky 2.2 inpainting with its prior; sizes in steps of 64 px",
        unet=True,
        tried=False,
    ),
    *_packaged(),
)
DEFAULT = "sd2"
CHECKPOINT = ".safetensors"
"""Ending of a model in a single file."""
_FILES = {CHECKPOINT, ".ckpt", ".pt", ".pth", ".bin"}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def find_preset(model: str) -> ModelPreset | None:
    """The preset of that name, alias or hub id (in any case); None if there is none."""
    wanted = model.casefold()
    for preset in PRESETS if wanted else ():
        if wanted in {name.casefold() for name in (preset.name, preset.repo, *preset.aliases)}:
            return preset
    return None


def check_model(model: str) -> None:
    """Raise SettingsError unless ``model`` is a preset, a folder, a file, or looks like a hub id.

    Whether the hub has it, and whether the folder holds a pipeline, is found out by loading.
    """
    path = Path(model).expanduser()
    if find_preset(model) or (model and path.is_dir()):
        return
    if path.suffix in _FILES:
        if path.suffix != CHECKPOINT:
            raise SettingsError(
                f"model {model} is pickled, so it is not opened: that may run code; convert it to "
                "safetensors"
            )
        if not path.is_file():
            raise SettingsError(f"model {model}: there is no such file")
        return
    if not model.startswith(("/", "./", "../", "~")):
        if _HUB_ID.fullmatch(model):
            return
        if model.casefold() == cosmos.NAME:
            raise SettingsError(cosmos.MISSING)
        if "/" not in model:
            names = {preset.name for preset in PRESETS}
            raise SettingsError(
                unknown(f"model {model!r}", model, names) + " (or give a folder, or a hub id)"
            )
    raise SettingsError(f"model {model}: there is no such folder")


def hub_source(model: str) -> tuple[str, str]:
    """(repository, revision) of a preset or of a hub id, which may end in ``@revision``."""
    if preset := find_preset(model):
        return preset.repo, preset.revision
    repo, _, revision = model.partition("@")
    return repo, revision or "main"
