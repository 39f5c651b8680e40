"""What makes the autoencoder's pictures look right: a pyramid of differences, and a critic.

There is no pretrained network to compare features with where this is trained; the discriminator's
own features take that part.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

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
    and everything to someone who looks at it. So do broad differences of colour: most of a sky is
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


class Discriminator(nn.Module):
    """Tells pictures from reconstructions patch by patch (Isola et al. 2017's PatchGAN).

    Spectral norms keep it smooth (Miyato et al. 2018, "Spectral Normalization for GANs").
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (3, channels, 2 * channels, 4 * channels)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1)) for before, after in pairwise(widths)
        )
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, 3, H, W) → scores (N, 1, H/8, W/8), higher for true ones, and the features."""
        features = []
        for layer in self.layers:
            pictures = functional.leaky_relu(_convolved(layer, pictures), 0.2)
            features.append(pictures)
        return _convolved(self.verdict, pictures), features

    def lesson(self, made: Tensor, true: Tensor) -> Tensor:
        """Its own loss (hinge): true pictures above 1, made ones below -1."""
        fake, _ = self(made.detach())
        real, _ = self(true)
        loss: Tensor = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        return loss

    def criticism(self, made: Tensor, true: Tensor) -> Tensor:
        """The autoencoder's loss: how far it is from passing, and how far features are off."""
        scores, features = self(made)
        with torch.no_grad():
            _, aims = self(true)
        off = sum(
            (functional.l1_loss(own, aim) for own, aim in zip(features, aims, strict=True)),
            start=made.new_zeros(()),
        )
        loss: Tensor = off - scores.mean()
        return loss


def _convolved(layer: nn.Module, pictures: Tensor) -> Tensor:
    """What the layer does, its spectral norm found in full precision whatever else is not."""
    assert isinstance(layer, nn.Conv2d)
    with torch.autocast(pictures.device.type, enabled=False):
        weight = layer.weight
    return functional.conv2d(pictures, weight, layer.bias, layer.stride, layer.padding)


def balanced(first: Tensor, second: Tensor, share: float) -> Tensor:
    """A gradient out of two: the second is brought to ``share`` times the first's length.

    Weights of losses then mean what they say, however large the losses are (the balancer of
    Défossez et al. 2022, "High Fidelity Neural Audio Compression").
    """
    own, other = torch.linalg.vector_norm(first), torch.linalg.vector_norm(second)
    both: Tensor = first + second * (share * own / other.clamp(min=1e-12))
    return both
