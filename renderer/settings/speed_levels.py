"""The speed levels of the diffusion painter, and what each one trades. Light: names and numbers.

``diffusion/compiling.py``, ``guidance.py`` and ``deepcache.py`` put them into effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Compilation = Literal["blocks", "whole"]

LEAST_STEPS = 10
"""With fewer, each step is too far from the one before to reuse its deep features."""


@dataclass(frozen=True, slots=True)
class Level:
    """What is done to paint faster; compilation on a CUDA device only."""

    compilation: Compilation
    """``blocks``: the repeated ones and the resnets, once for all sizes. ``whole``: the whole
    denoiser with CUDA graphs, anew for each size, so only where every canvas has the same size."""
    guided: float
    """Share of the steps that follow the prompt with full weight; the last ones do without, which
    halves their work. 1: all."""
    deep_every: int
    """One step in so many runs the whole of a UNet, the others only its outermost blocks; 1: all
    do. Excludes CUDA graphs, which do the same each time."""

    def whole_every(self, steps: int) -> int:
        """``deep_every`` where a call with that many steps has enough of them for it, else 1."""
        return self.deep_every if steps >= LEAST_STEPS else 1


LEVELS: Mapping[str, Level] = {
    # Paints exactly what the model would.
    "quality": Level("blocks", 1.0, deep_every=1),
    # No guidance in the last 30 % of the steps; a longer warm-up.
    "balanced": Level("whole", 0.7, deep_every=1),
    # That, and 6 to 9 steps by a distilled LoRA where one is known (less detail and variety), else
    # a UNet whose inner blocks run at every third step only (a little detail).
    "fast": Level("whole", 0.7, deep_every=3),
}
"""Every name that ``--speed`` takes."""
