"""What latents are like: where training begins, and what the UNet gets.

Knows an autoencoder's outermost layers, and nothing of training.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.losses import tint
from training.models import CELL

_LEAST_SPREAD = 0.05
"""Of latents in any direction, as a share of the largest: what bfloat16 still tells apart."""


def plain(pictures: Tensor) -> Tensor:
    """Light and the two tints of every cell, on scales like those of latents.

    (N, 3, H, W) in [-1, 1] → (N, 3, H/8, W/8), each of about deviation 1 over pictures of skies.
    """
    cells = functional.avg_pool2d(pictures, CELL)
    return torch.cat([2 * cells.mean(1, keepdim=True) + 1.5, 8 * tint(cells)], 1)


@torch.no_grad()
def whitened(model: Any, mean: Tensor, covariance: Tensor, noise: Tensor) -> Any:
    """A copy whose latents have mean 0 and covariance 1, and mean the same pictures.

    ``mean``, ``covariance``, ``noise`` (the posteriors' mean variance) as the model's own latents
    have them: (4,), (4, 4), (4,). Where channels say much the same, as of light, what little they
    differ by, as of colour, would else drown in the noise that the UNet learns from. The posteriors
    get one variance for all places: it is small, and a turned one is not one of each channel.
    """
    model = copy.deepcopy(model).eval().requires_grad_(False)
    white, coloured = _whitening(covariance)
    channels = len(mean)
    leaving, entering = model.quant_conv, model.post_quant_conv
    leaving.weight[:channels] = _mixed(white, leaving.weight[:channels])
    leaving.bias[:channels] = white @ (leaving.bias[:channels] - mean)
    leaving.weight[channels:] = 0
    leaving.bias[channels:] = (white.square() @ noise).log()
    entering.bias += entering.weight[:, :, 0, 0] @ mean
    entering.weight[:, :, 0, 0] = entering.weight[:, :, 0, 0] @ coloured
    return model


def _mixed(matrix: Tensor, weight: Tensor) -> Tensor:
    """A 1x1 convolution's weight, (out, in, 1, 1), of which the outputs are mixed by a matrix."""
    return torch.einsum("ij,jkyx->ikyx", matrix, weight)


def _whitening(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The symmetric matrix that takes values of that covariance to covariance 1, and its inverse.

    Directions with next to no spread keep little: there is only rounding to make larger.
    """
    squares, ways = torch.linalg.eigh(covariance.double())
    spread = squares.clamp(min=0).sqrt()
    spread = spread.clamp(min=max(float(spread.max()) * _LEAST_SPREAD, 1e-4))
    white, coloured = (ways * factors @ ways.T for factors in (1 / spread, spread))
    return white.float(), coloured.float()
