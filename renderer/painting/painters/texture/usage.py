"""Which places of an exemplar a canvas has used, so that nothing is seen twice.

Knows places in an exemplar at full scale, in blocks; nothing of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from renderer.painting.painters.texture.exemplar import BLOCK

REUSE_PENALTY = 2.0
"""A patch all of whose pixels were used before costs this much more, as a factor on top of 1."""
SALIENT_PENALTY = 4.0
"""The same for a patch with something eye-catching that was used before, or rests."""


class Usage:
    """Blocks of an exemplar that one canvas has used.

    ``salient``: (H / BLOCK, W / BLOCK), the blocks that catch the eye. ``turn``: those in one half
    of the exemplar rest on even turns, those in the other half on odd ones, so that neighbouring
    rings don't show the same; None: none rests.
    """

    def __init__(self, salient: NDArray[np.bool_], turn: int | None) -> None:
        columns = salient.shape[1]
        self._salient = salient
        self._count = np.zeros(salient.shape, np.int64)
        self._conspicuous = np.zeros_like(salient)
        if turn is not None:
            self._conspicuous = salient & (np.arange(columns) * 2 // columns == turn % 2)

    def penalties(self, origins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Factors ≥ 1 on the costs of patches from these places, (n, 4) → (n,)."""
        top, left, bottom, right = self._blocks(origins)
        area = np.maximum((bottom - top) * (right - left), 1)

        def total(counts: NDArray[np.int64]) -> NDArray[np.int64]:
            sums = np.pad(counts.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
            inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
            return np.asarray(inside)

        seen = total(self._conspicuous.astype(np.int64)) > 0
        reuse = total(self._count) / area
        return np.asarray(1 + REUSE_PENALTY * reuse + SALIENT_PENALTY * seen)

    def mark(self, origin: NDArray[np.float64]) -> None:
        """Count one patch's place as used."""
        top, left, bottom, right = self._blocks(origin).tolist()
        self._count[top:bottom, left:right] += 1
        self._conspicuous[top:bottom, left:right] |= self._salient[top:bottom, left:right]

    def _blocks(self, origins: NDArray[np.float64]) -> NDArray[np.int64]:
        """Places in blocks, (…, 4) → (4, …)."""
        nearest = np.rint(origins / BLOCK).astype(np.int64)
        return np.moveaxis(np.minimum(nearest, self._count.shape * 2), -1, 0)
