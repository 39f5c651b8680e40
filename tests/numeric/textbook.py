"""What the compiled loops should come to, the slow way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def lanczos_matrix(start: float, stop: float, outputs: int, samples: int) -> NDArray[np.float64]:
    """(outputs, samples): the textbook's antialiased Lanczos-3, nothing clever."""
    scale = (stop - start) / outputs
    centres = start + (np.arange(outputs) + 0.5) * scale
    x = (np.arange(samples) + 0.5 - centres[:, None]) / max(scale, 1)
    weights: NDArray[np.float64] = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights
