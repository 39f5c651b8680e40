"""What still differs where a border meets a picture, carried outwards until it is gone.

Corrects a painted border in place, by the difference between the picture and what the painter made
of the same pixels. Pure numpy arithmetic on sRGB values 0 … 255. Knows no painters and no settings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.geometry import Area
from renderer.plain import Size

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

CELL = 4
"""Side of the boxes on which a difference is spread outwards."""
SIGMA = 2.0
"""Width of that spreading, in such boxes."""
CERTAIN = 1e3
"""One thousandth of what a box weighs is enough to go by."""


def fade(
    corrected: Floats, picture: Pixels, known: Area, reach: int, inner: Area | None = None
) -> None:
    """Add, in place, what is missing at the edge of ``known``, less and less outwards.

    ``corrected`` is the whole (H, W, 3) canvas as painted, ``picture`` what lies in ``known``;
    ``reach`` > 0 pixels is where it has faded to nothing. What is missing is known only inside,
    and there only low-passed: it is carried outwards by normalised convolution (Knutsson & Westin,
    CVPR 1993): blur values and weights, then divide. ``inner``: only what lies in ``known`` but not
    in there is evidence, where a painter was asked to paint that band anew.
    """
    window = known.grown(reach, _size(corrected))
    missing = _missing(corrected, picture, known, window)
    if inner is not None:
        left, top, right, bottom = inner
        missing[
            top - window.top : bottom - window.top, left - window.left : right - window.left
        ] = 0
    cells = _blurred(_sums(missing, CELL))
    # Where the blur does not reach, what it found nearest goes on.
    certain = np.minimum(cells[:, :, 3:] * CERTAIN, 1)
    cells *= certain / np.maximum(cells[:, :, 3:], 1e-6)
    _add(corrected, _filled(cells), CELL, known, window, reach)


def close(corrected: Floats, picture: Pixels, known: Area, reach: int) -> None:
    """Make the border meet the edge of ``known`` pixel for pixel, in place, for ``reach`` pixels.

    For a border that goes on from a band that was painted anew, not from ``picture`` itself: what
    differs along the outermost pixels of ``known`` is stretched outwards as a membrane would be
    (Pérez, Gangnet & Blake, "Poisson Image Editing", SIGGRAPH 2003), so that fine differences end
    within few pixels and broad ones go far. The membrane is pulled and pushed through a pyramid
    (Gortler et al., "The Lumigraph", SIGGRAPH 1996).
    """
    window = known.grown(reach, _size(corrected))
    missing = _missing(corrected, picture, known, window)
    # Only the outermost pixels count: further inside other things differ.
    left, top = known.left - window.left, known.top - window.top
    height, width = picture.shape[:2]
    missing[top + 1 : top + height - 1, left + 1 : left + width - 1] = 0
    # Outside everything is uncertain, so the finest level is never looked at.
    _add(corrected, _filled(_halved(missing)), 2, known, window, reach)


def falling(known: Area, window: Area, reach: int) -> Floats:
    """1 in ``known``, falling smoothly to 0 over ``reach`` pixels around it, in ``window``."""
    left, top, right, bottom = window
    across = _falling(np.arange(left, right), known.left, known.right, reach)
    down = _falling(np.arange(top, bottom), known.top, known.bottom, reach)
    return down[:, None] * across[None, :]


def _falling(at: NDArray[np.int_], first: int, end: int, reach: int) -> Floats:
    outside = np.maximum(np.maximum(first - at - 0.5, at + 0.5 - end), 0) / reach
    near = np.maximum(1 - outside, 0).astype(np.float32)
    fading: Floats = near * near * (3 - 2 * near)
    return fading


def _size(canvas: Floats) -> Size:
    return canvas.shape[1], canvas.shape[0]


def _missing(corrected: Floats, picture: Pixels, known: Area, window: Area) -> Floats:
    """In ``window`` what each pixel lacks, and how certain that is: 1 in ``known``, 0 elsewhere."""
    left, top, right, bottom = window
    missing = np.zeros((bottom - top, right - left, 4), np.float32)
    inside = missing[known.top - top : known.bottom - top, known.left - left : known.right - left]
    inside[:, :, :3] = picture - corrected[known.rows, known.columns]
    inside[:, :, 3] = 1
    return missing


def _add(
    corrected: Floats, cells: Floats, side: int, known: Area, window: Area, reach: int
) -> None:
    """Add what boxes of ``side`` pixels in ``window`` hold, around ``known`` and on its edge.

    The edge's own pixels are those that ``close`` looks at next; nobody looks further inside.
    """
    share = falling(known, window, reach)
    planes = [Image.fromarray(np.ascontiguousarray(cells[:, :, c])) for c in range(3)]
    for strip in _around(known, window):
        size = (strip.right - strip.left, strip.bottom - strip.top)
        x, y = strip.left - window.left, strip.top - window.top
        box = (x / side, y / side, (x + size[0]) / side, (y + size[1]) / side)
        fading = share[y : y + size[1], x : x + size[0]]
        for channel, plane in enumerate(planes):
            added = np.asarray(plane.resize(size, Image.Resampling.BILINEAR, box=box))
            corrected[strip.rows, strip.columns, channel] += added * fading


def _around(known: Area, window: Area) -> tuple[Area, Area, Area, Area]:
    """``window`` but for what lies within the edge of ``known``: above, below, left, right."""
    left, top, right, bottom = window
    first, last = known.top + 1, known.bottom - 1
    return (
        Area(left, top, right, first),
        Area(left, last, right, bottom),
        Area(left, first, known.left + 1, last),
        Area(known.right - 1, first, right, last),
    )


def _filled(weighted: Floats) -> Floats:
    """(h, w, values and their certainty, times it) → the same, all certain, smoothly filled in."""
    height, width = weighted.shape[:2]
    certain = weighted[:, :, 3:]
    if min(height, width) <= 1 or certain.min() >= 1:
        return np.where(certain > 0, weighted / np.maximum(certain, 1e-6), 0)
    around = _filled(_halved(weighted))
    size = (around.shape[1] * 2, around.shape[0] * 2)
    filled = weighted.copy()
    for channel in range(4):
        plane = Image.fromarray(np.ascontiguousarray(around[:, :, channel]))
        full = np.asarray(plane.resize(size, Image.Resampling.BILINEAR))
        filled[:, :, channel] += (1 - certain[:, :, 0]) * full[:height, :width]
    return filled


def _halved(weighted: Floats) -> Floats:
    """Boxes of 2 x 2: the means of what is certain, and how certain that is, 1 at most."""
    coarse = _sums(weighted, 2)
    coarse /= np.maximum(coarse[:, :, 3:], 1)
    return coarse


def _blurred(cells: Floats) -> Floats:
    """Gaussian blur of (h, w, c) over SIGMA cells; zero beyond the edge."""
    reach = round(3 * SIGMA)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SIGMA) ** 2).astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(cells, [(reach, reach) if a == axis else (0, 0) for a in range(3)])
        length, out = cells.shape[axis], np.zeros_like(cells)
        for start, tap in enumerate(taps):
            span = slice(start, start + length)
            out += tap * (padded[span] if axis == 0 else padded[:, span])
        cells = out
    return cells


def _sums(values: Floats, side: int) -> Floats:
    """Sums over boxes of ``side`` pixels, zeros beyond the right and bottom: (rows, columns, c)."""
    height, width, channels = values.shape
    padded = np.pad(values, ((0, -height % side), (0, -width % side), (0, 0)))
    tall = padded.reshape(-1, side, padded.shape[1], channels).sum(axis=1)
    sums: Floats = tall.reshape(len(tall), -1, side, channels).sum(axis=2)
    return sums
