"""Pictures in ASCII characters: a ramp of lightness, with the hue as the colour where there is any.

For terminals without colours or without block glyphs, and for `--ascii`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures.cells import Cells, shrink, to_lines
from zoomtui.terminal.pictures.request import Drawing, Pixels

RAMP = " .':-=+*oO#%@"
"""From no ink to much."""

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709
_TAILS = (5.0, 99.0)  # percentiles that become black and white: a ramp has no steps to waste


def draw(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int = 0
) -> Drawing:
    """With hues where the terminal has 256 colours or more."""
    coloured = terminal.colours in {"truecolor", "256"}
    signs = ramp(shrink(picture, size), coloured=coloured, dark=terminal.dark)
    return to_lines(signs, terminal.colours)


def ramp(pixels: Pixels, *, coloured: bool, dark: bool = True) -> Cells:
    """One character a pixel, (R, C, 3).

    Lightness is stretched to the whole ramp, and turned round where the ground is not `dark`.
    """
    lightness = pixels.astype(np.float32) @ _LUMA
    low, high = np.percentile(lightness, _TAILS)
    shade = np.clip((lightness - low) / max(high - low, 16.0), 0, 1)
    ink = shade if dark else 1 - shade
    glyphs = np.rint(ink * (len(RAMP) - 1)).astype(np.uint8)
    return Cells(glyphs, RAMP, _hues(pixels) if coloured else None, None)


def _hues(pixels: Pixels) -> Pixels:
    """The colours at full value, paled by a third, in few steps: the ramp has the lightness."""
    values = pixels.astype(np.float32)
    full = values * (255 / np.maximum(values.max(axis=2, keepdims=True), 1))
    few: NDArray[np.float32] = np.rint((2 * full + 255) / 3 / 17) * 17
    return np.clip(few, 0, 255).astype(np.uint8)
