"""Keeps the program at most one step ahead of the GPU, so that progress, pause and cancel are true.

A step is only queued when a pipeline says that it is done, and with CUDA graphs all of a picture's
steps are queued in a moment. The GPU never waits: it has the step after this one already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch


class Event(Protocol):
    """A place in the GPU's queue."""

    def synchronize(self) -> None:
        """Wait until the GPU has come to it."""


def record() -> Event:
    """The end of what is queued now; a thread that waits for it leaves its core to others."""
    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


class Pace:
    """For one painter, one call at a time. ``record``: None where there is no queue."""

    def __init__(self, record: Callable[[], Event] | None) -> None:
        self._record = record
        self._last: Event | None = None

    def begin(self) -> None:
        """A call begins."""
        self._last = None

    def at_step_end(self) -> None:
        """Wait until the step before the one that was just queued is done."""
        if self._record is None:
            return
        last, self._last = self._last, self._record()
        if last is not None:
            last.synchronize()
