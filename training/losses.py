"""How far a picture is from another, as an eye sees it that looks at skies."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SCALES = 3
_STARS = 4.0
"""How much more a pixel counts per unit by which it differs from its surroundings."""
_EDGES = 2.0
_RIM = 3.0
"""What the outermost pixels count: a picture's rim is a seam in the picture around it."""
_TINTS = 4.0
"""What colour counts that is the same over eight pixels."""


def pyramid_loss(made: Tensor, true: Tensor) -> Tensor:
    """L1 of the pictures and of their gradients at three scales, (N, 3, H, W) in [-1, 1] → ().

    Small bright things weigh more: a star of four pixels is nothing in a mean over the picture,
    and everything to an eye that looks at it. So do broad differences of colour: most of a sky is
    dark, where colours are next to nothing as numbers, and are what a prompt asks for.
    """
    loss = made.new_zeros(())
    for _ in range(_SCALES):
        surroundings = functional.avg_pool2d(true, 5, 1, 2, count_include_pad=False)
        weight = 1 + _STARS * (true - surroundings).abs().amax(1, keepdim=True)
        for rim in (weight[..., 0], weight[..., -1], weight[..., 0, :], weight[..., -1, :]):
            rim.mul_(_RIM)
        loss = loss + (weight * (made - true).abs()).mean()
        for axis in (2, 3):
            loss = loss + _EDGES * (made.diff(dim=axis) - true.diff(dim=axis)).abs().mean()
        made, true = functional.avg_pool2d(made, 2), functional.avg_pool2d(true, 2)
    return loss + _TINTS * (tint(made) - tint(true)).abs().mean()


def tint(pictures: Tensor) -> Tensor:
    """How much redder than green, and bluer than both, (N, 3, H, W) → (N, 2, H, W)."""
    red, green, blue = pictures.unbind(1)
    return torch.stack([red - green, blue - (red + green) / 2], 1)
