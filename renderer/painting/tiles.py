"""A canvas in overlapping tiles, for painters that do best with smaller pictures than it is."""

from __future__ import annotations

import math

import numpy as np

from renderer.painting.geometry import Area
from renderer.painting.kernels import Floats, Pixels
from renderer.painting.refine import rounded
from renderer.settings.plain_values import Size

OVERLAP = 1 / 4
"""Of neighbouring tiles, at least, ÷ their side."""


def tiles(size: Size, side: int, multiple: int) -> list[Area]:
    """As few as cover a canvas of ``size``, row by row; ``side`` pixels each way at most.

    Sides and places are whole multiples, where the canvas's are. One of all of it where it is no
    larger, or ``side`` is 0.
    """
    columns, rows = (_spans(length, side // multiple * multiple, multiple) for length in size)
    return [Area(left, top, right, bottom) for top, bottom in rows for left, right in columns]


class Mosaic:
    """A canvas put together from tiles; where they overlap one passes into the other."""

    def __init__(self, size: Size) -> None:
        width, height = size
        self._sum = np.zeros((height, width, 3), np.float32)
        self._weight = np.zeros((height, width, 1), np.float32)

    def add(self, area: Area, painted: Pixels) -> None:
        """``painted``: (H, W, 3) of the area."""
        height, width = self._weight.shape[:2]
        across = _ramp(area.left, area.right, width)
        down = _ramp(area.top, area.bottom, height)
        weight = np.outer(down, across)[:, :, None]
        self._sum[area.pixels] += weight * painted
        self._weight[area.pixels] += weight

    def canvas(self) -> Pixels:
        """(H, W, 3); every pixel must have been covered."""
        return rounded(self._sum / self._weight)


def _spans(length: int, side: int, multiple: int) -> list[tuple[int, int]]:
    if not side or length <= side:
        return [(0, length)]
    count = math.ceil((length - side * OVERLAP) / (side * (1 - OVERLAP)))
    room = length - side
    starts = [round(room * i / (count - 1) / multiple) * multiple for i in range(count - 1)]
    return [*((start, start + side) for start in starts), (room, length)]


def _ramp(start: int, end: int, length: int) -> Floats:
    """Weights along a tile: they rise from the edges at which there is another one."""
    side = end - start
    at = np.arange(side, dtype=np.float32) + 0.5
    reach = side * OVERLAP
    ones = np.ones(side, np.float32)
    rising = at / reach if start else ones
    falling = (side - at) / reach if end < length else ones
    return np.minimum(np.minimum(rising, falling), ones)
