"""The models that ship as presets, and how a user's ``--model`` is read. Light: no torch, no hub.

Figures are of the half-precision weights. A preset pins the revision that was looked at, so that a
changed repository can't change a film; where none was, it follows the repository's ``main``, and a
film stays with what was downloaded first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from renderer.errors import SettingsError
from renderer.files import is_file, is_folder, user_path
from renderer.settings import cosmos
from renderer.settings.option import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class FewSteps:
    """A distilled LoRA for a model, and the settings that it was made for."""

    lora: str
    """``owner/name/file.safetensors`` on the hub."""
    revision: str = "main"
    """As a preset's."""
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
    dive_prompt: str = "intricate fine detail, sharp focus"
    """What a dive is painted by where its user names nothing."""
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
    dives_only: bool = False
    """It enlarges a picture, and paints neither borders nor first pictures."""
    on_cpu: bool = False
    """Made for machines without a GPU: paints in seconds there."""
    experimental: bool = False
    """It is asked in a way that is no well-trodden use of its pipeline; the word is said of it."""
    folder: Path | None = None
    """Where it lies, for one that is part of this package."""


def _tabled() -> Iterator[ModelPreset]:
    with Path(__file__).with_name("presets.toml").open("rb") as file:
        table = tomllib.load(file)
    for name, about in table.items():
        if name == cosmos.NAME:
            card = cosmos.read_card()
            if card is None:  # this package was built without its weights
                continue
            about |= {"folder": cosmos.FOLDER, "weights": f"{card.size / 1e6:.0f} MB"}
            about |= {key: getattr(card, key) for key in ("steps", "guidance_scale", "licence")}
        yield msgspec.convert({"name": name, **about}, ModelPreset)


EXPERIMENTAL = "experimental: the way it is asked here is not proven with its real weights"
PRESETS = tuple(_tabled())
DEFAULT = "sd2"
CHECKPOINT = ".safetensors"
"""Ending of a model in a single file."""
NO_FIRST_PICTURE = "enlarges pictures and paints no first one; give one with --image FILE"
"""What there is to say where one that ``dives_only`` is to begin a film."""
_FILES = {CHECKPOINT, ".ckpt", ".pt", ".pth", ".bin"}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def find_preset(model: str) -> ModelPreset | None:
    """The preset of that name, alias or hub id (in any case); None if there is none."""
    wanted = model.casefold()
    for preset in PRESETS if wanted else ():
        if wanted in {name.casefold() for name in (preset.name, preset.repo, *preset.aliases)}:
            return preset
    return None


def check_method(like: ModelPreset, method: str, model: str) -> None:
    """Raise SettingsError unless ``model``, which is like that preset, can do the method."""
    if like.dives_only and method != "refine":
        raise SettingsError(
            f"{model} enlarges pictures and paints no borders: it can only dive (--method refine)",
            "method",
        )


def check_model(model: str) -> None:
    """Raise SettingsError unless ``model`` is a preset, a folder, a file, or looks like a hub id.

    Whether the hub has it, and whether the folder holds a pipeline, is found out by loading.
    """
    path = user_path(model)
    if find_preset(model) or (model and is_folder(path)):
        return
    if path.suffix in _FILES:
        if path.suffix != CHECKPOINT:
            raise SettingsError(
                f"model {model} is pickled, so it is not opened: that may run code; convert it to "
                "safetensors"
            )
        if not is_file(path):
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


def lora_revision(repo: str) -> str:
    """The commit of a LoRA's repository that was looked at, or ``main``."""
    known = (preset.few_steps for preset in PRESETS if preset.few_steps)
    return next((few.revision for few in known if few.lora.startswith(f"{repo}/")), "main")


def hub_source(model: str) -> tuple[str, str]:
    """(repository, revision) of a preset or of a hub id, which may end in ``@revision``."""
    if preset := find_preset(model):
        return preset.repo, preset.revision
    repo, _, revision = model.partition("@")
    return repo, revision or "main"
