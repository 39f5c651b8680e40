"""Signals that end a render: the first one soon, a second one at once. Knows no session.

Light: the parent of an engine uses it as well as the engine.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GLANCE = 0.5
"""Seconds: Python runs a signal's handler only between waits, so no wait may be endless."""


class Abandoned(BaseException):
    """A second signal: end at once. The film is whole at every moment, so nothing need be saved."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@contextmanager
def stopping(stop: Callable[[int], None]) -> Iterator[list[int]]:
    """The first signal calls ``stop`` with its number; yields the list of those that came.

    A second one raises Abandoned, wherever the main thread is. SIGHUP, a lost terminal, changes
    nothing. Must be called on the main thread. Signals that were held back (``held_back``) by
    the process that started this one come now.
    """
    came: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise Abandoned(128 + number)
        stop(number)

    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Signals that come while the block runs are heard after it.

    A process that is started in the block begins with them held back, and hears them once it is
    ready for them (``stopping``).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
