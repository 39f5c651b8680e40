"""How much better one version of a border is than another. Knows figures, no pictures."""

from __future__ import annotations

import math

from renderer.painting.colour_match import MEAN_SLACK

DRIFT_WEIGHT = 0.25
"""The cost of a drift as large as the guard's slack: that of a seam of 1.28, which shows."""


def cost(seam: float, drift: float) -> float:
    """How bad a border is, 0 = faultless: |ln seam| + 0.25 · (drift ÷ 24)².

    ``seam`` and ``drift`` are the figures of ``colour_match``. A join half as strong as its
    surroundings shows like one twice as strong, hence the logarithm. Drift is squared: scenes may
    change, so a little of it must hardly count, and much of it must decide.
    """
    return abs(math.log(seam)) + DRIFT_WEIGHT * (drift / MEAN_SLACK) ** 2
