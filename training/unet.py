"""Stage 2: text encoder and UNet, which learn to paint borders in the autoencoder's latents.

python -m training.unet PACK RUN --minutes 9 --part 0:0.6

Writes RUN/unet.safetensors (goes on from it), RUN/unet.jsonl, RUN/unet.png.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training import checkpoint
from training.autoencoder import check_sizes, finished
from training.averages import Average
from training.bank import Batch, Filler
from training.captions import vocabulary
from training.clock import Phase, phase_at, rate
from training.figures import Figures
from training.models import Sizes, build_text_encoder, build_unet
from training.noise import Schedule, draw_times
from training.painting import painted_sheet
from training.randomness import generator
from training.running import Options, drive, follow, main, quick
from training.source import Source, open_pack
from training.tokens import build_tokenizer

NAME = "unet"
PHASES: Mapping[str, tuple[Phase, ...]] = {
    # Small pictures teach what things look like; canvases of 768 px are what is painted in the end.
    "full": (Phase(0.0, 384, 256), Phase(0.45, 512, 160), Phase(0.72, 768, 72)),
    "small": (Phase(0.0, 128, 16),),
    "tiny": (Phase(0.0, 64, 4),),
}
ROUND = 96
"""Steps that one bank is good for."""
USES = 6
"""How often an entry of a bank is drawn, in the mean: encoding costs as much as learning does."""
_RATE = 4e-4
_UNPROMPTED = 0.12
"""Share of samples without words, for guidance to compare with."""
_KNOWN = 0.25
"""What a known latent counts; a masked one counts 1."""
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


class UNetStage:
    """Trains the UNet and the text encoder; resumes from ``run`` if it holds them."""

    def __init__(self, pictures: Source, options: Options) -> None:
        self._options = options
        device = options.device
        torch.manual_seed(options.seed)
        self._autoencoder = finished(options.run, options.sizes).to(device)
        self._painter = Painter(options.sizes, device)
        self._filler = Filler(pictures, self._autoencoder, self._painter.tokenizer, device)
        self._schedule = Schedule(device)
        self._optimizer = torch.optim.AdamW(
            [*self._painter.unet.parameters(), *self._painter.text.parameters()],
            _RATE,
            betas=(0.9, 0.99),
            weight_decay=1e-2,
            fused=device.type == "cuda",
        )
        self.step = 0
        self._fresh_since = 0
        if self._file.exists():
            state = checkpoint.read(self._file, self._parts)
            check_sizes(state, options.sizes, self._file)
            self.step, self._fresh_since = state["step"], state["fresh_since"]
        if options.compiled:
            self._painter.unet.compile()
        self._bank: Batch | None = None
        self._phase = Phase(0.0, 0, 0)

    @property
    def _file(self) -> Path:
        return self._options.run / f"{NAME}.safetensors"

    @property
    def _parts(self) -> dict[str, checkpoint.Part]:
        return {**self._painter.parts, "optimizer": self._optimizer}

    def advance(self) -> Mapping[str, Tensor]:
        """One step of both."""
        if self._bank is None or self.step % ROUND == 0:
            self._bank = self._filled()
        device, seed = self._options.device, self._options.seed
        draws = generator(torch.device("cpu"), seed, NAME, self.step)
        count = self._phase.batch
        places = torch.randint(len(self._bank.latents), (count,), generator=draws)
        batch = self._bank.at(places.to(device))
        silent = (torch.rand(count, 1, generator=draws) < _UNPROMPTED).to(device)
        tokens = torch.where(silent, self._filler.empty, batch.tokens)
        batch = Batch(batch.latents, batch.mask, batch.known, tokens)
        noise = generator(device, seed, "noise", self.step)
        progress = self._options.clock.progress(self.step)
        factor = rate(progress, self.step - self._fresh_since, self._options.sizes.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = _RATE * factor
        figures = self._learn(batch, draw_times(count, draws).to(device), noise)
        self._painter.update_averages(self.step)
        self.step += 1
        return figures

    def _filled(self) -> Batch:
        """The bank of the round that the coming step belongs to."""
        number = self.step // ROUND
        progress = self._options.clock.progress(number * ROUND)
        phases = PHASES[self._options.sizes.name]
        self._phase = phase_at(phases, progress, self._options.batch)
        entries = self._phase.batch * ROUND // USES
        return self._filler.fill(entries, self._phase.size, self._options.seed, number)

    def _learn(self, batch: Batch, times: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        shape, device = batch.latents.shape, batch.latents.device
        added = torch.randn(shape, generator=noise, device=device)
        noisy, aim = self._schedule.noised(batch.latents, added, times)
        v = predict(self._painter.unet, self._painter.text, noisy, times, batch)
        places = _KNOWN + (1 - _KNOWN) * batch.mask
        errors = ((v - aim).square() * places).mean((1, 2, 3)) / places.mean((1, 2, 3))
        weights = self._schedule.weights(times).flatten()
        loss = (errors * weights).mean() / weights.mean()
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        length = follow(self._optimizer)
        return {"loss": loss, "plain": errors.mean(), "gradient": length}

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "sizes": self._options.sizes.name,
            "step": self.step,
            "fresh_since": self._fresh_since,
        }
        checkpoint.write(self._file, self._parts, state)

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


def train(options: Options) -> bool:
    """Run the stage; True if it was stopped before its budget was used up."""
    pictures, _ = open_pack(options.pack, options.device)
    stage = UNetStage(pictures, options)
    figures = Figures(options.run / f"{NAME}.jsonl", every=options.every)
    return drive(stage, options.clock, figures)


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
