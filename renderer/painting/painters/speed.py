"""The speed levels of the diffusion painter, and what each one trades. Light: names and numbers.

``diffusion/compiling.py`` and ``diffusion/guidance.py`` put them into effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Compilation = Literal["blocks", "whole"]


@dataclass(frozen=True, slots=True)
class Level:
    """What is done on a CUDA device to paint faster."""

    compilation: Compilation
    """``blocks``: the repeated ones, once for all sizes. ``whole``: the whole denoiser with CUDA
    graphs, anew for each size, so only where every canvas has the same size."""
    guided: float
    """Share of the steps that follow the prompt with full weight; the last ones do without, which
    halves their work. 1: all."""
    few_steps: bool
    """Take a distilled variant of the model where one is known (``models.FewSteps``)."""
    trade: str
    """For people."""


LEVELS: Mapping[str, Level] = {
    "quality": Level(
        "blocks", 1.0, few_steps=False, trade="paints exactly what the model would; compiles once"
    ),
    "balanced": Level(
        "whole",
        0.7,
        few_steps=False,
        trade="no guidance in the last 30 % of the steps; a longer warm-up",
    ),
    "fast": Level(
        "whole",
        0.7,
        few_steps=True,
        trade="4 to 8 steps by a distilled LoRA where one is known: less detail and variety",
    ),
}
"""Every name that ``--speed`` takes."""
