"""What may be asked of a session's threads: stop, pause, end for now. Safe from any thread.

Knows nothing of what is being stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from renderer.errors import Cancelled


class Controls:
    """One for both threads of a session. A stop, or an interruption, wins over a pause.

    What it knows is read by all, and changed by its methods alone.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False
        self.hurried = False
        """Stopped at once: what is in hand is not to be finished either."""
        self.interrupted = False
        """Both threads end, since something else is to be rendered than what is in hand."""
        self.paused = False
        self.waited = 0.0
        """Seconds that ``checkpoint`` has spent in pauses so far."""
        self.settled = -1
        """The last number that ``hold`` does not wait for."""
        self._holding: int | None = None

    @property
    def stopped(self) -> bool:
        """Nothing more is to be begun; for good, unless it is only ``interrupted``."""
        return self._stopped or self.interrupted

    @property
    def holding(self) -> int | None:
        """The number that ``hold`` waits for."""
        return self._holding

    def settle(self, number: int) -> None:
        """Up to this number all is decided, and nothing behind it."""
        with self._changed:
            self.settled = number
            self._changed.notify_all()

    def about_to_hold(self, number: int) -> None:
        """``hold`` comes next: what it waits for may be settled from now on."""
        with self._changed:
            self._holding = number

    def hold(self, number: int, seconds: float) -> bool:
        """Wait until this number is settled; False: the time was up (0: it never is).

        Raises Cancelled when stopped.
        """
        with self._changed:
            self._holding = number
            try:
                self._changed.wait_for(
                    lambda: self.stopped or self.settled >= number, seconds or None
                )
            finally:
                self._holding = None
            if self.stopped:
                raise Cancelled
            return self.settled >= number

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for something that the other thread brings about, and ``notify`` tells of.

        Raises Cancelled when stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or true())
            if self.stopped:
                raise Cancelled

    def notify(self) -> None:
        """Something has changed that ``wait_until`` may be about."""
        with self._changed:
            self._changed.notify_all()

    def stop(self, *, now: bool = False) -> None:
        """Stop for good; ``now``: ``hurried`` as well."""
        with self._changed:
            self._stopped = True
            self.hurried = self.hurried or now
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Drop what is in hand, until ``go_on``."""
        with self._changed:
            self.interrupted = True
            self._changed.notify_all()

    def go_on(self) -> None:
        """After ``interrupt``; a stop stays."""
        with self._changed:
            self.interrupted = False

    def pause(self, paused: bool) -> None:
        """True: hold the painter at its next checkpoint; False: let it go on."""
        with self._changed:
            self.paused = paused
            self._changed.notify_all()

    def checkpoint(self) -> None:
        """Called by the painting thread between steps: waits while paused.

        Raises Cancelled when stopped.
        """
        with self._changed:
            began = time.monotonic()
            self._changed.wait_for(lambda: self.stopped or not self.paused)
            self.waited += time.monotonic() - began
            if self.stopped:
                raise Cancelled
