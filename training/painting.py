"""Painting with models that are still in training: sheets to look at between two runs.

The finished folder is sampled by ``training.sample``, through the product's own painter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTokenizer

from training.masks import frame, in_pixels
from training.models import CELL, LATENT_CHANNELS
from training.noise import TRAIN_STEPS, Schedule
from training.running import quick
from training.source import save_sheet
from training.tokens import encode

PROMPTS = (
    "crimson nebula, glowing",
    "blue nebula, glowing, many stars",
    "golden nebula, glowing",
    "star cluster, glowing, countless stars",
    "blue spiral galaxy",
    "deep field, galaxies",
)
_ZOOM = 1.5
_BORDERS = 3


@torch.no_grad()
def painted_sheet(
    path: Path,
    *,
    autoencoder: Any,
    unet: Any,
    text: Any,
    tokenizer: CLIPTokenizer,
    schedule: Schedule,
    size: int,
    steps: int,
    guidance: float,
) -> None:
    """A row for each prompt: a first picture, and zooms out of it, by ``steps`` of DDIM."""
    device = schedule.alpha.device
    noise = torch.Generator(device).manual_seed(0)
    words = _words(text, encode(tokenizer, [*PROMPTS, *[""] * len(PROMPTS)]).to(device))
    picture = torch.zeros(len(PROMPTS), 3, size, size, device=device)
    cells = torch.ones(1, 1, size // CELL, size // CELL, device=device)
    rows = []
    for number in range(_BORDERS + 1):
        if number:
            cells = frame(size // CELL, _ZOOM).to(device)[None]
            picture = _placed(picture, in_pixels(cells))
        painted = _painted(
            picture, cells, words, autoencoder, unet, schedule, steps, guidance, noise
        )
        picture = torch.where(in_pixels(cells) > 0.5, painted, picture)
        rows.append(picture)
    save_sheet(path, [torch.stack(tuple(column)) for column in zip(*rows, strict=True)])


def _words(text: Any, tokens: Tensor) -> Tensor:
    with quick(tokens.device):
        words: Tensor = text(tokens).last_hidden_state
    return words


def _placed(picture: Tensor, mask: Tensor) -> Tensor:
    """The pictures, smaller, where the mask is open; grey around them."""
    inside = (mask[0, 0] < 0.5).nonzero()
    low, high = int(inside.min()), int(inside.max()) + 1
    small = functional.interpolate(
        picture, (high - low, high - low), mode="bilinear", antialias=True
    )
    canvas = torch.zeros_like(picture)
    canvas[:, :, low:high, low:high] = small
    return canvas


def _painted(
    picture: Tensor,
    cells: Tensor,
    words: Tensor,
    autoencoder: Any,
    unet: Any,
    schedule: Schedule,
    steps: int,
    guidance: float,
    noise: torch.Generator,
) -> Tensor:
    count, device = len(picture), picture.device
    with quick(device):
        masked = picture * (in_pixels(cells) < 0.5)
        known = autoencoder.encode(masked).latent_dist.mode().float()
    condition = torch.cat([cells.expand(count, -1, -1, -1), known], 1).repeat(2, 1, 1, 1)
    shape = (count, LATENT_CHANNELS, *known.shape[2:])
    latents = torch.randn(shape, generator=noise, device=device)
    for time, after in trailing(steps):
        start, end = (torch.full((count,), value, device=device) for value in (time, after))
        with quick(device):
            inputs = torch.cat([latents.repeat(2, 1, 1, 1), condition], 1)
            v = unet(inputs, start.repeat(2), words, return_dict=False)[0].float()
        told, plain = v.chunk(2)
        latents = schedule.turned(latents, plain + guidance * (told - plain), start, end)
    with quick(device):
        made: Tensor = autoencoder.decode(latents).sample
    return made.float().clamp(-1, 1)


def trailing(steps: int) -> list[tuple[int, int]]:
    """(time step, the one after it) of a run with so many steps, from 999 down to -1, clean."""
    times = [round(TRAIN_STEPS - n * TRAIN_STEPS / steps) - 1 for n in range(steps)]
    return list(zip(times, [*times[1:], -1], strict=True))
