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
from training import augment, captions
from training.atlas import Atlas, Views
from training.pictures.listing import read_list

Split = Literal["train", "held-out"]

ALONE_SHARE = 0.25
"""So much of a batch shows one thing in the dark; the rest fills the frame."""
STARRY = {"star field", "star cluster", "star cloud", "galaxy cluster"}
"""Kinds of pictures that are laid behind others, as stars are behind everything."""
BACKED_SHARE = 0.45
"""So much of a batch has such stars behind; things in the dark come first."""
BACKED_LIGHT = 0.35, 1.0
"""How bright those are, to what they were."""

_DRAWS = [augment.PLACE_DRAWS, augment.PLACE_DRAWS, 2, augment.COLOUR_DRAWS, captions.DRAWS]
"""Random numbers of a row of a batch: place, stars behind, how those are laid, colour, words."""


class Pictures:
    """The pictures of a pack.

    ``folder`` is what ``training.pack`` wrote. ``split``: those to train on, or those held out.
    Raises SettingsError for a folder that is no pack.
    """

    def __init__(self, folder: Path, device: torch.device | str, split: Split = "train") -> None:
        rows = [row for row in read_list(folder) if row.held_out == (split == "held-out")]
        if not rows:
            raise SettingsError(f"the pack {folder} has no pictures for {split}")
        pixels = [_read(folder / row.file) for row in rows]
        self._atlas = Atlas(pixels, torch.device(device))
        self._brightness = np.array([picture.max(2).mean() / 255 for picture in pixels])
        self._sides = np.array([picture.shape[:2] for picture in pixels], dtype=np.float64)
        self._kinds = [row.kind for row in rows]
        self._alone = np.array([row.framing == "alone" for row in rows])
        self._starry = np.array([row.kind in STARRY for row in rows]) & ~self._alone
        self._choices: dict[int, tuple[augment.Choice, augment.Choice | None]] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def device(self) -> torch.device:
        return self._atlas.device

    def batch(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        """(count, 3, size, size) float sRGB in [-1, 1] on the device, and a caption for each.

        The generator may be on any device; the same one gives the same batch. Raises
        SettingsError when no picture is large enough for views of ``size`` pixels.
        """
        drawn = torch.rand(count, sum(_DRAWS), generator=generator, device=generator.device)
        where, behind, backing, colour, spoken = torch.split(drawn, _DRAWS, dim=1)
        views, light = self._light(
            size, *(part.to(self.device) for part in (where, behind, backing))
        )
        pictures = augment.coloured(light, colour.to(self.device)) * 2 - 1
        numbers, seen = views.picture.tolist(), captions.measure(pictures)
        texts = [
            captions.caption(self._kinds[number], one, draws, whole=bool(self._alone[number]))
            for number, one, draws in zip(numbers, seen, spoken.tolist(), strict=True)
        ]
        return pictures, texts

    def _light(
        self, size: int, where: Tensor, behind: Tensor, backing: Tensor
    ) -> tuple[Views, Tensor]:
        """Places in pictures, and what is there, with stars behind some of it: [0, 1]."""
        if size not in self._choices:
            self._choices[size] = self._choice(size)
        main, stars = self._choices[size]
        views = augment.place(self._atlas, main, size, where)
        light = self._atlas.look(views, size)
        if stars is not None:
            first, strength = backing.unbind(1)
            wanting = first + 0.6 * main.alone[views.picture]
            rows = wanting.topk(round(len(wanting) * BACKED_SHARE)).indices
            back = augment.place(self._atlas, stars, size, behind[rows])
            low, high = BACKED_LIGHT
            dimmed = (low + (high - low) * strength[rows])[:, None, None, None]
            more = self._atlas.look(back, size) * dimmed
            light[rows] = augment.screened(light[rows], more)
        return views, light

    def _choice(self, size: int) -> tuple[augment.Choice, augment.Choice | None]:
        """What may be drawn for views of this size: pictures, and stars to lay behind them."""
        fits = np.array([augment.fits(short, size) for short in self._sides.min(1)])
        filled = fits & ~self._alone
        # Twice the sides count for twice as much, not four times: else one mosaic would be all
        # there is. And most of a dark picture is empty.
        extent = np.sqrt(self._sides.prod(1))
        share = (
            np.where(filled, extent * np.sqrt(self._brightness), 0.0),
            np.where(self._alone, np.sqrt(extent), 0.0),
        )
        weights = [part / part.sum() for part in share if part.any()]
        if not weights:
            raise SettingsError(f"no picture of the pack is large enough for {size} pixels a side")
        mixed = weights[0]
        if len(weights) == 2:
            mixed = weights[0] * (1 - ALONE_SHARE) + weights[1] * ALONE_SHARE
        stars = filled & self._starry
        return self._drawn_by(mixed), self._drawn_by(extent * stars) if stars.any() else None

    def _drawn_by(self, weights: NDArray[np.float64]) -> augment.Choice:
        shares = np.cumsum(weights / weights.sum())
        return augment.Choice(
            torch.from_numpy(shares).float().to(self.device),
            torch.from_numpy(self._alone).to(self.device),
        )


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise SettingsError(f"can't read {path} of the pack: {error}") from error
