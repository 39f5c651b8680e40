"""Pictures for step after step, cut out several steps at a time.

Looking at them piece by piece costs a GPU many small calls. What a round holds follows from its
number, so a run that goes on makes the round that it had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from training.clock import Phase, phase_at
from training.randomness import generator
from training.running import Options
from training.source import Source

ROUND = 8
"""Steps whose pictures are cut out together."""


class Rounds:
    """Rounds of the sizes that a stage's ``phases``, by the names of sizes, say."""

    def __init__(
        self, pictures: Source, phases: Mapping[str, Sequence[Phase]], options: Options, stage: str
    ) -> None:
        self._pictures = pictures
        self._phases = phases[options.sizes.name]
        self._options = options
        self._stage = stage
        self._round: tuple[Tensor, ...] = ()

    def draw(self, step: int) -> Tensor:
        """(N, 3, H, W) in [-1, 1]: what ``step`` learns from; steps come one after another."""
        if not self._round or step % ROUND == 0:
            self._round = self._cut(step // ROUND)
        return self._round[step % ROUND].contiguous(memory_format=torch.channels_last)

    def _cut(self, number: int) -> tuple[Tensor, ...]:
        draws = generator(torch.device("cpu"), self._options.seed, self._stage, "round", number)
        progress = self._options.clock.progress(number * ROUND)
        phase = phase_at(self._phases, progress, self._options.batch)
        pictures, _ = self._pictures.batch(ROUND * phase.batch, phase.size, draws)
        return torch.split(pictures, phase.batch)
