"""Where a dive goes: the place of the next picture in a canvas. Knows no painters and no film."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.geometry import Geometry
from renderer.settings.focus import AUTO, parse_point

LOOK = 64
"""Samples along a canvas's shorter side at which detail is looked for."""
SPOT = 0.5
"""Side of a spot ÷ the next picture's."""
NEARER = 0.5
"""How far from the middle the richest spot is at the next keyframe ÷ how far it was."""


def next_place(focus: str, canvas: NDArray[np.uint8], geometry: Geometry) -> tuple[int, int]:
    """Left and top, pixels of the (H, W, 3) ``canvas``, of the picture that comes next.

    It lies inside of what the film sees of the canvas. ``auto`` brings the spot with the most
    detail nearer to the middle at each keyframe, to half its distance, so that nothing jumps.
    """
    if focus == AUTO:
        turn = 1 - NEARER / geometry.zoom_factor
        across, down = (0.5 + turn * (part - 0.5) for part in _richest(canvas, geometry))
    else:
        across, down = parse_point(focus)
    left, top, right, bottom = geometry.view
    width, height = geometry.keyframe_size
    return (
        _held(left + across * (right - left) - width / 2, left, right - width),
        _held(top + down * (bottom - top) - height / 2, top, bottom - height),
    )


def _held(start: float, least: float, most: float) -> int:
    """A whole number near ``start`` within bounds that have one between them."""
    return min(max(round(start), math.ceil(least)), math.floor(most))


def _richest(canvas: NDArray[np.uint8], geometry: Geometry) -> tuple[float, float]:
    """The share of the canvas around which there is the most local contrast; near the middle
    rather than far from it.
    """
    height, width = canvas.shape[:2]
    scale = LOOK / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey = np.asarray(Image.fromarray(canvas).convert("L").resize(size), np.float64)
    contrast = np.hypot(*np.gradient(grey))
    part = SPOT / geometry.zoom_factor
    window = max(1, round(size[0] * part)), max(1, round(size[1] * part))
    sums = np.pad(contrast, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    seen = (
        sums[window[1] :, window[0] :]
        - sums[: -window[1], window[0] :]
        - sums[window[1] :, : -window[0]]
        + sums[: -window[1], : -window[0]]
    )
    down, across = (np.arange(n) - (n - 1) / 2 for n in seen.shape)
    away = np.hypot(down[:, None] / max(size[1], 1), across[None, :] / max(size[0], 1))
    best = int(np.argmax(seen / max(float(seen.max()), 1e-9) - 0.2 * away))
    y, x = divmod(best, seen.shape[1])
    return (x + window[0] / 2) / size[0], (y + window[1] / 2) / size[1]
