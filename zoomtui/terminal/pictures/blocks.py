"""Quadrant blocks: 2×2 pixels to a character cell, two colours to a cell.

Of the eight ways to split four pixels into two groups the one with the least squared error is
taken; each group gets its mean colour. In closed form: the error is what is left of the pixels'
energy once each group's |sum|²/count is taken off, so the best split has the largest sum of these.
The glyphs (U+2580 to U+259F) are in every monospaced font.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures.cells import Cells, shrink, to_lines
from zoomtui.terminal.pictures.request import Drawing, Pixels

GLYPHS = " ▘▝▀▖▌▞▛"
"""The splits: bit 0 upper left, bit 1 upper right, bit 2 lower left in the foreground's colour.
Lower right is always in the background's, as a split and its complement are the same."""

SPLITS: NDArray[np.float32] = np.array(
    [[split >> pixel & 1 for pixel in range(4)] for split in range(8)], np.float32
)
"""(8, 4): which pixels (upper left, upper right, lower left, lower right) a split puts in front."""

FLAT = 60.0
"""Squared error, over the twelve values of a cell, below which a split is not worth its bytes: a
mean deviation of some two grey levels, which can't be seen. This makes night skies much cheaper."""


def draw(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int = 0
) -> Drawing:
    """In 24-bit colours, or as ``palette`` does it where the terminal has 256."""
    from zoomtui.terminal.pictures import palette  # made of what is here

    make = palette.quadrants if terminal.colours == "256" else quadrants
    return to_lines(make(shrink(picture, (size[0] * 2, size[1] * 2))), terminal.colours)


def by_cell(pixels: Pixels) -> NDArray[np.float32]:
    """(2R, 2C, 3) pixels as (R·C, 4, 3): a cell's pixels in the order of :data:`SPLITS`."""
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    quads = pixels.reshape(rows, 2, columns, 2, 3).transpose(0, 2, 1, 3, 4)
    return quads.reshape(rows * columns, 4, 3).astype(np.float32)


def group_means(quads: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colours (N, 8, 3) in front and behind, for each split of each cell.

    The split with nothing in front gets the cell's mean there too.
    """
    front = np.einsum("sp,npc->nsc", SPLITS, quads)
    whole = quads.sum(axis=1)[:, None, :]
    counts = SPLITS.sum(axis=1)[None, :, None]
    means_front = front / np.maximum(counts, 1)
    means_front[:, 0] = whole[:, 0] / 4
    return means_front, (whole - front) / (4 - counts)


def quadrants(pixels: Pixels) -> Cells:
    """The best quadrant blocks for (2R, 2C, 3) pixels, in 24-bit colours."""
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    quads = by_cell(pixels)
    front, back = group_means(quads)
    counts = SPLITS.sum(axis=1)
    energy = counts * (front**2).sum(axis=2) + (4 - counts) * (back**2).sum(axis=2)
    energy[:, 0] += FLAT
    best = energy.argmax(axis=1)
    each = np.arange(len(quads))

    def colours(means: NDArray[np.float32]) -> Pixels:
        values: Pixels = np.rint(means[each, best]).astype(np.uint8)
        return values.reshape(rows, columns, 3)

    glyphs = best.astype(np.uint8).reshape(rows, columns)
    return Cells(glyphs, GLYPHS, colours(front), colours(back))
