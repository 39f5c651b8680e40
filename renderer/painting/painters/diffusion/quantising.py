"""A transformer's weights in 8 bits, for GPUs that are too small for 16: half the memory.

By torchao (an extra, ``zoomtui[quantise]``): each row of a matrix gets a scale of its own, and the
arithmetic stays in the model's number format. Done once the model is loaded, so that LoRAs are
merged in full precision before. Knows pipelines; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import torch

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.hub_errors import one_line

INSTALL = "pip install 'zoomtui[quantise]'"
_PARTS = ("transformer", "controlnet", "text_encoder", "text_encoder_2")
"""What consists of such matrices; of a VAE or UNet, all convolutions, little would be saved."""


def can_quantise(pipeline: Any) -> bool:
    """Whether there is something left to quantise, and the library that does it."""
    return find_spec("torchao") is not None and any(map(_matrices, _parts(pipeline)))


def quantise(pipeline: Any) -> None:
    """Replace the large matrices of the transformers, for good; PainterError where that fails."""
    try:
        from torchao.quantization import Int8WeightOnlyConfig, quantize_
    except (ImportError, OSError, RuntimeError) as error:  # missing, or built for another torch
        raise PainterError(f"torchao can't be loaded: {one_line(error)}; {INSTALL}") from error
    # It would set how torch compiles for the whole process.
    how = Int8WeightOnlyConfig(set_inductor_config=False)
    for part in _parts(pipeline):
        chosen = set(_matrices(part))
        quantize_(part, how, filter_fn=lambda module, _, chosen=chosen: module in chosen)


def stored_bytes(parts: Iterable[torch.nn.Module]) -> int:
    """What the weights of these parts take; some may be in several."""
    tensors = {tensor for part in parts for tensor in part.parameters()}
    return sum(each.nbytes for tensor in tensors for each in _inside(tensor))


def _parts(pipeline: Any) -> list[torch.nn.Module]:
    if not hasattr(pipeline, "transformer"):
        return []
    found = (getattr(pipeline, name, None) for name in _PARTS)
    return [part for part in found if part is not None]


def _matrices(part: torch.nn.Module) -> list[torch.nn.Module]:
    """Those that nothing else uses: a text encoder may end in its own vocabulary."""
    modules = list(part.modules())
    shared = {id(each.weight) for each in modules if isinstance(each, torch.nn.Embedding)}
    return [
        each
        for each in modules
        if isinstance(each, torch.nn.Linear)
        and id(each.weight) not in shared
        and len(_inside(each.weight)) == 1
    ]


def _inside(tensor: Any) -> list[torch.Tensor]:
    """The tensors that a quantised one consists of; any other is one."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return [tensor]
    names, _ = tensor.__tensor_flatten__()
    return [getattr(tensor, name) for name in names]
