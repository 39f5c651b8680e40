"""Where patches go: the cells of a canvas, their order and their scale. Pure arithmetic.

Knows nothing of pixels, of the exemplar or of how patches are joined.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from renderer.painting.geometry import Area


def cells(core: Area, mask: NDArray[np.bool_], pitch: int, rng: np.random.Generator) -> list[Area]:
    """Areas about ``pitch`` wide that together cover the mask, in the order to paint them.

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
                found.append(Area(left, top, right, bottom))

    def away(cell: Area) -> float:
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


def relative_scale(core: Area, shape: tuple[int, int], cell: Area) -> float:
    """The scale at a cell's middle, if the canvas's farthest edge has 1: from 1 / ρ to 1.

    ρ is how much farther than the core the canvas reaches, seen from the core's middle.
    """
    zoom_factor = max(2 * _reach(core, 0, 0), 2 * _reach(core, *shape))
    y, x = (cell.top + cell.bottom) / 2, (cell.left + cell.right) / 2
    return max(1.0, 2 * _reach(core, y, x)) / zoom_factor


def _reach(core: Area, y: float, x: float) -> float:
    """Distance of a point from the core's middle, in sides of the core; the greater of the two."""
    down = abs(y - (core.top + core.bottom) / 2) / core.height
    across = abs(x - (core.left + core.right) / 2) / core.width
    return max(down, across)
