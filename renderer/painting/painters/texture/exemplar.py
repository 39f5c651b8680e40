"""The exemplar of the texture painter: a picture read, prepared, and kept at several scales.

Knows nothing of canvases and of how patches are joined.
"""

from __future__ import annotations

import math
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.errors import SettingsError
from renderer.images import load_picture

MIN_SIDE = 16
"""A picture with a shorter side has no texture to speak of."""
MAX_SIDE = 1536
"""A larger picture is scaled down: a patch of a 50-megapixel photograph shows nothing."""
ROOM = 192
"""A smaller picture is continued by its mirror image, so that patches have somewhere to move."""
LEVELS_PER_OCTAVE = 4
BLOCK = 16
"""Side of the blocks in which use is counted, pixels at full scale."""

_LIKE = 0.25
"""Energies of two directions that differ by less than this share are alike."""
_LEVEL = 0.35
"""Brightness of two halves that differs by less, in spreads of the blocks, is level."""
_SALIENT = 6.0
_SALIENT_PERCENTILE = 98.0


class Exemplar:
    """A picture to take patches from. ``pixels``: (H, W, 3) uint8 sRGB."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        padding = ((0, max(0, ROOM - height)), (0, max(0, ROOM - width)), (0, 0))
        self.pixels = np.ascontiguousarray(np.pad(pixels, padding, mode="symmetric"))
        """(H, W, 3), both sides ≥ ROOM; scale 1."""
        self._levels: dict[int, NDArray[np.uint8]] = {0: self.pixels}

    @property
    def short_side(self) -> int:
        return int(min(self.pixels.shape[:2]))

    def level(self, index: int) -> NDArray[np.uint8]:
        """The picture at ``2 ** (-index / LEVELS_PER_OCTAVE)`` of its size; made once."""
        if index not in self._levels:
            height, width = self.pixels.shape[:2]
            scale = 2 ** (-index / LEVELS_PER_OCTAVE)
            size = round(width * scale), round(height * scale)
            small = Image.fromarray(self.pixels).resize(size, Image.Resampling.LANCZOS)
            self._levels[index] = np.asarray(small)
        return self._levels[index]

    def level_for(self, scale: float, window: int) -> int:
        """The level nearest to a scale in which a window of that side still has room to move."""
        deepest = math.floor(LEVELS_PER_OCTAVE * math.log2(self.short_side / (1.5 * window)))
        return max(0, min(round(-LEVELS_PER_OCTAVE * math.log2(scale)), deepest))

    @cached_property
    def mean(self) -> float:
        """Mean of all values, of 255."""
        return float(self.pixels.mean())

    @cached_property
    def ground(self) -> NDArray[np.float64]:
        """(3,) the median colour: what is between the things that the picture shows."""
        return np.asarray(np.median(self.pixels, axis=(0, 1)))

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """(3,) the median distance from the ground, at least 1: small for things on a ground (stars
        in the sky), large for a picture full of everything."""
        distance = np.abs(self.pixels.astype(np.float32) - self.ground.astype(np.float32))
        return np.asarray(np.maximum(np.median(distance, axis=(0, 1)), 1.0), np.float64)

    @cached_property
    def _luma(self) -> NDArray[np.float64]:
        """Mean brightness of the whole BLOCK × BLOCK blocks, (H // BLOCK, W // BLOCK)."""
        height, width = (side // BLOCK * BLOCK for side in self.pixels.shape[:2])
        grey = self.pixels[:height, :width].mean(axis=2)
        blocks = grey.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        return np.asarray(blocks.mean(axis=(1, 3)))

    @cached_property
    def turnable(self) -> bool:
        """True where the picture has no up and no grain, so that its patches may be turned.

        That is so of a star field and of gravel, not of a landscape, wood or a brick wall.
        """
        grey = self.pixels.mean(axis=2)
        across, down = (float(np.mean(np.diff(grey, axis=axis) ** 2)) for axis in (1, 0))
        half = len(self._luma) // 2
        tilt = abs(float(self._luma[:half].mean() - self._luma[half:].mean()))
        alike = abs(across - down) <= _LIKE * (across + down)
        return alike and tilt <= _LEVEL * max(float(self._luma.std()), 1.0)

    @cached_property
    def salient(self) -> NDArray[np.bool_]:
        """Blocks that catch the eye, and so should not be seen twice; (H / BLOCK, W / BLOCK).

        Those whose brightness stands out both from the spread of all blocks and among them.
        """
        distance = np.abs(self._luma - np.median(self._luma))
        limit = max(_SALIENT * float(np.median(distance)), 4.0)
        rare = float(np.percentile(distance, _SALIENT_PERCENTILE))
        return np.asarray(distance > max(limit, rare))


def read_exemplar(path: Path) -> NDArray[np.uint8]:
    """A picture file as (H, W, 3) uint8 sRGB, at most MAX_SIDE a side. Raises SettingsError."""
    picture = Image.fromarray(load_picture(path))
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    if min(picture.size) < MIN_SIDE:
        raise SettingsError(
            f"exemplar {path} is too narrow to take patches from; "
            f"use a picture of {ROOM}x{ROOM} or more",
            "exemplar",
        )
    return np.array(picture)


def shipped_picture() -> NDArray[np.uint8]:
    """The star field that comes with the package, (872, 1000, 3); see assets/CREDITS.md."""
    stars = files("renderer") / "assets" / "hubble_deep_field.jpg"
    with stars.open("rb") as stream, Image.open(stream) as opened:
        return np.array(opened.convert("RGB"))
