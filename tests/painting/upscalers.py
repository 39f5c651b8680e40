"""Small super-resolution models, built from code with random weights, as safetensors files.

spandrel imports torchvision for two architectures that enlarge nothing: three functions, which are
not called here. There is no torchvision for every build of torch that the tests run with, so where
it is missing they have stand-ins while spandrel is imported; spandrel itself is the real one.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import save_file

from renderer.settings.render import RenderSettings
from tests.painters import Grainy


def import_spandrel() -> Any:
    """spandrel, with or without torchvision."""
    if "spandrel" in sys.modules or importlib.util.find_spec("torchvision"):
        import spandrel

        return spandrel
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = {name: ModuleType(name) for name in names}
    for name in ("InterpolationMode", "rotate", "normalize"):
        setattr(modules[names[-1]], name, None)
    sys.modules.update(modules)
    try:
        import spandrel
    finally:
        for name in names:  # transformers would take it for the real one
            del sys.modules[name]
    return spandrel


spandrel = import_spandrel()
from spandrel.architectures.Compact import Compact  # noqa: E402
from spandrel.architectures.ESRGAN import ESRGAN  # noqa: E402
from spandrel.architectures.SPAN import SPAN  # noqa: E402


def compact(scale: int) -> torch.nn.Module:
    return Compact(num_feat=8, num_conv=2, upscale=scale)


def span(scale: int) -> torch.nn.Module:
    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=scale)


def esrgan(scale: int) -> torch.nn.Module:
    return ESRGAN(scale=scale, num_filters=8, num_blocks=1)


def grainy(settings: RenderSettings) -> Grainy:
    """A painter for engines in processes of their own, which get spandrel with it."""
    return Grainy()


KINDS = {"compact": compact, "span": span, "esrgan": esrgan}


def saved(model: torch.nn.Module, path: Path, *, seed: int = 0, spread: float = 0.02) -> Path:
    """The model's file, with weights drawn anew; ``spread`` says how far they are from 0."""
    torch.manual_seed(seed)
    state = {
        name: (torch.randn_like(value) * spread if value.is_floating_point() else value.clone())
        for name, value in model.state_dict().items()
    }
    save_file(state, path)
    return path
