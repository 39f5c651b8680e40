"""What all stages do alike: they go on from their checkpoint, and rates follow their progress.

Knows nothing of what a stage trains.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from training import checkpoint
from training.clock import rate
from training.figures import Figures
from training.models import Sizes
from training.running import Options, drive


class Resumed(ABC):
    """A stage whose state lies in RUN/NAME.safetensors.

    A subclass calls this first, builds its ``_parts``, and then calls ``_resume``.
    """

    name: ClassVar[str]

    def __init__(self, options: Options) -> None:
        self._options = options
        torch.manual_seed(options.seed)
        self.step = 0
        self._fresh_since = 0
        """The step at which the optimizers began without moments."""

    @property
    @abstractmethod
    def _parts(self) -> dict[str, checkpoint.Part]:
        """All that is trained, by the names that it has in a checkpoint."""

    @abstractmethod
    def advance(self) -> Mapping[str, Tensor]:
        """See ``running.Stage``."""

    @abstractmethod
    def show(self) -> Mapping[str, float]:
        """See ``running.Stage``."""

    def train(self) -> bool:
        """Use up the budget; True if it was stopped before."""
        options = self._options
        figures = Figures(options.run / f"{self.name}.jsonl", every=options.every)
        return drive(self, options.clock, figures)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "sizes": self._options.sizes.name,
            "step": self.step,
            "fresh_since": self._fresh_since,
            **self._more(),
        }
        checkpoint.write(self._file, self._parts, state)

    @property
    def _file(self) -> Path:
        return self._options.run / f"{self.name}.safetensors"

    def _more(self) -> Mapping[str, Any]:
        """What else a checkpoint says."""
        return {}

    def _resume(self) -> None:
        """Go on from the checkpoint, if there is one. Raises ValueError if it has other sizes."""
        if self._file.exists():
            state = checkpoint.read(self._file, self._parts)
            check_sizes(state, self._options.sizes, self._file)
            self.step, self._fresh_since = state["step"], state["fresh_since"]

    def _set_rate(
        self, optimizer: torch.optim.Optimizer, highest: float, progress: float, warm_up: int
    ) -> None:
        """The learning rate of the coming step; ``warm_up``: steps in which it rises."""
        factor = rate(progress, self.step - self._fresh_since, warm_up)
        for group in optimizer.param_groups:
            group["lr"] = highest * factor


def check_sizes(state: Mapping[str, Any], sizes: Sizes, file: Path) -> None:
    """Raise ValueError if a checkpoint was made with other sizes."""
    if state["sizes"] != sizes.name:
        raise ValueError(f"{file} was trained with --sizes {state['sizes']}, not {sizes.name}")
