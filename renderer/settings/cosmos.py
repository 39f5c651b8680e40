"""Our own model, ``cosmos``: where its weights lie in the package, and what suits them.

They are made by ``training/``; a package may have been built without them. Light: no torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

Padding = Literal["zeros", "reflect", "replicate", "circular"]
"""As torch.nn.Conv2d names them; ``zeros`` is what diffusers builds."""

NAME = "cosmos"
FOLDER = Path(__file__).parents[1] / "assets" / NAME
"""An inpainting pipeline in diffusers' form, with a card beside it."""
CARD = "zoomtui.json"
MISSING = (
    f"model {NAME} is not in this package: it was built without the weights; take one that has "
    "them, or make them as training/README.md of the source says"
)


_SKY = re.compile(
    r"\b(nebula[es]?|galax(y|ies)|stars|starry|star ?fields?|constellations?|supernova[es]?|"
    r"milky way|cosmos|cosmic|universe|interstellar|(deep|outer) space)\b",
    re.IGNORECASE,
)


def is_of_the_sky(prompt: str) -> bool:
    """Whether ``prompt`` asks for what cosmos was trained on: nebulae, galaxies, stars."""
    return _SKY.search(prompt) is not None


@dataclass(frozen=True, slots=True)
class Card:
    """What training has written about the model in a folder."""

    steps: int
    """Denoising steps that it was made for."""
    guidance_scale: float
    licence: str
    """Of the weights."""
    size: int
    """Of the weights, bytes."""
    padding: Padding = "zeros"
    """What the UNet's convolutions see beyond the rim of a picture."""


def read_card(folder: Path = FOLDER) -> Card | None:
    """The card of a trained model; None if the folder holds none."""
    file = folder / CARD
    if not file.is_file():
        return None
    size = sum(weights.stat().st_size for weights in folder.glob("*/*.safetensors"))
    return msgspec.convert({**msgspec.json.decode(file.read_bytes()), "size": size}, Card)
