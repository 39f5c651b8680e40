"""Which device paints, and in which number format. Asks torch; decides nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import torch


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


def choose() -> Device:
    """The accelerator if torch sees one (CUDA or ROCm, then Apple's), else the CPU."""
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), f"{torch.cuda.get_device_name()} (cuda)")
    if torch.backends.mps.is_available():
        return Device(torch.device("mps"), "Apple GPU (mps)")
    return Device(torch.device("cpu"), f"CPU, {torch.get_num_threads()} threads; slow")
