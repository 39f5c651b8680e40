"""How long Stable Diffusion takes for a keyframe without a GPU, at the least: computed, not tried.

The arithmetic of one call of the UNet is known, and how fast this machine multiplies is measured in
a moment. Knows no other model: the larger ones are of no use on a CPU.
"""

from __future__ import annotations

import time

import numpy as np

from renderer.painting.geometry import Geometry
from renderer.painting.tiles import tiles
from renderer.settings.presets import find_preset
from renderer.settings.render import RenderSettings

MODELS = ("sd2", "sd15")
"""Presets that it holds for."""
_CALL = 2 * 339e9
"""Floating-point operations of one call at 512x512: 339 G multiply-adds (Kim et al., "BK-SDM: A
Lightweight, Fast, and Cheap Version of Stable Diffusion", 2023, table 1)."""
_SIDE = 1024
"""Of the matrices that are multiplied."""
_SECONDS = 0.2
"""Time that measuring takes, about."""


def seconds_on_cpu(settings: RenderSettings) -> float | None:
    """The least that a keyframe takes, seconds; None for a model that is not known.

    The rest of the pipeline, and how much slower convolutions are than plain products, come on top.
    """
    preset = find_preset(settings.model)
    if preset is None or preset.name not in MODELS:
        return None
    small = settings.painted_smaller()
    canvas = Geometry.of(small).canvas_size
    side = 0 if settings.method == "direct" else small.tile
    pixels = sum(part.width * part.height for part in tiles(canvas, side, settings.size_multiple))
    guided = 2 if settings.guidance_scale > 1 else 1
    calls = int(settings.steps * settings.strength) * guided * settings.candidates
    return calls * _CALL * pixels / 512**2 / operations_a_second()


def operations_a_second() -> float:
    """How fast this machine multiplies matrices of float32, floating-point operations a second."""
    matrix = np.ones((_SIDE, _SIDE), np.float32)
    matrix @ matrix  # threads are started
    count, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < _SECONDS:
        matrix @ matrix
        count += 1
    return 2 * _SIDE**3 * count / elapsed
