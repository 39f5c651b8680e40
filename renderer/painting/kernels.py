"""The inner loops of joining a border to a picture, where numpy would go over its pixels too often.

Where colours need not be told apart, a row of pixels is one line of 3 W samples, which the vector
units take many at a time. Knows nothing of what it is for; ``colour_match`` and ``feather`` do.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.kernels import kernel
from renderer.painting.geometry import Area

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


def plain(picture: Pixels) -> Pixels:
    """The same, in one piece and writable, so that numba, to which others are other types,
    compiles once."""
    return np.require(picture, requirements=("C", "W"))


@kernel
def box_sums(
    lines: Pixels, tops: NDArray[np.int64], lefts: NDArray[np.int64], sums: NDArray[np.int64]
) -> None:
    """Fill ``sums`` (rows, columns, 3) with the sums over a grid of boxes of pixels; exact.

    ``lines`` is (H, 3 W); ``tops`` (rows + 1) and ``lefts`` (columns + 1) are where boxes begin
    and the last one ends. A box is at most 2²⁴ pixels high.
    """
    tall = np.empty(lines.shape[1], np.uint32)
    for i in range(sums.shape[0]):
        tall[:] = 0
        for y in range(tops[i], tops[i + 1]):
            for x in range(lines.shape[1]):
                tall[x] += lines[y, x]
        for j in range(sums.shape[1]):
            for c in range(3):
                sums[i, j, c] = tall[3 * lefts[j] + c : 3 * lefts[j + 1] : 3].sum()


@kernel
def box_differences(
    picture: Pixels, found: Floats, known: Area, hole: Area, side: int, sums: Floats
) -> None:
    """Fill ``sums`` (rows, columns, 4) with Σ (picture - found) and the number of pixels summed.

    Boxes of ``side`` pixels cover ``found`` (H, W, 3) from its first pixel on. Only those pixels
    count that lie in ``known``, as ``picture`` does, and not in ``hole``.
    """
    left, top, right, bottom = known
    sums[:] = 0
    for i in range(sums.shape[0]):
        for y in range(max(i * side, top), min((i + 1) * side, bottom)):
            for j in range(sums.shape[1]):
                for x in range(max(j * side, left), min((j + 1) * side, right)):
                    if not (hole.top <= y < hole.bottom and hole.left <= x < hole.right):
                        for c in range(3):
                            wanted = np.float32(picture[y - top, x - left, c])
                            sums[i, j, c] += wanted - found[y, x, c]
                        sums[i, j, 3] += 1


@kernel
def quad_sums(cells: Floats, sums: Floats) -> None:
    """Add to each of ``sums`` (rows, columns, 4) its 2 x 2 ``cells``, as far as there are any."""
    for i in range(cells.shape[0]):
        for j in range(cells.shape[1]):
            for c in range(4):
                sums[i // 2, j // 2, c] += cells[i, j, c]


@kernel
def add_between(cells: Floats, side: int, left: int, top: int, share: Floats, out: Floats) -> None:
    """out += share · cells, which are ``side`` pixels wide and bilinear between their middles.

    ``out`` is (h, w, channels) and begins ``left`` and ``top`` pixels from the first cell's corner;
    ``share`` is (h, w). Beyond the outermost middles cells keep their values.
    """
    rows, columns = cells.shape[:2]
    for y in range(out.shape[0]):
        v = (top + y + 0.5) / side - 0.5
        above, down = math.floor(v), np.float32(v - math.floor(v))
        i0, i1 = max(above, 0), min(above + 1, rows - 1)
        for x in range(out.shape[1]):
            u = (left + x + 0.5) / side - 0.5
            before, across = math.floor(u), np.float32(u - math.floor(u))
            j0, j1 = max(before, 0), min(before + 1, columns - 1)
            for c in range(out.shape[2]):
                upper = cells[i0, j0, c] + across * (cells[i0, j1, c] - cells[i0, j0, c])
                lower = cells[i1, j0, c] + across * (cells[i1, j1, c] - cells[i1, j0, c])
                out[y, x, c] += share[y, x] * (upper + down * (lower - upper))


@kernel
def recolour(
    picture: Pixels, weights: Floats, gain: np.float32, offset: Floats, out: Floats
) -> None:
    """out = gain · value + offset + what the three ``weights`` make of the pixel; (H, W, 3)."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            red, green, blue = picture[y, x, 0], picture[y, x, 1], picture[y, x, 2]
            grey = weights[0] * red + weights[1] * green + weights[2] * blue
            for c in range(3):
                out[y, x, c] = gain * picture[y, x, c] + grey + offset[c]


@kernel
def round_up_by(lines: Floats, across: Floats, down: Floats, out: Pixels) -> None:
    """out = ⌊lines + pattern⌋ in 0 … 255, where pattern = (across + down) modulo 1.

    ``lines`` and ``out`` are (h, n); ``across`` (n) and ``down`` (h) are in [0, 1).
    """
    zero, one, most = np.float32(0), np.float32(1), np.float32(255)
    for y in range(lines.shape[0]):
        for x in range(lines.shape[1]):
            up = across[x] + down[y]
            if up >= one:
                up -= one
            out[y, x] = np.uint8(min(max(lines[y, x] + up, zero), most))
