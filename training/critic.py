"""The critic that pictures are made against: a discriminator, how it learns, and what it counts.

There is no pretrained network to compare features with where this is trained; the discriminator's
own features take that part.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from training import checkpoint
from training.losses import pyramid_loss
from training.running import follow, quick

SHARE = 0.15
"""What it counts beside the pyramid of differences, where it counts fully."""
RATE = 2e-4


class Discriminator(nn.Module):
    """Tells pictures from reconstructions patch by patch (Isola et al. 2017's PatchGAN).

    Spectral norms keep it smooth (Miyato et al. 2018, "Spectral Normalization for GANs"). It sees
    pictures at half their size, and averages before it leaves anything out (Zhang 2019, "Making
    Convolutional Networks Shift-Invariant Again"). One that sees single pixels asks for the grain
    of photographs, which no latent holds: the decoder answers with hatching. Single pixels are the
    pyramid's business.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (3, channels, 2 * channels, 4 * channels)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 3, 1, 1)) for before, after in pairwise(widths)
        )
        self.verdict = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, 3, H, W) → scores (N, 1, H/16, W/16), higher for true ones, and the features."""
        pictures = functional.avg_pool2d(pictures, 2)
        features = []
        for layer in self.layers:
            pictures = functional.leaky_relu(_convolved(layer, pictures), 0.2)
            pictures = functional.avg_pool2d(pictures, 2)
            features.append(pictures)
        return _convolved(self.verdict, pictures), features

    def lesson(self, made: Tensor, true: Tensor) -> Tensor:
        """Its own loss (hinge): true pictures above 1, made ones below -1."""
        fake, _ = self(made.detach())
        real, _ = self(true)
        loss: Tensor = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        return loss

    def criticism(self, made: Tensor, true: Tensor) -> Tensor:
        """The other side's loss: how far it is from passing, and how far features are off."""
        scores, features = self(made)
        with torch.no_grad():
            _, aims = self(true)
        off = sum(
            (functional.l1_loss(own, aim) for own, aim in zip(features, aims, strict=True)),
            start=made.new_zeros(()),
        )
        loss: Tensor = off - scores.mean()
        return loss


class Critic:
    """A discriminator of so many channels and its optimizer, on one device."""

    def __init__(self, channels: int, device: torch.device) -> None:
        model: Any = Discriminator(channels)
        self._device = device
        self._model = model.to(device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            self._model.parameters(), RATE, betas=(0.5, 0.9), fused=device.type == "cuda"
        )

    @property
    def parts(self) -> dict[str, checkpoint.Part]:
        """By the names that they have in a checkpoint."""
        return {"discriminator": self._model, "critic-optimizer": self.optimizer}

    def gradient(
        self, made: Tensor, true: Tensor, share: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What to change ``made`` by, (N, 3, H, W) like it, and the losses that say so.

        The pyramid's gradient, and the critic's at ``share`` of its length.
        """
        loss = pyramid_loss(made, true)
        (gradient,) = torch.autograd.grad(loss, made)
        figures = {"pyramid": loss, "squared": (made - true).square().mean()}
        if share:
            with quick(self._device):
                criticism = self._model.criticism(made, true)
            (critical,) = torch.autograd.grad(criticism, made)
            gradient = balanced(gradient, critical, share)
            figures["criticism"] = criticism
        return gradient, figures

    def learn(self, made: Tensor, true: Tensor) -> Mapping[str, Tensor]:
        """A step of its own; returns its loss."""
        with quick(self._device):
            lesson = self._model.lesson(made, true)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(lesson)
        follow(self.optimizer)
        return {"lesson": lesson}


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
