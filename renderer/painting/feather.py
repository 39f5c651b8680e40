"""The difference left where a border meets a picture, carried outwards until it is gone.

Corrects a painted border in place, by the difference between the picture and what the painter made
of the same pixels. Pure arithmetic on sRGB values 0 … 255. Knows no painters and no settings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from renderer.painting.geometry import Area
from renderer.painting.kernels import Floats, Pixels, add_between, box_differences, plain, quad_sums
from renderer.settings.plain_values import Size

CELL = 4
"""Side of the boxes on which a difference is spread outwards."""
SIGMA = 2.0
"""Width of that spreading, in such boxes."""
CERTAIN = 1e3
"""One thousandth of what a box weighs is enough to go by."""
SHADE, COMMON = 70.0, 7.0
"""Levels by which shades may differ from what is usual along a join, or how many times as far as a
quarter of it does. What differs by more is structure: something begins there, or ends. Among stars
and in clouds a painter is off by 60 levels here and there, and that must still fade."""
NOWHERE = Area(0, 0, 0, 0)
RAGGEDNESS = 2.5
"""How far a tattered edge strays: at 2.5 its shapes are as deep as the edge is wide."""


def fade(
    corrected: Floats, picture: Pixels, known: Area, reach: int, inner: Area | None = None
) -> None:
    """Add, in place, what is missing at the edge of ``known``, less and less outwards.

    ``corrected`` is the whole (H, W, 3) canvas as painted, ``picture`` what lies in ``known``;
    ``reach`` > 0 pixels is where it has faded to nothing. What is missing is known only inside,
    and there only low-passed: it is carried outwards by normalised convolution (Knutsson & Westin,
    CVPR 1993): blur values and weights, then divide. ``inner``: only the band of ``known`` around
    it is evidence, where a painter was asked to paint that band anew.
    """
    window = known.grown(reach, _size(corrected))
    missing = _missing(corrected, picture, known, inner or NOWHERE, window, CELL)
    cells = _blurred(_colours(missing))
    # Where the blur does not reach, the nearest values that it found continue.
    certain = np.minimum(cells[:, :, 3:] * CERTAIN, 1)
    cells *= certain / np.maximum(cells[:, :, 3:], 1e-6)
    _add(corrected, _filled(cells), CELL, known, window, reach)


def close(corrected: Floats, picture: Pixels, known: Area, reach: int) -> None:
    """Make the border meet the edge of ``known`` pixel for pixel, in place, for ``reach`` pixels.

    For a border that continues a band that was painted anew, not ``picture`` itself: the
    difference along the outermost pixels of ``known`` is stretched outwards as a membrane would be
    (Pérez, Gangnet & Blake, "Poisson Image Editing", SIGGRAPH 2003), so that fine differences end
    within a few pixels and broad ones go far. The membrane is pulled and pushed through a pyramid
    (Gortler et al., "The Lumigraph", SIGGRAPH 1996).
    """
    window = known.grown(reach, _size(corrected))
    left, top, right, bottom = known
    # Differences further inside than the outermost pixels have nothing to do with the join.
    inside = Area(left + 1, top + 1, right - 1, bottom - 1)
    # Outside everything is uncertain, so the finest level is never looked at.
    cells = _colours(_means(_missing(corrected, picture, known, inside, window, 2)))
    _add(corrected, _filled(cells), 2, known, window, reach)


def falling(known: Area, window: Area, reach: int) -> Floats:
    """1 in ``known``, falling smoothly to 0 over ``reach`` pixels around it, in ``window``."""
    left, top, right, bottom = window
    across = _falling(np.arange(left, right), known.left, known.right, reach)
    down = _falling(np.arange(top, bottom), known.top, known.bottom, reach)
    return down[:, None] * across[None, :]


def tattered(share: Floats, reach: int, seed: int) -> Floats:
    """``share``, (h, w, 1), with what lies between 0 and 1 moved about, in shapes up to ``reach``.

    Noise of three octaves, as clouds have; 0 and 1 stay what they are.
    """
    height, width = share.shape[:2]
    rng = np.random.Generator(np.random.PCG64(seed))
    noise = np.zeros((height, width), np.float32)
    for octave in range(3):
        cell = max(2.0, reach / 2**octave)
        grid = rng.standard_normal((int(height / cell) + 4, int(width / cell) + 4), np.float32)
        noise += _enlarged(grid, cell, (height, width)) / 2**octave
    moved: Floats = share + share * (1 - share) * RAGGEDNESS * noise[:, :, None]
    return _smooth(np.clip(moved, 0, 1))


def _enlarged(grid: Floats, cell: float, shape: tuple[int, int]) -> Floats:
    """(h, w): the values of ``grid`` every ``cell`` pixels, and smoothly between them."""
    rows, columns = (np.arange(length, dtype=np.float32) / cell for length in shape)
    at, across = rows.astype(int), columns.astype(int)
    down = _smooth(rows - at)[:, None]
    right = _smooth(columns - across)[None, :]
    upper = (1 - right) * grid[at][:, across] + right * grid[at][:, across + 1]
    lower = (1 - right) * grid[at + 1][:, across] + right * grid[at + 1][:, across + 1]
    enlarged: Floats = (1 - down) * upper + down * lower
    return enlarged


def _smooth(share: Floats) -> Floats:
    """0 … 1 → the same, level at both ends."""
    smooth: Floats = share * share * (3 - 2 * share)
    return smooth


def _falling(at: NDArray[np.int_], first: int, end: int, reach: int) -> Floats:
    outside = np.maximum(np.maximum(first - at - 0.5, at + 0.5 - end), 0) / reach
    return _smooth(np.maximum(1 - outside, 0).astype(np.float32))


def _size(canvas: Floats) -> Size:
    return canvas.shape[1], canvas.shape[0]


def _missing(
    corrected: Floats, picture: Pixels, known: Area, hole: Area, window: Area, side: int
) -> Floats:
    """What ``known`` outside ``hole`` lacks, in boxes of ``side`` pixels that cover ``window``.

    (rows, columns, 4): the sum of each channel, and how many pixels that is: 0 outside.
    """
    sums = np.empty((-(-window.height // side), -(-window.width // side), 4), np.float32)
    box_differences(
        plain(picture),
        corrected[window.pixels],
        known.seen_from(window),
        hole.seen_from(window),
        side,
        sums,
    )
    return sums


def _colours(sums: Floats) -> Floats:
    """The same, where boxes count less that differ by what they show, in place: a trunk that begins
    at the join says nothing of the sky's colour, nor that of the trunk's.

    Weights are Welsch's (Dennis & Welsch, Communications in Statistics B 7, 1978), but fall more
    steeply. A whole side of another shade is believed all the same: all that is summed is divided
    by its weights.
    """
    seen = sums[:, :, 3] > 0
    away = sums[seen][:, :3] / sums[seen][:, 3:]
    apart = np.zeros(seen.shape, np.float32)
    apart[seen] = np.sqrt(((away - np.median(away, axis=0)) ** 2).mean(axis=1))
    limit = max(SHADE, COMMON * float(np.quantile(apart[seen], 0.25)))
    for line in (apart, apart.T):  # what lies beside a difference may hold a part of it
        line[1:-1] = np.maximum(line[1:-1], np.maximum(line[:-2], line[2:]))
    sums[seen] *= np.exp(-((apart[seen] / limit) ** 4))[:, None]
    return sums


def _add(
    corrected: Floats, cells: Floats, side: int, known: Area, window: Area, reach: int
) -> None:
    """Add what boxes of ``side`` pixels in ``window`` hold, around ``known`` and on its edge.

    The edge's own pixels are those that ``close`` looks at next; it looks no further inside.
    """
    share = falling(known, window, reach)
    for strip in _around(known, window):
        at = strip.seen_from(window)
        fading = share[at.pixels]
        add_between(cells, side, at.left, at.top, fading, corrected[strip.pixels])


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
    """(h, w, values times certainty, and certainty) → the same, all certain, smoothly filled in."""
    height, width = weighted.shape[:2]
    certain = weighted[:, :, 3:]
    if min(height, width) <= 1 or certain.min() >= 1:
        return np.where(certain > 0, weighted / np.maximum(certain, 1e-6), 0)
    filled = weighted.copy()
    add_between(_filled(_halved(weighted)), 2, 0, 0, 1 - certain[:, :, 0], filled)
    return filled


def _halved(weighted: Floats) -> Floats:
    """Boxes of 2 x 2: the means of what is certain, and how certain that is, 1 at most."""
    height, width = weighted.shape[:2]
    sums = np.zeros((-(-height // 2), -(-width // 2), 4), np.float32)
    quad_sums(weighted, sums)
    return _means(sums)


def _means(sums: Floats) -> Floats:
    """Sums and their weight → means where that weight is 1 at least; in place."""
    sums /= np.maximum(sums[:, :, 3:], 1)
    return sums


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
