"""Stage 2: text encoder and UNet, which learn to paint borders in the autoencoder's latents.

python -m training.unet PACK RUN --minutes 9 --part 0:0.6

Writes RUN/unet.safetensors (goes on from it), RUN/unet.jsonl, RUN/unet.png.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint
from training.autoencoder import finished
from training.averages import Average
from training.bank import Banks, Batch, Filler
from training.captions import vocabulary
from training.clock import Phase
from training.models import Sizes, build_text_encoder, build_unet
from training.noise import Schedule, draw_times
from training.painting import painted_sheet
from training.randomness import generator
from training.running import Options, follow, main, quick
from training.source import Source, open_pack
from training.stage import Resumed
from training.tokens import build_tokenizer

NAME = "unet"
PHASES: Mapping[str, tuple[Phase, ...]] = {
    # Where there is a picture to go on from, it says more than words: so words are first learnt by
    # small pictures from nothing. Canvases of 768 px are what is painted in the end.
    "full": (
        Phase(0.0, 256, 512, whole=0.6),
        Phase(0.2, 384, 256, whole=0.3),
        Phase(0.45, 512, 160),
        Phase(0.72, 768, 72),
    ),
    "medium": (
        Phase(0.0, 128, 64, whole=0.6),
        Phase(0.1, 256, 32, whole=0.4),
        Phase(0.4, 384, 16, whole=0.2),
        Phase(0.65, 512, 8),
        Phase(0.85, 768, 4),
    ),
    "small": (Phase(0.0, 128, 16),),
    "tiny": (Phase(0.0, 64, 4),),
}
_RATE = 4e-4
_UNPROMPTED = 0.12
"""Share of samples without words, for guidance to compare with."""
_KNOWN = 0.25
"""What a known latent counts; a masked one counts 1."""
_RIM = 2.0
"""What a cell at the rim counts, to the others: it is a join in the picture around it."""
_SQUARE = 4
"""Side of a square of cells whose mean is looked at."""
_IN_SQUARES, _OVER_ALL = 4.0, 16.0
"""What errors of these means count, and errors of the mean of all."""
GUIDANCE, STEPS = 2.5, 10
"""What the model is used with when it is not distilled."""


class Painter:
    """UNet and text encoder with their averages, on one device."""

    def __init__(self, sizes: Sizes, device: torch.device) -> None:
        self.tokenizer = build_tokenizer(vocabulary())
        self.unet: Any = build_unet(sizes).to(device, memory_format=torch.channels_last)
        self.text: Any = build_text_encoder(sizes, vocabulary()).to(device)
        self.average_unet, self.average_text = Average(self.unet), Average(self.text)

    @property
    def parts(self) -> dict[str, checkpoint.Part]:
        """By the names that they have in a checkpoint."""
        return {
            "unet": self.unet,
            "text": self.text,
            "average-unet": self.average_unet,
            "average-text": self.average_text,
        }

    def update_averages(self, step: int) -> None:
        """After every step."""
        self.average_unet.update(step)
        self.average_text.update(step)


def predict(unet: Any, text: Any, noisy: Tensor, times: Tensor, batch: Batch) -> Tensor:
    """v, (N, 4, H, W) float32."""
    with quick(noisy.device):
        words = text(batch.tokens).last_hidden_state
        inputs = torch.cat([noisy, batch.condition], 1)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        v: Tensor = unet(inputs, times, words, return_dict=False)[0]
    return v.float()


class UNetStage(Resumed):
    """Trains the UNet and the text encoder; resumes from ``run`` if it holds them."""

    name = NAME

    def __init__(self, pictures: Source, options: Options) -> None:
        super().__init__(options)
        device = options.device
        self._autoencoder = finished(options.run, options.sizes).to(device)
        self._painter = Painter(options.sizes, device)
        filler = Filler(pictures, self._autoencoder, self._painter.tokenizer, device)
        self._banks = Banks(filler, PHASES, options, options.seed)
        self._empty = filler.empty
        self._schedule = Schedule(device)
        self._optimizer = torch.optim.AdamW(
            [*self._painter.unet.parameters(), *self._painter.text.parameters()],
            _RATE,
            betas=(0.9, 0.99),
            weight_decay=1e-2,
            fused=device.type == "cuda",
        )
        self._resume()
        if options.compiled:
            self._painter.unet.compile()

    @property
    def _parts(self) -> dict[str, checkpoint.Part]:
        return {**self._painter.parts, "optimizer": self._optimizer}

    def advance(self) -> Mapping[str, Tensor]:
        """One step of both."""
        device, seed = self._options.device, self._options.seed
        draws = generator(torch.device("cpu"), seed, NAME, self.step)
        batch = self._banks.draw(self.step, draws)
        count = len(batch.latents)
        silent = (torch.rand(count, 1, generator=draws) < _UNPROMPTED).to(device)
        tokens = torch.where(silent, self._empty, batch.tokens)
        batch = Batch(batch.latents, batch.mask, batch.known, tokens)
        noise = generator(device, seed, "noise", self.step)
        progress = self._options.clock.progress(self.step)
        self._set_rate(self._optimizer, _RATE, progress, self._options.sizes.warm_up)
        figures = self._learn(batch, draw_times(count, draws).to(device), noise)
        self._painter.update_averages(self.step)
        self.step += 1
        return figures

    def _learn(self, batch: Batch, times: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        shape, device = batch.latents.shape, batch.latents.device
        added = torch.randn(shape, generator=noise, device=device)
        noisy, aim = self._schedule.noised(batch.latents, added, times)
        v = predict(self._painter.unet, self._painter.text, noisy, times, batch)
        errors, broad = _errors(v - aim, _counts(batch.mask))
        weights = self._schedule.weights(times).flatten()
        loss = ((errors + broad) * weights).mean() / weights.mean()
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        length = follow(self._optimizer)
        return {
            "loss": loss,
            "plain": errors.mean(),
            "broad": broad.mean(),
            "gradient": length,
        }

    def show(self) -> Mapping[str, float]:
        """A sheet of first pictures and borders, painted by the averages."""
        painter = self._painter
        painted_sheet(
            self._options.run / f"{NAME}.png",
            autoencoder=self._autoencoder,
            unet=painter.average_unet.model,
            text=painter.average_text.model,
            tokenizer=painter.tokenizer,
            schedule=self._schedule,
            size=PHASES[self._options.sizes.name][-1].size,
            steps=STEPS,
            guidance=GUIDANCE,
        )
        return {}


def _counts(mask: Tensor) -> Tensor:
    """What the error at each place counts, (N, 1, H, W) as the mask."""
    counts = _KNOWN + (1 - _KNOWN) * mask
    counts[..., (0, -1), :] *= _RIM
    counts[..., (0, -1)] *= _RIM
    return counts


def _errors(off: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Squares of what v is off by, (N, 4, H, W), of each picture (N,): of latents, and broad ones.

    Broad ones are those of means over squares of cells and over all of it. What is best stays
    best, but light and colour, which words ask for, are next to nothing among a thousand stars:
    without these a hundred thousand pictures taught the model no colour, with them ten thousand.
    ``counts``: (N, 1, H, W), what each place counts.
    """
    fine = (off.square() * counts).mean((1, 2, 3)) / counts.mean((1, 2, 3))
    off = off * counts
    squares = functional.avg_pool2d(off, _SQUARE).square().mean((1, 2, 3))
    return fine, _IN_SQUARES * squares + _OVER_ALL * off.mean((2, 3)).square().mean(1)


def train(options: Options) -> bool:
    """Run the stage; True if it was stopped before its budget was used up."""
    pictures, _ = open_pack(options.pack, options.device)
    return UNetStage(pictures, options).train()


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
