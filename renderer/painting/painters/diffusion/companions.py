"""Loads the parts of a pipeline that its makers publish elsewhere, such as a ControlNet.

Knows where they lie only through ``hub``; puts no pipeline together.
"""

from __future__ import annotations

from typing import Any

import diffusers
import torch

from renderer.painting.painters.diffusion.families.family import Companion
from renderer.painting.painters.diffusion.hub import locate_companion, locate_file


def companion_parts(
    companion: Companion | None, dtype: torch.dtype, *, half: bool, trusted: bool
) -> dict[str, Any]:
    """The parts that the model's own folder lacks, by their names in the whole pipeline.

    ``half``: prefer half-precision weights; ``trusted``: pickled ones may be opened. Raises
    PainterError where they can't be had, and what diffusers raises for wrong contents.
    """
    if companion is None:
        return {}
    place = locate_companion(companion, half=half, trust_pickled=trusted)
    kind = getattr(diffusers, companion.class_name)
    how = {"dtype": dtype, "local_files_only": True}
    if companion.file:
        config = locate_file(companion.configuration, "config.json").parent
        return {companion.part: kind.from_single_file(str(place), config=str(config), **how)}
    found = kind.from_pretrained(place, use_safetensors=None if trusted else True, **how)
    if not companion.models:
        return {companion.part: found}
    return {companion.part + name: part for name, part in found.components.items()}
