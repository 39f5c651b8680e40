"""Super-resolution models from safetensors files, by spandrel; loads torch. Knows no painters.

spandrel (an extra, ``zoomtui[upscale]``) tells a model's architecture from its weights. Nothing
pickled is opened. A model runs where the painter does, on its thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn.functional import interpolate

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.device import choose
from renderer.painting.painters.diffusion.device_errors import device_lost, is_lost
from renderer.painting.painters.diffusion.hub_errors import root_line
from renderer.painting.painters.diffusion.memory import is_full

Pixels = NDArray[np.uint8]

_BROKEN = (ImportError, OSError, RuntimeError)
"""What importing spandrel raises where torchvision is missing, or built for another torch."""
_DAMAGED = (OSError, ValueError, RuntimeError, TypeError, KeyError, AssertionError, SafetensorError)
"""What wrong contents of a file make safetensors and spandrel raise."""


def load(path: str, factor: int, device: str = "auto") -> Callable[[Pixels], Pixels]:
    """What enlarges (H, W, 3) sRGB ``factor`` times each way, with the model in that file.

    A model that enlarges more is scaled down to it. ``device``: as the setting. What is returned
    raises DeviceLost where the device fails and PainterError where its memory is too small. Raises
    PainterError, in one line, where the model can't be loaded or is of another kind.
    """
    try:
        import spandrel
    except _BROKEN as error:
        raise PainterError(
            f"spandrel can't be loaded: {error}; pip install 'zoomtui[upscale]'"
        ) from error
    place = choose(device)
    with device_lost(place.name), _damage_named(path, spandrel.UnsupportedModelError):
        weights = spandrel.canonicalize_state_dict(load_file(Path(path)))
        model = spandrel.ModelLoader().load_from_state_dict(weights)
        _check_kind(model, path, factor)
        half = place.half and model.supports_half
        model.to(place.device, torch.float16 if half else torch.float32).eval()

    def enlarge(picture: Pixels) -> Pixels:
        with device_lost(place.name), _memory_named(place.name, path):
            return _enlarged(model, picture, factor)

    return enlarge


@contextmanager
def _damage_named(path: str, unknown: type[Exception]) -> Iterator[None]:
    try:
        yield
    except unknown:
        raise PainterError(
            f"upscaler {path} is of no architecture that spandrel knows; use another file"
        ) from None
    except _DAMAGED as error:
        if is_lost(error):
            raise
        raise PainterError(f"upscaler {path} can't be loaded: {root_line(error)}") from error


def _check_kind(model: Any, path: str, factor: int) -> None:
    """Refuse what is no super-resolution model for colour pictures, or enlarges too little."""
    if (model.purpose, model.input_channels, model.output_channels) != ("SR", 3, 3):
        raise PainterError(
            f"upscaler {path} ({model.architecture.name}, {model.purpose}) does not enlarge colour "
            "pictures; use a super-resolution model"
        )
    if model.scale < factor:
        raise PainterError(
            f"upscaler {path} enlarges {model.scale} times, not {factor}; use another file"
        )


@contextmanager
def _memory_named(device: str, path: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not is_full(error):
            raise
        raise PainterError(
            f"{device} has too little memory for the upscaler {path}; use a smaller one"
        ) from error


def _enlarged(model: Any, picture: Pixels, factor: int) -> Pixels:
    shown = torch.from_numpy(np.ascontiguousarray(picture)).to(model.device)
    large = model((shown.permute(2, 0, 1)[None].float() / 255).to(model.dtype)).float()
    if model.scale > factor:
        size = [factor * side for side in picture.shape[:2]]
        large = interpolate(large, size, mode="bicubic", antialias=True)
    if not bool(torch.isfinite(large).all()):
        raise PainterError("the upscaler made a broken picture (NaN); use another one")
    levels: torch.Tensor = (large[0] * 255).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous().cpu().numpy()
