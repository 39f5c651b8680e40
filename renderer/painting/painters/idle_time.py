"""How long a painter is left without work. Knows painters; knows nothing of what they paint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from renderer.painting.painters import OnStep, Painter, PaintJob, paint_all


class Timed:
    """A painter that measures the time between its calls, by a clock that gives seconds."""

    def __init__(self, painter: Painter, clock: Callable[[], float] = time.monotonic) -> None:
        self.inner = painter
        self._clock = clock
        self._busy = 0.0
        self._idle = 0.0
        self._left: float | None = None

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        """As the painter's own."""
        with self._busily():
            return self.inner.paint(job, on_step)

    def paint_many(
        self, jobs: Sequence[PaintJob], on_step: OnStep
    ) -> Sequence[NDArray[np.uint8] | None]:
        """As the painter's own where it has one, else one ``paint`` after another."""
        with self._busily():
            return paint_all(self.inner, jobs, on_step)

    @contextmanager
    def _busily(self) -> Iterator[None]:
        began = self._clock()
        if self._left is not None:
            self._idle += began - self._left
        try:
            yield
        finally:
            self._left = self._clock()
            self._busy += self._left - began

    def idle(self) -> float:
        """Of the time since this was last asked, the share that lay between two calls, 0 … 1.

        Counted up to the end of the last call; the wait before the very first call doesn't count.
        """
        whole = self._busy + self._idle
        share = self._idle / whole if whole > 0 else 0.0
        self._busy = self._idle = 0.0
        return share
