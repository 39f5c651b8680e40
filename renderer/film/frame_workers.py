"""Threads that make frames for several segments at once; the earliest segment's come first.

So a film's next segment is never later than with one segment at a time, and what the machine can do
beyond that goes into those behind it. Knows neither what is in a frame nor what becomes of it.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import Self

import numpy as np
from numpy.typing import NDArray

from renderer.settings.plain_values import Size

Frame = NDArray[np.uint8] | NDArray[np.uint16]
"""(height * 3 // 2, width): a yuv420p buffer, C-contiguous. The Y plane, then U, then V. Of more
than 8 bits: uint16, in the lower bits."""
Task = Callable[[], Frame]


def empty_frame(size: Size, bits: int) -> Frame:
    """Memory for a frame of that many bits."""
    shape = size[1] * 3 // 2, size[0]
    return np.empty(shape, np.uint8) if bits == 8 else np.empty(shape, np.uint16)


class FrameWorkers:
    """A context manager: its threads have ended when it is left. Safe from any thread."""

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._tasks: list[tuple[int, int, Future[Frame], Task]] = []
        self._serial = itertools.count()
        self._threads: list[threading.Thread] = []
        self._count = 0
        self._sharing = 0
        self._closed = False
        self.set_count(count)

    def set_count(self, count: int) -> None:
        """Let so many threads work from now on, at least one."""
        with self._changed:
            self._count = max(1, count)
            for number in range(len(self._threads), self._count):
                name = f"renderer-zoom-{number}"
                thread = threading.Thread(target=self._work, args=(number,), name=name)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def frames(self, tasks: Iterable[Task], segment: int) -> Generator[Frame, None, None]:
        """What ``tasks`` return, in their order, made a few ahead of the caller.

        All callers together have at most three frames for each thread ahead. What a task raises is
        raised here. Close it to leave the rest unmade.
        """
        pending: deque[Future[Frame]] = deque()
        with self._changed:
            self._sharing += 1
        try:
            for task in tasks:
                pending.append(self._submit(segment, task))
                while len(pending) > self._ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
            with self._changed:
                self._sharing -= 1

    @property
    def _ahead(self) -> int:
        """Frames that one caller may have ahead of the one that it takes."""
        return 1 + math.ceil(self._count / self._sharing)

    def _submit(self, segment: int, task: Task) -> Future[Frame]:
        future: Future[Frame] = Future()
        with self._changed:
            heapq.heappush(self._tasks, (segment, next(self._serial), future, task))
            self._changed.notify_all()
        return future

    def _work(self, number: int) -> None:
        while (work := self._next(number)) is not None:
            future, task = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001, raised again where the frame is taken
                future.set_exception(error)

    def _next(self, number: int) -> tuple[Future[Frame], Task] | None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (bool(self._tasks) and number < self._count)
            )
            if self._closed:
                return None
            *_, future, task = heapq.heappop(self._tasks)
            return future, task

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._changed:
            self._closed = True
            for _, _, future, _ in self._tasks:
                future.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
