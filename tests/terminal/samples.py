"""Pictures to be shown, and how near what is shown comes to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import renderer

STARS = Path(renderer.__file__).parent / "assets" / "hubble_deep_field.jpg"


def waves() -> Image.Image:
    """Smooth colours and slanted edges."""
    y, x = np.mgrid[0:360, 0:640].astype(np.float32)
    edges = ((x * 0.8 + y * 1.3) % 90 < 30) * 90
    channels = [
        np.clip(base + 70 * np.sin(x / sx + y / sy) + edges, 0, 255)
        for base, sx, sy in ((90, 90, 70), (70, 60, 120), (110, 150, 50))
    ]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


PICTURES = {"stars": Image.open(STARS).convert("RGB"), "waves": waves()}


def psnr(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error))
