"""How far a stage is: by time or by steps. And what follows from that: rates and batch sizes.

A stage may be done in several runs. ``part`` says which part of the whole this run is, so that what
depends on progress (larger pictures, falling learning rates) goes on where the last run stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

_RESERVE, _MOST_RESERVED = 0.1, 20.0
"""Share and seconds at most of a run's time that are kept for saving and samples."""
_FADING = 0.9
"""What is left of a long step, by which runs end early, with every step: the first one compiles."""
_FALL = 0.5
"""Share of a stage in which learning rates fall, at its end."""
_LEAST = 0.02


@dataclass(slots=True)
class Clock:
    """One run's budget: ``minutes`` from now, or up to step ``steps`` counted from the very first.

    Exactly one of them is given. With steps a run means the same on every machine.
    """

    minutes: float | None = None
    steps: int | None = None
    part: tuple[float, float] = (0.0, 1.0)
    now: Callable[[], float] = time.monotonic
    """Seconds of a clock that is never put back."""
    _began: float = 0.0
    _last: float = 0.0
    _longest: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.now()

    def goes_on(self, step: int) -> bool:
        """Whether there is time for step number ``step`` (from 0) as well."""
        if self.steps is not None:
            return step < self.steps
        seconds = 60 * (self.minutes or 0)
        now = self.now() - self._began
        if self._last:
            self._longest = max(_FADING * self._longest, now - self._last)
        self._last = now
        reserve = min(_RESERVE * seconds, _MOST_RESERVED)
        return now + self._longest < seconds - reserve

    def progress(self, step: int) -> float:
        """0 … 1: how much of the whole stage is done before step number ``step``."""
        if self.steps is not None:
            return step / max(self.steps, 1)
        seconds = 60 * (self.minutes or 0)
        share = min(1.0, (self.now() - self._began) / seconds) if seconds else 1.0
        start, end = self.part
        return start + (end - start) * share


def rate(progress: float, step: int, warm_up: int) -> float:
    """The factor on a learning rate: up at the start, flat, down at the end.

    ``step``: steps since the optimizer began without moments; ``warm_up``: how many of them rise.
    """
    rise = min(1.0, (step + 1) / warm_up)
    fall = min(1.0, max(0.0, 1 - progress) / _FALL)
    return rise * max(_LEAST, fall)


@dataclass(frozen=True, slots=True)
class Phase:
    """From some progress on: pictures of this side, so many at once."""

    since: float
    size: int
    batch: int
    whole: float = 0.12
    """Share of pictures that are painted from nothing, where borders are painted."""


def phase_at(phases: Sequence[Phase], progress: float, share: float = 1.0) -> Phase:
    """The last phase that has begun, with ``share`` of its batch, at least one picture."""
    last = max((phase for phase in phases if phase.since <= progress), key=lambda p: p.since)
    return replace(last, batch=max(1, round(last.batch * share)))
