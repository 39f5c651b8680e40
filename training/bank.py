"""Latents to train on: pictures encoded once, with masks, and used several times.

A bank is filled anew every so many steps. What it holds follows from a seed, so a run that goes on
makes the bank that it had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from training.clock import Phase, phase_at
from training.masks import draw_masks, in_pixels
from training.models import CELL
from training.randomness import generator
from training.running import Options, quick
from training.source import Source
from training.tokens import encode, with_strangers

ROUND = 96
"""Steps that one bank is good for."""
USES = 6
"""How often an entry of a bank is drawn, in the mean: encoding costs as much as learning does."""
_VIEWS = 2
"""Entries made of one crop: each its own turn and mirror image, and its own mask."""
_AT_ONCE = 64
"""Crops that are encoded together."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from, on the device."""

    latents: Tensor
    """(N, 4, H, W)"""
    mask: Tensor
    """(N, 1, H, W), 1 = paint."""
    known: Tensor
    """(N, 4, H, W): latents of the picture with its masked part grey."""
    tokens: Tensor
    """(N, 77) int64"""

    @property
    def condition(self) -> Tensor:
        """The UNet's other five channels, in the pipeline's order."""
        return torch.cat([self.mask, self.known], 1)

    def at(self, places: Tensor) -> Batch:
        """The entries at these places."""
        return Batch(
            self.latents[places], self.mask[places], self.known[places], self.tokens[places]
        )


class Filler:
    """Makes banks out of pictures with a finished autoencoder."""

    def __init__(
        self, pictures: Source, autoencoder: Any, tokenizer: CLIPTokenizer, device: torch.device
    ) -> None:
        self._pictures = pictures
        self._autoencoder = autoencoder
        self._tokenizer = tokenizer
        self._device = device
        self.empty = encode(tokenizer, [""]).to(device)
        """(1, 77): the tokens of no words."""

    @torch.no_grad()
    def fill(self, count: int, phase: Phase, seed: int, number: int) -> Batch:
        """A bank of ``count`` entries, or one more, of pictures as ``phase`` has them."""
        draws = generator(torch.device("cpu"), seed, "bank", number)
        crops = -(-count // _VIEWS)
        parts = [
            self._part(min(_AT_ONCE, crops - done), phase, draws)
            for done in range(0, crops, _AT_ONCE)
        ]
        return Batch(
            torch.cat([part.latents for part in parts]),
            torch.cat([part.mask for part in parts]),
            torch.cat([part.known for part in parts]),
            torch.cat([part.tokens for part in parts]),
        )

    def _part(self, crops: int, phase: Phase, draws: torch.Generator) -> Batch:
        pictures, captions = self._pictures.batch(crops, phase.size, draws)
        views = torch.cat([_turned(pictures, draws) for _ in range(_VIEWS)])
        texts = [with_strangers(text, draws) for text in captions * _VIEWS]
        masks = draw_masks(len(views), phase.size // CELL, phase.whole, draws).to(self._device)
        noise = torch.Generator(self._device)
        noise.manual_seed(int(torch.randint(2**62, (1,), generator=draws)))
        return Batch(
            latents=self._encoded(views, noise),
            mask=masks,
            known=self._encoded(views * (in_pixels(masks) < 0.5), noise),
            tokens=encode(self._tokenizer, texts).to(self._device),
        )

    def _encoded(self, pictures: Tensor, noise: torch.Generator) -> Tensor:
        with quick(self._device):
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            latents: Tensor = self._autoencoder.encode(pictures).latent_dist.sample(noise)
        return latents.float()


class Banks:
    """Bank after bank, each for ``ROUND`` steps, of the sizes that a stage's ``phases`` say."""

    def __init__(
        self, filler: Filler, phases: Mapping[str, Sequence[Phase]], options: Options, seed: int
    ) -> None:
        """``phases``: by the names of sizes. ``seed``: of all that the banks will hold."""
        self._filler = filler
        self._phases = phases[options.sizes.name]
        self._options = options
        self._seed = seed
        self._bank: Batch | None = None
        self._count = 0

    def draw(self, step: int, draws: torch.Generator) -> Batch:
        """What ``step`` learns from; steps come one after another."""
        if self._bank is None or step % ROUND == 0:
            self._bank = self._filled(step // ROUND)
        places = torch.randint(len(self._bank.latents), (self._count,), generator=draws)
        return self._bank.at(places.to(self._bank.latents.device))

    def _filled(self, number: int) -> Batch:
        progress = self._options.clock.progress(number * ROUND)
        phase = phase_at(self._phases, progress, self._options.batch)
        self._count = phase.batch
        return self._filler.fill(phase.batch * ROUND // USES, phase, self._seed, number)


def _turned(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """All of them by the same quarter turns, mirrored or not: one of the square's 8 ways."""
    way = int(torch.randint(8, (1,), generator=draws))
    turned = torch.rot90(pictures, way % 4, dims=(2, 3))
    return turned.flip(3) if way >= 4 else turned
