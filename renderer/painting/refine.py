"""Zooming in: the canvas that shows what the last picture shows, painted with finer detail.

A painter is shown the picture enlarged, and is believed only what the picture can't tell. Its
answer is bent until it is, scaled down, the picture that it came from, so that one interval of the
film ends as the next one begins; this is iterative back-projection (M. Irani and S. Peleg,
"Improving Resolution by Image Registration", CVGIP 53, 1991). Grain that a painter leaves
everywhere is taken out first, or it would be magnified with the picture and be joined by new grain
at every keyframe. Values are sRGB, 0 … 255. Knows no painters, settings or files.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.painting import colour_match
from renderer.painting.geometry import Geometry
from renderer.painting.kernels import Floats, Pixels

Box = tuple[float, float, float, float]

ITERATIONS = 4
ENOUGH = 0.25
"""Levels: corrections that are nowhere larger are not worth another iteration."""
GRAIN_MOST = 2.0
"""Levels: what is coarser is no grain but something that was painted."""
GRAIN_CELL = 8
"""Pixels of a square in which grain is measured, and told from detail."""
GRAIN_FLOOR = 0.05
"""Share of the squares that are so flat that they show nothing but grain."""
SLACK_MOST = 0.5
"""Levels by which a pixel may differ where the painter agrees with the picture but for rounding: to
follow that would be to enlarge the rounding, keyframe after keyframe. A painter that is further off
gets none, or its softness would show in the first frame of the next interval."""
SHARED = 8
"""Pixels of a square that have a difference in common, if it is more than a single pixel's."""
ROUNDING = 1 / 6
"""Variance, levels², of the difference of two pictures that were each rounded to whole levels."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Between a picture, (H, W, 3) of the keyframe's size, and the canvas that shows the same."""

    geometry: Geometry

    def up(self, picture: NDArray[np.generic]) -> Floats:
        """(H, W, 3) → float32 of the canvas's size; beyond the view as in a mirror."""
        (cw, ch), rho = self.geometry.canvas_size, self.geometry.zoom_factor
        left, top, _, _ = self.geometry.view
        margin = 1 + math.ceil(max(left, top) / rho)
        x, y = margin - left / rho, margin - top / rho
        around = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
        return _resized(around, (cw, ch), (x, y, x + cw / rho, y + ch / rho))

    def down(self, canvas: NDArray[np.generic]) -> Floats:
        """(CH, CW, 3) → float32 of the picture's size: what the next interval begins with."""
        return _resized(canvas, self.geometry.keyframe_size, self.geometry.view)


def agreed(painted: Pixels, picture: Pixels, scales: Scales, *, fit: bool = True) -> Pixels:
    """The canvas: ``painted``, in agreement with ``picture``.

    ``fit``: undo the painter's change of colours first. Both are (H, W, 3), of the canvas's and
    the keyframe's size; so is the result, of the canvas's.
    """
    shown = scales.down(painted)
    correction = colour_match.fit(picture, rounded(shown)) if fit else colour_match.UNCHANGED
    canvas = correction.apply(painted)
    grain = _grain(picture - scales.down(canvas)) * scales.geometry.zoom_factor
    if grain:
        canvas = _without_grain(canvas, scales.up(picture), grain)
    return held(canvas, picture, scales)


def held(canvas: Floats, picture: Pixels, scales: Scales) -> Pixels:
    """``canvas``, bent in place until it is ``picture`` when it is scaled down."""
    slack = float(np.clip(1 - residue(canvas, picture, scales), 0, SLACK_MOST))
    for _ in range(ITERATIONS):
        more = _to_correct(picture - scales.down(canvas), slack)
        if float(np.abs(more).max()) < ENOUGH:
            break
        canvas += scales.up(more)
        np.clip(canvas, 0, 255, out=canvas)
    return rounded(canvas)


def residue(canvas: NDArray[np.generic], picture: Pixels, scales: Scales) -> float:
    """How far the scaled-down canvas is from the picture: root mean square, of 255."""
    return float(np.sqrt(np.mean((scales.down(canvas) - picture) ** 2)))


def _to_correct(away: Floats, slack: float) -> Floats:
    """What of an (H, W, 3) difference is more than ``slack``, or common to many pixels."""
    height, width = away.shape[:2]
    few = max(1, width // SHARED), max(1, height // SHARED)
    shared = _resized(_resized(away, few, (0, 0, width, height)), (width, height), (0, 0, *few))
    own = away - shared
    shared += np.sign(own) * np.maximum(np.abs(own) - slack, 0)
    return shared


def _grain(away: Floats) -> float:
    """Standard deviation of white noise in an (H, W, 3) difference, levels; 0: none but rounding.

    J. Immerkær, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64, 1996.
    """
    bent = np.diff(np.diff(away, 2, axis=0), 2, axis=1)
    deviation = math.sqrt(math.pi / 2) * float(np.abs(bent).mean()) / 6
    return math.sqrt(max(0.0, deviation**2 - ROUNDING))


def _without_grain(canvas: Floats, smooth: Floats, most: float) -> Floats:
    """The canvas with grain taken out of what it has beyond ``smooth``, at most so many levels.

    Detail is kept in proportion to how far it rises above the grain around it, which is that of the
    flattest places: an empirical Wiener filter (J.-S. Lee, "Digital Image Enhancement and Noise
    Filtering by Use of Local Statistics", IEEE PAMI 2, 1980).
    """
    detail = canvas - smooth
    variance = _local_mean((detail**2).mean(axis=2))
    grain = min(float(np.quantile(variance, GRAIN_FLOOR)), most**2, GRAIN_MOST**2)
    kept = np.clip(1 - 2 * grain / np.maximum(variance, 1e-6), 0, 1)
    return smooth + detail * kept[:, :, None].astype(np.float32)


def _local_mean(values: Floats) -> Floats:
    """(H, W) → means of the squares around, (H, W)."""
    height, width = values.shape
    small = max(1, width // GRAIN_CELL), max(1, height // GRAIN_CELL)
    plane = Image.fromarray(values).resize(small, Image.Resampling.BOX)
    return np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _resized(values: NDArray[np.generic], size: tuple[int, int], box: Box) -> Floats:
    """The part ``box`` of (H, W, 3) ``values`` at ``size``, float32; Lanczos-3."""

    def one(channel: int) -> Floats:
        plane = Image.fromarray(np.ascontiguousarray(values[:, :, channel], np.float32))
        return np.asarray(plane.resize(size, Image.Resampling.LANCZOS, box=box))

    with ThreadPoolExecutor(3) as pool:  # Pillow lets other threads run meanwhile
        return np.stack(list(pool.map(one, range(3))), axis=2)


def rounded(values: Floats) -> Pixels:
    """To whole levels, 0 … 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
