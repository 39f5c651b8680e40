"""Stage 1: the autoencoder, pictures to latents and back, with stars that stay sharp.

python -m training.autoencoder PACK RUN --minutes 6

Writes RUN/autoencoder.safetensors (goes on from it), RUN/autoencoder.jsonl, RUN/autoencoder.png.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint
from training.averages import Average
from training.clock import Phase
from training.critic import RATE, SHARE, Critic
from training.latents import plain, whitened
from training.models import Sizes, build_autoencoder
from training.randomness import generator
from training.rounds import Rounds
from training.running import Options, follow, main, quick
from training.source import Source, open_pack, save_sheet
from training.stage import Resumed, check_sizes

NAME = "autoencoder"
_PHASES = {
    # The last part sees what group norms see in use: a whole canvas at once.
    "full": (Phase(0.0, 256, 32), Phase(0.75, 512, 8)),
    "medium": (Phase(0.0, 128, 12), Phase(0.5, 256, 4), Phase(0.8, 384, 2)),
    "small": (Phase(0.0, 128, 8),),
    "tiny": (Phase(0.0, 64, 4),),
}
_RATE = 5e-4
_CRITIC_SINCE, _CRITIC_RISE = 0.25, 0.1
"""Progress at which the discriminator begins to count, and over which it comes to count fully."""
_KL = 1e-5
_NOISE = 0.05
"""Added to latents, as a share of their spread: what the UNet paints is not exact either."""
_SMALLER = 0.25
"""Share of steps in which latents are decoded at another scale (Kouzelis et al. 2025, EQ-VAE).

Latents of which half the size is half the picture are smooth, and smooth ones are learnt faster.
"""
_SCALE = 0.5
"""That scale. One only: a GPU tries out its convolutions for each size of pictures."""
_LED, _LED_UNTIL = 1.0, 0.5
"""What it counts at first that latents are as ``latents.plain`` has them; progress at which that no
longer counts. Left alone they tell light alone for long: colours first lie below their noise."""


class AutoencoderStage(Resumed):
    """Trains the autoencoder against the discriminator; resumes from ``run`` if it holds one."""

    name = NAME

    def __init__(self, pictures: Source, held_out: Source, options: Options) -> None:
        super().__init__(options)
        self._pictures, self._held_out = pictures, held_out
        sizes, device = options.sizes, options.device
        self._model: Any = build_autoencoder(sizes).to(device, memory_format=torch.channels_last)
        self._critic = Critic(sizes.discriminator, device)
        self._average = Average(self._model)
        self._rounds = Rounds(pictures, _PHASES, options, NAME)
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(),
            _RATE,
            betas=(0.9, 0.95),
            weight_decay=1e-3,
            fused=device.type == "cuda",
        )
        self._resume()
        if options.compiled:
            self._model.encoder.compile()
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
        """One step of the autoencoder and, once it counts, one of the discriminator."""
        progress = self._options.clock.progress(self.step)
        draws = generator(torch.device("cpu"), self._options.seed, NAME, self.step)
        true = self._rounds.draw(self.step)
        warm_up = self._options.sizes.warm_up
        self._set_rate(self._optimizer, _RATE, progress, warm_up)
        self._set_rate(self._critic.optimizer, RATE, progress, warm_up)
        counts = min(1.0, max(0.0, (progress - _CRITIC_SINCE) / _CRITIC_RISE))
        led = _LED * max(0.0, 1 - progress / _LED_UNTIL)
        figures = self._learn(true, counts * SHARE, led, draws)
        self._average.update(self.step)
        self.step += 1
        return figures

    def _learn(
        self, true: Tensor, share: float, led: float, draws: torch.Generator
    ) -> dict[str, Tensor]:
        """Update both; ``share``, ``led``: what the discriminator and plain latents count."""
        with quick(self._options.device):
            posterior = self._model.encode(true).latent_dist
            divergence = _divergence(posterior) / true[0].numel()
            astray = (posterior.mean[:, :3].float() - plain(true)).abs().mean()
            latents, true = self._disturbed(posterior, true, draws)
            made = self._model.decode(latents).sample.float()
        gradient, figures = self._critic.gradient(made, true, share)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward([made, divergence * _KL + astray * led], [gradient, None])
        follow(self._optimizer)
        figures |= {"kl": divergence, "astray": astray}
        if share:
            figures |= self._critic.learn(made, true)
        return figures

    def _disturbed(
        self, posterior: Any, true: Tensor, draws: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Latents as the decoder may meet them, and the picture that they stand for."""
        seed = int(torch.randint(2**62, (1,), generator=draws))
        noise = torch.Generator(true.device).manual_seed(seed)
        latents = posterior.sample(noise)
        shape, device = latents.shape, latents.device
        added = torch.randn(shape, generator=noise, device=device)
        amount = _NOISE * latents.detach().std() * torch.rand(1, generator=draws).item()
        latents = latents + amount * added
        if torch.rand(1, generator=draws).item() >= _SMALLER:
            return latents, true
        return _scaled(latents, _SCALE), _scaled(true, _SCALE)

    def _more(self) -> Mapping[str, Any]:
        """The spread of the average's latents."""
        mean, covariance, noise = self._spread()
        return {
            "mean": mean.tolist(),
            "covariance": covariance.tolist(),
            "noise": noise.tolist(),
        }

    @torch.no_grad()
    def _spread(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of the latents' channels: mean (4,), covariance (4, 4), the posteriors' variance (4,)."""
        draws = generator(torch.device("cpu"), self._options.seed, NAME, "spread")
        phase = _PHASES[self._options.sizes.name][0]
        means, variances = [], []
        for _ in range(4):
            pictures, _ = self._pictures.batch(phase.batch, phase.size, draws)
            posterior = self._average.model.encode(pictures).latent_dist
            means.append(posterior.mean.transpose(0, 1).flatten(1))
            variances.append(posterior.var.transpose(0, 1).flatten(1))
        latents, noise = torch.cat(means, 1), torch.cat(variances, 1).mean(1)
        return latents.mean(1), torch.cov(latents) + torch.diag(noise), noise

    def show(self) -> Mapping[str, float]:
        """A sheet of held-out pictures above their reconstructions, and the PSNR in dB."""
        size = _PHASES[self._options.sizes.name][-1].size
        sheet = self._options.run / f"{NAME}.png"
        return compare(self._average.model, self._held_out, size, sheet)


def _divergence(posterior: Any) -> Tensor:
    """From a normal distribution, of all latents of a picture, mean over pictures; in float32."""
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    each: Tensor = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
    return each.flatten(1).sum(1).mean()


def _scaled(tensor: Tensor, factor: float) -> Tensor:
    return functional.interpolate(
        tensor.float(), scale_factor=factor, mode="bilinear", antialias=True
    )


@torch.no_grad()
def compare(model: Any, held_out: Source, size: int, sheet: Path) -> dict[str, float]:
    """A sheet of pictures above what ``model`` makes of them; the mean of their PSNRs in dB."""
    draws = generator(torch.device("cpu"), 0, NAME, "show")
    errors, rows = [], []
    for _ in range(4):
        true, _ = held_out.batch(4, size, draws)
        made = model.decode(model.encode(true).latent_dist.mode()).sample.clamp(-1, 1)
        errors += [float(value) for value in (made - true).square().mean((1, 2, 3)) / 4]
        rows += [true, made]
    save_sheet(sheet, rows)
    decibels = [-10 * math.log10(max(error, 1e-10)) for error in errors]
    return {"held_out_psnr": sum(decibels) / len(decibels)}


def finished(run: Path, sizes: Sizes) -> Any:
    """The trained autoencoder of a run, its latents' channels alike and independent of each other.

    The pipeline knows one factor for all channels, so what makes them so goes into the 1x1
    convolutions around the latents. Raises ValueError if the run has none of these sizes.
    """
    file = run / f"{NAME}.safetensors"
    if not file.exists():
        raise ValueError(f"{run} has no trained autoencoder; run training.autoencoder first")
    model = build_autoencoder(sizes)
    average = Average(model)
    state = checkpoint.read(file, {"average-autoencoder": average})
    check_sizes(state, sizes, file)
    spread = (torch.tensor(state[name]) for name in ("mean", "covariance", "noise"))
    return whitened(average.model, *spread)


def train(options: Options) -> bool:
    """Run the stage; True if it was stopped before its budget was used up."""
    pictures, held_out = open_pack(options.pack, options.device)
    return AutoencoderStage(pictures, held_out, options).train()


if __name__ == "__main__":
    sys.exit(main(train, __doc__))
