"""Samplers by the names that people use for them. Light: classes of diffusers are only named.

``diffusion/loading.py`` turns a name into the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from renderer.errors import SettingsError
from renderer.settings.option import unknown


@dataclass(frozen=True, slots=True)
class Sampler:
    """A diffusers scheduler class and what it is told on top of the model's own configuration."""

    class_name: str
    options: Mapping[str, str | bool] = field(default_factory=dict)
    eta: float = 0.0
    """How much noise it adds at each step; pipelines say 0 where they are not told."""


_DPM = "DPMSolverMultistepScheduler"

SCHEDULERS: Mapping[str, Sampler] = {
    "ddim": Sampler("DDIMScheduler"),
    "ddpm": Sampler("DDPMScheduler"),
    # Without this PNDM spends its first three steps on twelve Runge-Kutta evaluations.
    "pndm": Sampler("PNDMScheduler", {"skip_prk_steps": True}),
    "euler": Sampler("EulerDiscreteScheduler"),
    "euler-karras": Sampler("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "euler-a": Sampler("EulerAncestralDiscreteScheduler"),
    "heun": Sampler("HeunDiscreteScheduler"),
    "dpm2": Sampler("KDPM2DiscreteScheduler"),
    "dpm2-a": Sampler("KDPM2AncestralDiscreteScheduler"),
    "dpm++": Sampler(_DPM, {"algorithm_type": "dpmsolver++"}),
    "dpm++-karras": Sampler(_DPM, {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True}),
    "dpm++-sde": Sampler(_DPM, {"algorithm_type": "sde-dpmsolver++"}),
    "dpm++-sde-karras": Sampler(
        _DPM, {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True}
    ),
    "deis": Sampler("DEISMultistepScheduler"),
    "unipc": Sampler("UniPCMultistepScheduler"),
    "lcm": Sampler("LCMScheduler"),
    "tcd": Sampler("TCDScheduler", eta=0.3),  # gamma in its paper, as the LoRAs' cards have it
}
"""Every name that ``--scheduler`` takes."""

ETAS = {sampler.class_name: sampler.eta for sampler in SCHEDULERS.values() if sampler.eta}
"""Class → ``eta``, of those that want one."""


def find_sampler(name: str) -> Sampler:
    """The sampler of that name; case and ``_`` for ``-`` don't matter.

    Raises SettingsError for an unknown name, with the nearest one that exists.
    """
    sampler = SCHEDULERS.get(name.casefold().replace("_", "-"))
    if sampler is None:
        raise SettingsError(unknown(f"scheduler {name!r}", name, set(SCHEDULERS)), "scheduler")
    return sampler
