"""A running average of a model's weights, which paints better than the weights of any one step."""

from __future__ import annotations

import copy
from typing import Any

import torch

_SHARPNESS = 16
"""The average reaches back over about one 16th of all steps, however many those are."""


class Average:
    """The averaged twin of ``model`` (Karras et al. 2024's power function: no length to choose)."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model
        self.model: Any = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step number ``step``, counted from 0."""
        share = 1 - (1 - 1 / (step + 1)) ** (_SHARPNESS + 1)
        own, new = list(self.model.parameters()), list(self._model.parameters())
        torch._foreach_lerp_(own, [value.detach() for value in new], share)
