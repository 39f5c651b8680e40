"""The training set as batches: a pack's pictures on the device, cut, turned and captioned anew.

Every batch follows from the generator alone. Depends on torch, numpy and Pillow only, so that it
runs wherever the pack is taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from renderer.errors import SettingsError
from training import augment, captions, skies
from training.pictures.listing import read_list

Split = Literal["train", "held-out"]

STARRY = {"star field", "star cluster", "star cloud", captions.MANY_GALAXIES}
"""Kinds of pictures that are laid behind others."""

_DRAWS = [skies.DRAWS, augment.COLOUR_DRAWS, captions.DRAWS]
"""Random numbers of a row of a batch: what is seen, colour, words."""


class Pictures:
    """The pictures of a pack.

    ``folder`` is what ``training.pack`` wrote. ``split``: those to train on, or those held out.
    Raises SettingsError for a folder that is no pack.
    """

    def __init__(self, folder: Path, device: torch.device | str, split: Split = "train") -> None:
        rows = [row for row in read_list(folder) if row.held_out == (split == "held-out")]
        if not rows:
            raise SettingsError(f"the pack {folder} has no pictures for {split}")
        self._kinds = [row.kind for row in rows]
        self._alone = np.array([row.framing == "alone" for row in rows])
        traits = skies.Traits(
            alone=self._alone,
            starry=np.array([kind in STARRY for kind in self._kinds]),
            galaxy=np.array([kind in captions.GALAXIES for kind in self._kinds]),
        )
        pixels = [_read(folder / row.file) for row in rows]
        self._skies = skies.Skies(pixels, traits, torch.device(device))

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def device(self) -> torch.device:
        return self._skies.device

    def batch(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        """(count, 3, size, size) float sRGB in [-1, 1] on the device, and a caption for each.

        The generator may be on any device; the same one gives the same batch. Raises
        SettingsError when no picture is large enough for views of ``size`` pixels.
        """
        drawn = torch.rand(count, sum(_DRAWS), generator=generator, device=generator.device)
        what, colour, spoken = torch.split(drawn, _DRAWS, dim=1)
        sky = self._skies.look(size, what.to(self.device))
        pictures = augment.coloured(sky.light, colour.to(self.device)) * 2 - 1
        numbers, among_many = sky.picture.tolist(), sky.among_many.tolist()
        rows = zip(numbers, among_many, captions.measure(pictures), spoken.tolist(), strict=True)
        return pictures, [self._caption(*row) for row in rows]

    def _caption(
        self, picture: int, among_many: bool, seen: captions.Measured, draws: list[float]
    ) -> str:
        kind = captions.MANY_GALAXIES if among_many else self._kinds[picture]
        return captions.caption(kind, seen, draws, whole=bool(self._alone[picture]))


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise SettingsError(f"can't read {path} of the pack: {error}") from error
