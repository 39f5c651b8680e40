"""What a model's convolutions see beyond the rim of a picture.

diffusers' models see nothing there, zeros, and a small one therefore dims its rims: by a few
percent over the outermost 20 pixels, which is a dark square in the film as soon as the next border
is joined.
"""

from __future__ import annotations

import torch

MODES = ("zeros", "reflect", "replicate", "circular")
"""As torch.nn.Conv2d names them; ``zeros`` is what diffusers builds."""


def set_padding(model: torch.nn.Module, mode: str) -> None:
    """Let all convolutions of ``model`` see this beyond the rim; weights, names and shapes stay.

    Raises ValueError for a mode that is none of ``MODES``.
    """
    if mode not in MODES:
        raise ValueError(f"padding must be one of {', '.join(MODES)}, not {mode!r}")
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.padding != (0, 0):
            module.padding_mode = mode  # type: ignore[assignment]
