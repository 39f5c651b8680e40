"""Where patches go: the cells of a canvas, their order and their scale. Pure arithmetic.

Knows nothing of pixels, of the exemplar or of how patches are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels, right and bottom excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)"""
        return self.bottom - self.top, self.right - self.left

    @property
    def area(self) -> tuple[slice, slice]:
        """Index of these pixels in an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int, shape: tuple[int, int]) -> Box:
        """This box with a margin all round, within an array of that shape."""
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(shape[0], self.bottom + margin),
            min(shape[1], self.right + margin),
        )

    def turned(self, turns: int, shape: tuple[int, int]) -> Box:
        """Where this box of an array of that shape lies after ``np.rot90(array, turns)``."""
        box, (height, width) = self, shape
        for _ in range(turns):
            box = Box(width - box.right, box.top, width - box.left, box.bottom)
            height, width = width, height
        return box


def bounds(known: NDArray[np.bool_]) -> Box | None:
    """The smallest box around what is known; None where nothing is."""
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    if not rows.size:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def cells(core: Box, mask: NDArray[np.bool_], pitch: int, rng: np.random.Generator) -> list[Box]:
    """Boxes about ``pitch`` wide that together cover the mask, in the order to paint them.

    The edges of ``core`` are edges of cells; the other edges are moved a little by ``rng``, so
    that no grid repeats from canvas to canvas. Each cell but a first one touches the core or a cell
    before it, and a corner comes after its two neighbours.
    """
    height, width = mask.shape
    rows = _lines((0, core.top, core.bottom, height), pitch, rng)
    columns = _lines((0, core.left, core.right, width), pitch, rng)
    found = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            if mask[top:bottom, left:right].any():
                found.append(Box(top, left, bottom, right))

    def away(cell: Box) -> float:
        down = max(core.top - cell.bottom, cell.top - core.bottom, -1) + 1
        across = max(core.left - cell.right, cell.left - core.right, -1) + 1
        return down + across

    order = rng.permutation(len(found))
    return sorted((found[i] for i in order), key=away)


def _lines(marks: tuple[int, ...], pitch: int, rng: np.random.Generator) -> list[int]:
    """The marks, and between them lines about ``pitch`` apart, each off by a sixth at most."""
    lines = [marks[0]]
    for start, end in pairwise(marks):
        if end == start:
            continue
        parts = max(1, round((end - start) / pitch))
        step = (end - start) / parts
        shifts = rng.uniform(-step / 6, step / 6, parts)
        lines += [round(start + step * i + shifts[i]) for i in range(1, parts)]
        lines.append(end)
    return lines


def relative_scale(core: Box, shape: tuple[int, int], cell: Box) -> float:
    """The scale at a cell's middle, if the canvas's farthest edge has 1: from 1 / ρ to 1.

    ρ is how much farther than the core the canvas reaches, seen from the core's middle.
    """
    zoom_factor = max(2 * _reach(core, 0, 0), 2 * _reach(core, *shape))
    y, x = (cell.top + cell.bottom) / 2, (cell.left + cell.right) / 2
    return max(1.0, 2 * _reach(core, y, x)) / zoom_factor


def _reach(core: Box, y: float, x: float) -> float:
    """Distance of a point from the core's middle, in sides of the core; the greater of the two."""
    height, width = core.shape
    down = abs(y - (core.top + core.bottom) / 2) / height
    across = abs(x - (core.left + core.right) / 2) / width
    return max(down, across)
