"""What a model's convolutions see beyond the rim of a picture.

diffusers' models see nothing there, zeros, and a small one therefore dims its rims: by a few
percent over the outermost 20 pixels, which is a dark square in the film as soon as the next border
is joined.
"""

from __future__ import annotations

import torch

from renderer.settings.cosmos import Padding


def set_padding(model: torch.nn.Module, mode: Padding) -> None:
    """Let all convolutions of ``model`` see this beyond the rim; weights, names and shapes stay."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.padding != (0, 0):
            module.padding_mode = mode
