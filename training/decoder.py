"""Stage 1 b: the decoder alone, on latents as a painter leaves them: not quite right.

python -m training.decoder PACK RUN --minutes 8

Latents that were painted are off by a little in every direction; a decoder that has only met exact
ones makes threads and rings of that. Here they are white (``latents.whitened``), so noise disturbs
colour as much as light. The encoder stays as it is, and so does the meaning of latents: a UNet that
was trained on them goes on with the new decoder, whether it came before or after.

Writes RUN/decoder.safetensors (goes on from it), RUN/decoder.jsonl, RUN/decoder.png.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training import autoencoder, checkpoint
from training.averages import Average
from training.clock import Phase
from training.critic import RATE, SHARE, Critic
from training.models import Sizes
from training.randomness import generator
from training.rounds import Rounds
from training.running import Options, follow, main, quick
from training.source import Source, open_pack
from training.stage import Resumed, check_sizes

NAME = "decoder"
PHASES: Mapping[str, tuple[Phase, ...]] = {
    "full": (Phase(0.0, 384, 16),),
    "medium": (Phase(0.0, 256, 4),),
    "small": (Phase(0.0, 128, 8),),
    "tiny": (Phase(0.0, 64, 4),),
}
_RATE = 3e-4
_NOISE = 0.25
"""Most that latents are off by, as a share of their spread."""
_RISE = 0.1
"""Progress over which the critic, which begins anew, comes to count."""


class DecoderStage(Resumed):
    """Trains the decoder of a finished autoencoder; resumes from ``run`` if it holds one."""

    name = NAME

    def __init__(self, pictures: Source, held_out: Source, options: Options) -> None:
        super().__init__(options)
        sizes, device = options.sizes, options.device
        self._held_out = held_out
        given = autoencoder.finished(options.run, sizes).to(device)
        self._model: Any = copy.deepcopy(given).to(memory_format=torch.channels_last)
        for part in (self._model.decoder, self._model.post_quant_conv):
            part.train().requires_grad_(True)
        self._critic = Critic(sizes.discriminator, device)
        self._average = Average(self._model)
        self._rounds = Rounds(pictures, PHASES, options, NAME)
        self._optimizer = torch.optim.AdamW(
            [value for value in self._model.parameters() if value.requires_grad],
            _RATE,
            betas=(0.9, 0.95),
            weight_decay=1e-3,
            fused=device.type == "cuda",
        )
        self._resume()
        _check_encoder(self._average.model, given, self._file)
        if options.compiled:
            self._model.decoder.compile()

    @property
    def _parts(self) -> dict[str, checkpoint.Part]:
        return {
            "autoencoder": self._model,
            "average-autoencoder": self._average,
            "optimizer": self._optimizer,
            **self._critic.parts,
        }

    def advance(self) -> Mapping[str, Tensor]:
        """One step of the decoder, and one of the critic."""
        progress = self._options.clock.progress(self.step)
        warm_up = self._options.sizes.warm_up
        self._set_rate(self._optimizer, _RATE, progress, warm_up)
        self._set_rate(self._critic.optimizer, RATE, progress, warm_up)
        true = self._rounds.draw(self.step)
        latents = self._disturbed(true)
        with quick(self._options.device):
            made = self._model.decode(latents).sample.float()
        share = SHARE * min(1.0, progress / _RISE)
        gradient, figures = self._critic.gradient(made, true, share)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(made, gradient)
        follow(self._optimizer)
        lesson = self._critic.learn(made, true)
        self._average.update(self.step)
        self.step += 1
        return {**figures, **lesson}

    @torch.no_grad()
    def _disturbed(self, true: Tensor) -> Tensor:
        """Their latents, each picture's off by up to ``_NOISE``."""
        noise = generator(true.device, self._options.seed, NAME, "noise", self.step)
        with quick(true.device):
            latents = self._model.encode(true).latent_dist.sample(noise).float()
        amount = _NOISE * torch.rand(len(latents), 1, 1, 1, generator=noise, device=true.device)
        added = torch.randn(latents.shape, generator=noise, device=true.device)
        disturbed: Tensor = latents + amount * added
        return disturbed

    def show(self) -> Mapping[str, float]:
        """A sheet of held-out pictures above their reconstructions, and the PSNR in dB."""
        sheet = self._options.run / f"{NAME}.png"
        size = PHASES[self._options.sizes.name][-1].size
        return autoencoder.compare(self._average.model, self._held_out, size, sheet)


def finished(run: Path, sizes: Sizes) -> Any:
    """The trained autoencoder of a run, its decoder this stage's if there is one.

    Raises ValueError if the run has no autoencoder, or one of other sizes.
    """
    model = autoencoder.finished(run, sizes)
    file = run / f"{NAME}.safetensors"
    if not file.exists():
        return model
    average = Average(model)
    check_sizes(checkpoint.read(file, {"average-autoencoder": average}), sizes, file)
    _check_encoder(average.model, model, file)
    return average.model


def _check_encoder(trained: Any, given: Any, file: Path) -> None:
    """Raise ValueError if the decoder was trained for latents of another autoencoder."""
    ours, theirs = trained.quant_conv.weight, given.quant_conv.weight
    # Nearly: a run that has travelled in its slim form is rounded.
    if not torch.allclose(ours, theirs, rtol=0, atol=0.01 * float(theirs.abs().max())):
        raise ValueError(f"{file} is of another autoencoder than the one beside it; remove it")


def train(options: Options) -> bool:
    """Run the stage; True if it was stopped before its budget was used up."""
    pictures, held_out = open_pack(options.pack, options.device)
    return DecoderStage(pictures, held_out, options).train()


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
