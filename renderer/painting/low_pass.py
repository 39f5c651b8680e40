"""A picture in a few large boxes: its colours without its detail, and their spread.

Knows nothing of painters and of what colours should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.painting.kernels import Pixels, box_sums, plain

CELLS, CELL_SIDE, CELLS_LEAST = 12, 16, 4
"""Boxes along a picture's shorter side over which it is low-passed for the fit; fewer, but at
least CELLS_LEAST, where they would be smaller than CELL_SIDE. Small boxes still hold detail that
softness takes away, and the fit would mistake that for lost contrast: boxes of 8 pixels make the
gain 0.3 to 1.6 % too high at every keyframe; these 0.0 to 0.2 %."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
"""Shares of red, green and blue in BT.709's luma, which the film has. Chroma is what is left."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A picture low-passed to a few large boxes."""

    means: NDArray[np.float64]
    """(rows, columns, 3)."""
    weights: NDArray[np.float64]
    """(rows, columns): the share of the picture that each box covers."""

    def mean_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the picture of (rows, columns, …) values."""
        return np.tensordot(self.weights, values, axes=2)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of each channel, (3)."""
        return self.mean_of(self.means)

    @property
    def parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Luma, (rows, columns), and chroma, (rows, columns, 3), less their means."""
        away = self.means - self.mean
        luma = away @ LUMA
        return luma, away - luma[:, :, None]

    def spreads(self, gain: float, chroma: float) -> tuple[float, float]:
        """Standard deviations of colours and of their chroma, all channels together, after a
        correction with these gains."""
        luma, colour = self.parts
        both = gain * luma[:, :, None] + chroma * colour
        whole, part = (self.mean_of(values**2).mean() for values in (both, chroma * colour))
        return float(np.sqrt(whole)), float(np.sqrt(part))


def low_passed(picture: Pixels) -> Cells:
    """The (H, W, 3) picture in boxes as nearly square and equal as whole pixels allow."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    side = shorter / max(min(CELLS, shorter // CELL_SIDE), CELLS_LEAST)
    tops, lefts = (np.linspace(0, n, round(n / side) + 1).astype(int) for n in (height, width))
    sums = np.empty((len(tops) - 1, len(lefts) - 1, 3), np.int64)
    box_sums(plain(picture).reshape(height, -1), tops, lefts, sums)
    areas = np.outer(np.diff(tops), np.diff(lefts))
    return Cells(sums / areas[:, :, None], areas / (height * width))
