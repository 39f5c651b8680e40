"""The noise schedule: how much signal and noise each time step holds, and steps between them.

Stable Diffusion's schedule, rescaled so that the last time step is pure noise (Lin et al. 2024,
"Common Diffusion Noise Schedules and Sample Steps are Flawed"), with the UNet predicting
v = alpha * noise - sigma * latents (Salimans & Ho 2022, "Progressive Distillation for Fast Sampling
of Diffusion Models"). alpha² + sigma² = 1, so a time step is an angle and a step is a turn.
"""

from __future__ import annotations

import torch
from torch import Tensor

BETA_START, BETA_END, BETA_SCHEDULE = 0.00085, 0.012, "scaled_linear"
"""As diffusers' schedulers name them."""
TRAIN_STEPS = 1000
_LAST_SHARE = 0.1
"""So many samples are trained at pure noise, where every picture begins."""
_LEANING = 0.7
"""How time steps lean towards noise: 1 not at all. Words are heard there; a thousand and more
latents leave no doubt of light and colour as soon as there is a little signal in them."""
_SNR_CAP = 5.0


class Schedule:
    """alpha and sigma of all time steps, on one device."""

    def __init__(self, device: torch.device) -> None:
        betas = (
            torch.linspace(
                BETA_START**0.5,
                BETA_END**0.5,
                TRAIN_STEPS,
                dtype=torch.float64,
            )
            ** 2
        )
        alphas = torch.cumprod(1 - betas, 0).sqrt()
        alphas = (alphas - alphas[-1]) * alphas[0] / (alphas[0] - alphas[-1])
        # One more entry, t = -1, which Python's indexing finds at the end: the clean picture.
        alphas = torch.cat([alphas, torch.ones(1, dtype=torch.float64)])
        self.alpha = alphas.float().to(device)
        self.sigma = (1 - alphas**2).clamp(min=0).sqrt().float().to(device)

    def signal_and_noise(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma at ``times`` (N,), -1 … 999, each (N, 1, 1, 1)."""
        return self.alpha[times].view(-1, 1, 1, 1), self.sigma[times].view(-1, 1, 1, 1)

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """(noisy latents, v) of clean latents and noise of unit variance, (N, C, H, W) each."""
        alpha, sigma = self.signal_and_noise(times)
        return alpha * latents + sigma * noise, alpha * noise - sigma * latents

    def turned(self, noisy: Tensor, v: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """The DDIM step from ``start`` to ``end`` (N,), without added noise."""
        cosine, sine = self._turn(start, end)
        return cosine * noisy - sine * v

    def v_between(self, noisy: Tensor, result: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """The v whose single step from ``start`` to ``end`` leads from ``noisy`` to ``result``."""
        cosine, sine = self._turn(start, end)
        return (cosine * noisy - result) / sine

    def weights(self, times: Tensor) -> Tensor:
        """What each time step counts in the loss on v, (N, 1, 1, 1), about 1 and less.

        1 up to a signal-to-noise ratio (SNR) of 4, then falling: min(SNR + 1, 5) / (SNR + 1). It
        caps easy steps as min-SNR does (Hang et al. 2023, "Efficient Diffusion Training via Min-SNR
        Weighting Strategy"), but does not let pure noise count nothing, where colours are settled.
        """
        alpha, sigma = self.signal_and_noise(times)
        above = alpha**2 / (sigma**2).clamp(min=1e-6) + 1
        return above.clamp(max=_SNR_CAP) / above

    def _turn(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the angle between two time steps."""
        (a, s), (b, u) = self.signal_and_noise(start), self.signal_and_noise(end)
        return a * b + s * u, s * b - a * u


def draw_times(count: int, generator: torch.Generator) -> Tensor:
    """(count,) int64 on the CPU: one from each of ``count`` equally probable parts of 0 … 999.

    And some 999 in their stead. Parts rather than free draws: every batch holds all noise levels,
    which calms the gradient. More of them are noisy ones than not.
    """
    parts = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    times = (parts**_LEANING * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)
    last = torch.rand(count, generator=generator) < _LAST_SHARE
    return torch.where(last, TRAIN_STEPS - 1, times)
