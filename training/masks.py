"""Masks as the engine makes them: a frame around the picture, one side of it, or everything.

Training canvases are squares, so a frame is a square in the middle and a side is a band. All edges
lie on latent cells, as the engine's do, so masks are drawn in cells. Knows no pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.models import CELL

_FRAMES = 0.66
"""Share of frames among what has a border; the rest are single sides."""
_COMMON = (1.5, 2.0)
"""Zoom factors that films mostly have; half of the masks have one of them."""
_RANGE = (1.2, 2.2)


def draw_masks(count: int, cells: int, whole: float, generator: torch.Generator) -> Tensor:
    """(count, 1, cells, cells) float on the CPU, 1 = paint: a number for each latent cell.

    ``whole``: share of first pictures.
    """
    masks = []
    for _ in range(count):
        kind = float(torch.rand(1, generator=generator))
        zoom = _draw_zoom(generator)
        if kind < whole:
            masks.append(torch.ones(1, cells, cells))
        elif kind < whole + _FRAMES * (1 - whole):
            masks.append(frame(cells, zoom))
        else:
            masks.append(side(cells, zoom, int(torch.randint(4, (1,), generator=generator))))
    return torch.stack(masks)


def in_pixels(masks: Tensor) -> Tensor:
    """(…, cells, cells) → (…, 8 cells, 8 cells): the same masks of the picture, on any device."""
    return masks.repeat_interleave(CELL, -1).repeat_interleave(CELL, -2)


def frame(cells: int, zoom_factor: float) -> Tensor:
    """(1, cells, cells): all four borders around a picture that a zoom factor leaves (direct)."""
    pad = _whole(cells * (1 - 1 / zoom_factor) / 2)
    mask = torch.ones(1, cells, cells)
    mask[:, pad : cells - pad, pad : cells - pad] = 0
    return mask


def side(cells: int, zoom_factor: float, turn: int) -> Tensor:
    """(1, cells, cells): one border (sequential): left, top, right or bottom for 0 … 3.

    A picture of side w grows by (zoom factor - 1) w / 2 at one end and then at the other, so what
    is added first is the larger share of the canvas of its call.
    """
    growth = (zoom_factor - 1) / 2
    pad = _whole(cells * growth / (1 + growth * (1 if turn < 2 else 2)))
    mask = torch.zeros(1, cells, cells)
    mask[:, :, :pad] = 1
    # Each quarter turn to the right takes the left border to the top, and so on.
    return torch.rot90(mask, -turn, dims=(1, 2))


def _draw_zoom(generator: torch.Generator) -> float:
    chance, place = torch.rand(2, generator=generator).tolist()
    if chance < 0.5:
        return _COMMON[int(place * len(_COMMON))]
    low, high = _RANGE
    return low + float(place) * (high - low)


def _whole(cells: float) -> int:
    """The nearest whole number of cells, at least one."""
    return max(1, round(cells))
