"""A VAE that overflows float16, put into float32; around it everything stays as it was.

SDXL's first one does so on some pictures (madebyollin/sdxl-vae-fp16-fix tells why): what comes out
is black or no number at all. Knows pipelines; knows nothing of what is painted.
"""

from __future__ import annotations

from typing import Any

import torch

_PARTS = ("encoder", "decoder", "quant_conv", "post_quant_conv")


def upcast(pipeline: Any) -> bool:
    """Let the pipeline's VAE compute in float32, for good. False: it is not in float16."""
    vae = getattr(pipeline, "vae", None) or getattr(pipeline, "movq", None)
    parts = [part for name in _PARTS if (part := getattr(vae, name, None)) is not None]
    tensors = [tensor for part in parts for tensor in part.parameters()]
    if not any(tensor.dtype == torch.float16 and not tensor.is_meta for tensor in tensors):
        return False
    for part in parts:
        part.float()
        part.register_forward_pre_hook(_enter)
        part.register_forward_hook(_leave)
    return True


def _enter(part: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    wanted = next(part.parameters()).dtype
    return tuple(
        each.to(wanted) if isinstance(each, torch.Tensor) and each.is_floating_point() else each
        for each in inputs
    )


def _leave(part: torch.nn.Module, inputs: tuple[Any, ...], result: torch.Tensor) -> torch.Tensor:
    return result.to(torch.float16)
