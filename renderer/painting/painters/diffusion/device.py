"""Which device paints, and in which number format. Asks torch; decides nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from renderer.errors import PainterError
from renderer.painting.painters.accelerator import accelerator
from renderer.painting.painters.diffusion.hub_errors import one_line


@dataclass(frozen=True, slots=True)
class Device:
    """Where a pipeline runs."""

    device: torch.device
    name: str
    """For people: ``NVIDIA H100 (cuda)``."""

    @property
    def half(self) -> bool:
        """Whether models run in a 16-bit format here."""
        return self.device.type != "cpu"

    def dtype(self, *, prefers_bfloat16: bool) -> torch.dtype:
        """The number format for a family of models.

        float16 on a GPU: ten bits of mantissa against bfloat16's seven, which a picture of 256
        levels shows. bfloat16 for models of which a part overflows float16 (SDXL's first VAE; the
        transformers, which were trained in it), where the GPU computes in it natively. float32 on
        a CPU, which is slower at anything else.
        """
        if self.device.type == "cpu":
            return torch.float32
        if (
            prefers_bfloat16
            and self.device.type == "cuda"
            and torch.cuda.is_bf16_supported(including_emulation=False)
        ):
            return torch.bfloat16
        return torch.float16

    def has_room(self, size: int) -> bool:
        """Whether ``size`` bytes are free; only asked of CUDA devices, which can tell."""
        return self.device.type != "cuda" or torch.cuda.mem_get_info(self.device)[0] >= size


def choose(wanted: str = "auto") -> Device:
    """The accelerator if torch sees one (CUDA or ROCm, then Apple's), else the CPU.

    ``wanted``: as the setting. Raises PainterError where a GPU is wanted, or is there, and torch
    can't use it: on the CPU a keyframe would take a hundred times as long.
    """
    if wanted != "cpu" and torch.cuda.is_available():
        return Device(torch.device("cuda"), f"{torch.cuda.get_device_name()} (cuda)")
    if wanted != "cpu" and torch.backends.mps.is_available():
        return Device(torch.device("mps"), "Apple GPU (mps)")
    if wanted == "gpu" or (wanted == "auto" and accelerator()):
        raise PainterError(
            f"torch can't use {accelerator() or 'a GPU'}: {_hindrance()}; mend that, or paint on "
            "the CPU with --device cpu"
        )
    return Device(torch.device("cpu"), f"CPU, {torch.get_num_threads()} threads; slow")


def _hindrance() -> str:
    """Why there is no CUDA device, in torch's own words."""
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return one_line(error)
    return "it sees none"
