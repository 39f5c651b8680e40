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
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training import checkpoint, unet
from training.autoencoder import check_sizes, finished
from training.averages import Average
from training.bank import Batch, Filler
from training.clock import Phase, phase_at, rate
from training.figures import Figures
from training.noise import TRAIN_STEPS, Schedule
from training.painting import painted_sheet, trailing
from training.randomness import generator
from training.running import Options, drive, follow, main
from training.source import Source, open_pack

NAME = "distilled"
STEPS = 8
"""Of the student, for a whole picture."""
_JUMP = TRAIN_STEPS // STEPS
_SUBSTEPS = 2
PHASES: Mapping[str, tuple[Phase, ...]] = {
    "full": (Phase(0.0, 512, 96), Phase(0.5, 768, 40)),
    "small": (Phase(0.0, 128, 8),),
    "tiny": (Phase(0.0, 64, 4),),
}
_RATE = 1e-4
_WARM_UP = 20
"""Steps in which the rate rises: few, for the student begins as its teacher, and has few."""
_ON_GRID = 0.6
"""Share of samples at the time steps that sampling really visits; the rest lie anywhere."""


class DistillStage:
    """Trains the student; resumes from ``run`` if it holds one, else starts from the teacher."""

    def __init__(self, pictures: Source, options: Options) -> None:
        self._options = options
        device = options.device
        torch.manual_seed(options.seed)
        self._autoencoder = finished(options.run, options.sizes).to(device)
        teacher = read_trained(options)
        self._tokenizer = teacher.tokenizer
        self._teacher: Any = teacher.average_unet.model
        self._text: Any = teacher.average_text.model
        self._student: Any = copy.deepcopy(self._teacher).train().requires_grad_(True)
        self._average = Average(self._student)
        self._filler = Filler(pictures, self._autoencoder, self._tokenizer, device)
        self._schedule = Schedule(device)
        self._optimizer = torch.optim.AdamW(
            self._student.parameters(), _RATE, weight_decay=0.0, fused=device.type == "cuda"
        )
        self.step = 0
        self._fresh_since = 0
        if self._file.exists():
            state = checkpoint.read(self._file, self._parts)
            check_sizes(state, options.sizes, self._file)
            self.step, self._fresh_since = state["step"], state["fresh_since"]
        if options.compiled:
            self._student.compile()
            self._teacher.compile()
        self._bank: Batch | None = None
        self._phase = Phase(0.0, 0, 0)

    @property
    def _file(self) -> Path:
        return self._options.run / f"{NAME}.safetensors"

    @property
    def _parts(self) -> dict[str, checkpoint.Part]:
        return {
            "unet": self._student,
            "average-unet": self._average,
            "optimizer": self._optimizer,
        }

    def advance(self) -> Mapping[str, Tensor]:
        """One step of the student."""
        if self._bank is None or self.step % unet.ROUND == 0:
            self._bank = self._filled()
        device, seed = self._options.device, self._options.seed
        draws = generator(torch.device("cpu"), seed, NAME, self.step)
        count = self._phase.batch
        places = torch.randint(len(self._bank.latents), (count,), generator=draws)
        batch = self._bank.at(places.to(device))
        start = draw_starts(count, draws).to(device)
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
        factor = rate(progress, self.step - self._fresh_since, _WARM_UP)
        for group in self._optimizer.param_groups:
            group["lr"] = _RATE * factor
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
        silent = Batch(
            batch.latents, batch.mask, batch.known, self._filler.empty.expand_as(batch.tokens)
        )
        latents, time = noisy, start
        for number in range(1, _SUBSTEPS + 1):
            after = start + (end - start) * number // _SUBSTEPS
            told = unet.predict(self._teacher, self._text, latents, time, batch)
            plain = unet.predict(self._teacher, self._text, latents, time, silent)
            v = plain + unet.GUIDANCE * (told - plain)
            latents = self._schedule.turned(latents, v, time, after)
            time = after
        return self._schedule.v_between(noisy, latents, start, end)

    def _filled(self) -> Batch:
        number = self.step // unet.ROUND
        progress = self._options.clock.progress(number * unet.ROUND)
        phases = PHASES[self._options.sizes.name]
        self._phase = phase_at(phases, progress, self._options.batch)
        entries = self._phase.batch * unet.ROUND // unet.USES
        # Other seeds than the teacher's, whose banks began with the same pictures.
        return self._filler.fill(entries, self._phase.size, self._options.seed + 1, number)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "sizes": self._options.sizes.name,
            "step": self.step,
            "fresh_since": self._fresh_since,
        }
        checkpoint.write(self._file, self._parts, state)

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
    stage = DistillStage(pictures, options)
    figures = Figures(options.run / f"{NAME}.jsonl", every=options.every)
    return drive(stage, options.clock, figures)


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
