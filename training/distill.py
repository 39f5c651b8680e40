"""Stage 3, optional: one pass of the UNet learns to do what four guided passes do.

python -m training.distill PACK RUN --minutes 4

Guidance and steps are distilled together (Salimans & Ho 2022; Meng et al. 2023, "On Distillation of
Guided Diffusion Models"): the teacher takes two guided DDIM steps, two passes each, over an eighth
of the schedule; the student learns the one v that leads to the same place. Eight passes then make
a picture, a third of what the teacher needs.

Writes RUN/distilled.safetensors (goes on from it), RUN/distilled.jsonl, RUN/distilled.png.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from training import checkpoint, unet
from training.autoencoder import finished
from training.averages import Average
from training.bank import Banks, Batch, Filler
from training.clock import Phase
from training.noise import TRAIN_STEPS, Schedule
from training.painting import painted_sheet, trailing
from training.randomness import generator
from training.running import Options, follow, main
from training.source import Source, open_pack
from training.stage import Resumed, check_sizes

NAME = "distilled"
STEPS = 8
"""Of the student, for a whole picture."""
_JUMP = TRAIN_STEPS // STEPS
_SUBSTEPS = 2
PHASES: Mapping[str, tuple[Phase, ...]] = {
    "full": (Phase(0.0, 512, 96), Phase(0.5, 768, 40)),
    "medium": (Phase(0.0, 384, 12),),
    "small": (Phase(0.0, 128, 8),),
    "tiny": (Phase(0.0, 64, 4),),
}
_RATE = 1e-4
_WARM_UP = 20
"""Steps in which the rate rises: few, for the student begins as its teacher, and has few."""
_ON_GRID = 0.6
"""Share of samples at the time steps that sampling really visits; the rest lie anywhere."""


class DistillStage(Resumed):
    """Trains the student; resumes from ``run`` if it holds one, else starts from the teacher."""

    name = NAME

    def __init__(self, pictures: Source, options: Options) -> None:
        super().__init__(options)
        device = options.device
        self._autoencoder = finished(options.run, options.sizes).to(device)
        teacher = read_trained(options)
        self._tokenizer = teacher.tokenizer
        self._teacher: Any = teacher.average_unet.model
        self._text: Any = teacher.average_text.model
        self._student: Any = copy.deepcopy(self._teacher).train().requires_grad_(True)
        self._average = Average(self._student)
        filler = Filler(pictures, self._autoencoder, self._tokenizer, device)
        # Other seeds than the teacher's, whose banks began with the same pictures.
        self._banks = Banks(filler, PHASES, options, options.seed + 1)
        self._empty = filler.empty
        self._schedule = Schedule(device)
        self._optimizer = torch.optim.AdamW(
            self._student.parameters(), _RATE, weight_decay=0.0, fused=device.type == "cuda"
        )
        self._resume()
        if options.compiled:
            self._student.compile()
            self._teacher.compile()

    @property
    def _parts(self) -> dict[str, checkpoint.Part]:
        return {
            "unet": self._student,
            "average-unet": self._average,
            "optimizer": self._optimizer,
        }

    def advance(self) -> Mapping[str, Tensor]:
        """One step of the student."""
        device, seed = self._options.device, self._options.seed
        draws = generator(torch.device("cpu"), seed, NAME, self.step)
        batch = self._banks.draw(self.step, draws)
        start = draw_starts(len(batch.latents), draws).to(device)
        added = torch.randn(
            batch.latents.shape,
            generator=generator(device, seed, "noise", self.step),
            device=device,
        )
        noisy, _ = self._schedule.noised(batch.latents, added, start)
        aim = self._taught(noisy, start, batch)
        v = unet.predict(self._student, self._text, noisy, start, batch)
        loss = (v - aim).square().mean()
        progress = self._options.clock.progress(self.step)
        self._set_rate(self._optimizer, _RATE, progress, _WARM_UP)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        follow(self._optimizer)
        self._average.update(self.step)
        self.step += 1
        return {"loss": loss}

    @torch.no_grad()
    def _taught(self, noisy: Tensor, start: Tensor, batch: Batch) -> Tensor:
        """The v that takes one step to where the teacher comes in two guided ones."""
        end = (start - _JUMP).clamp(min=-1)
        silent = Batch(batch.latents, batch.mask, batch.known, self._empty.expand_as(batch.tokens))
        latents, time = noisy, start
        for number in range(1, _SUBSTEPS + 1):
            after = start + (end - start) * number // _SUBSTEPS
            told = unet.predict(self._teacher, self._text, latents, time, batch)
            plain = unet.predict(self._teacher, self._text, latents, time, silent)
            v = plain + unet.GUIDANCE * (told - plain)
            latents = self._schedule.turned(latents, v, time, after)
            time = after
        return self._schedule.v_between(noisy, latents, start, end)

    def show(self) -> Mapping[str, float]:
        """A sheet of first pictures and borders, painted unguided by the student's average."""
        painted_sheet(
            self._options.run / f"{NAME}.png",
            autoencoder=self._autoencoder,
            unet=self._average.model,
            text=self._text,
            tokenizer=self._tokenizer,
            schedule=self._schedule,
            size=PHASES[self._options.sizes.name][-1].size,
            steps=STEPS,
            guidance=1.0,
        )
        return {}


def draw_starts(count: int, draws: torch.Generator) -> Tensor:
    """(count,) time steps that a jump starts from: mostly those of a run with ``STEPS`` steps."""
    grid = torch.tensor([time for time, _ in trailing(STEPS)])
    visited = grid[torch.randint(STEPS, (count,), generator=draws)]
    anywhere = torch.randint(_JUMP - 1, TRAIN_STEPS, (count,), generator=draws)
    return torch.where(torch.rand(count, generator=draws) < _ON_GRID, visited, anywhere)


def read_trained(options: Options) -> unet.Painter:
    """The models that stage 2 has trained. Raises ValueError if there are none of these sizes."""
    file = options.run / f"{unet.NAME}.safetensors"
    if not file.exists():
        raise ValueError(f"{options.run} has no trained UNet; run training.unet first")
    painter = unet.Painter(options.sizes, options.device)
    check_sizes(checkpoint.read(file, painter.parts), options.sizes, file)
    return painter


def train(options: Options) -> bool:
    """Run the stage; True if it was stopped before its budget was used up."""
    pictures, _ = open_pack(options.pack, options.device)
    return DistillStage(pictures, options).train()


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
