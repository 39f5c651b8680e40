"""The bounded hand-off between the painting thread and the film thread.

One producer, one consumer. Knows nothing of what passes. ``put`` waits while the channel is full:
that is the backpressure by which a slow encoder holds the painter back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from renderer.errors import Cancelled

T = TypeVar("T")


class Channel(Generic[T]):
    """At most ``capacity`` items wait. Either side ends it: ``finish`` or ``abort``."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._aborted = False

    def __len__(self) -> int:
        with self._changed:
            return len(self._items)

    def put(self, item: T) -> None:
        """Hand ``item`` over; waits while full. Raises Cancelled once the consumer has aborted."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._aborted)
            if self._aborted:
                raise Cancelled
            self._items.append(item)
            self._changed.notify_all()

    def finish(self) -> None:
        """Producer's side: nothing more comes; what waits is still delivered."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Consumer's side: nothing more is taken; drops what waits and wakes the producer."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()

    def notify(self) -> None:
        """Something has changed that ``items`` may wait for. From any thread."""
        with self._changed:
            self._changed.notify_all()

    def items(
        self, room: Callable[[], bool] = lambda: True, due: Callable[[], bool] = lambda: False
    ) -> Iterator[T | None]:
        """Items in order, until ``finish`` (all delivered) or ``abort``.

        None instead, at any time, where something else is ``due``; items only while there is
        ``room`` for them. ``notify`` has both looked at again.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: due() or self._ended or (self._items and room()))
                item = None
                if not due():
                    if self._ended:
                        return
                    item = self._items.popleft()
                    self._changed.notify_all()
            yield item

    @property
    def _ended(self) -> bool:
        return (self._finished or self._aborted) and not self._items
