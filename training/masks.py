"""Masks as the engine makes them: a frame around the picture, one side of it, or everything.

Training canvases are squares, so a frame is a square in the middle and a side is a band. All edges
lie on latent cells, as the engine's do. Knows no pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.models import CELL

_WHOLE, _FRAME = 0.12, 0.58
"""Shares of first pictures and of frames; the rest are single sides."""
_COMMON = (1.5, 2.0)
"""Zoom factors that films mostly have; half of the masks have one of them."""
_RANGE = (1.2, 2.2)


def draw_masks(count: int, size: int, generator: torch.Generator) -> Tensor:
    """(count, 1, size, size) float on the CPU, 1 = paint. ``size`` is a multiple of 8."""
    masks = []
    for _ in range(count):
        kind = float(torch.rand(1, generator=generator))
        zoom = _draw_zoom(generator)
        if kind < _WHOLE:
            masks.append(torch.ones(1, size, size))
        elif kind < _WHOLE + _FRAME:
            masks.append(frame(size, zoom))
        else:
            masks.append(side(size, zoom, int(torch.randint(4, (1,), generator=generator))))
    return torch.stack(masks)


def frame(size: int, zoom_factor: float) -> Tensor:
    """(1, size, size): all four borders around a picture that a zoom factor leaves (direct)."""
    pad = _cells(size * (1 - 1 / zoom_factor) / 2)
    mask = torch.ones(1, size, size)
    mask[:, pad : size - pad, pad : size - pad] = 0
    return mask


def side(size: int, zoom_factor: float, turn: int) -> Tensor:
    """(1, size, size): one border (sequential), on the left, top, right or bottom for 0 … 3.

    A picture of side w grows by (zoom factor - 1) w / 2 at one end and then at the other, so what
    is added first is the larger share of the canvas of its call.
    """
    growth = (zoom_factor - 1) / 2
    pad = _cells(size * growth / (1 + growth * (1 if turn < 2 else 2)))
    mask = torch.zeros(1, size, size)
    mask[:, :, :pad] = 1
    # Each quarter turn to the right takes the left border to the top, and so on.
    return torch.rot90(mask, -turn, dims=(1, 2))


def _draw_zoom(generator: torch.Generator) -> float:
    chance, place = torch.rand(2, generator=generator).tolist()
    if chance < 0.5:
        return _COMMON[int(place * len(_COMMON))]
    low, high = _RANGE
    return low + float(place) * (high - low)


def _cells(pixels: float) -> int:
    """The nearest multiple of a latent cell, at least one."""
    return max(1, round(pixels / CELL)) * CELL
