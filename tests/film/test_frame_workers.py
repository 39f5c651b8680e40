"""Workers that several segments share: whose frames come first, and how many are ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from renderer.film.frame_workers import Frame, FrameWorkers, Task

WAIT = 20


def frame(number: int) -> Frame:
    return np.full((3, 2), number, np.uint8)


def test_frames_come_in_order_whoever_made_them() -> None:
    tasks = (partial(frame, number) for number in range(200))
    with FrameWorkers(4) as workers:
        assert [int(made[0, 0]) for made in workers.frames(tasks, 0)] == list(range(200))


def test_the_earliest_segment_comes_first() -> None:
    """One worker is held up until the frames of three segments wait for it."""
    made: list[tuple[int, int]] = []
    held_up, go_on = threading.Event(), threading.Event()

    def make(segment: int, number: int) -> Frame:
        if segment == 9:
            held_up.set()
            assert go_on.wait(WAIT)
        made.append((segment, number))
        return frame(number)

    def tasks(segment: int) -> Iterator[Task]:
        return (partial(make, segment, number) for number in range(2))

    with FrameWorkers(1) as workers:

        def take(segment: int) -> None:
            assert len(list(workers.frames(tasks(segment), segment))) == 2

        takers = [threading.Thread(target=take, args=(segment,)) for segment in (9, 5, 7, 3)]
        for taker in takers:
            taker.start()
            assert held_up.wait(WAIT)  # by the first, before another one's frames are there
        while len(workers._tasks) < 7:  # all but the one in hand
            threading.Event().wait(0.001)
        go_on.set()
        for taker in takers:
            taker.join(WAIT)
    assert made == [(9, 0), (3, 0), (3, 1), (5, 0), (5, 1), (7, 0), (7, 1), (9, 1)]


@pytest.mark.parametrize("count", [1, 3])
def test_no_more_frames_wait_than_workers_account_for(count: int) -> None:
    made = 0
    changed = threading.Condition()

    def make(number: int) -> Frame:
        nonlocal made
        with changed:
            made += 1
            changed.notify_all()
        return frame(number)

    with FrameWorkers(count) as workers:
        frames = workers.frames((partial(make, number) for number in range(100)), 0)
        for taken in range(1, 50):
            next(frames)
            assert made <= taken + count + 1
        frames.close()


def test_workers_can_be_added_and_sent_away_at_any_time() -> None:
    busy = threading.Barrier(3)

    def meet(number: int) -> Frame:
        busy.wait(WAIT)
        return frame(number)

    with FrameWorkers(1) as workers:
        workers.set_count(3)
        assert len(list(workers.frames((partial(meet, number) for number in range(3)), 0))) == 3
        workers.set_count(1)
        names: set[str] = set()

        def name(number: int) -> Frame:
            names.add(threading.current_thread().name)
            return frame(number)

        assert len(list(workers.frames((partial(name, number) for number in range(9)), 0))) == 9
        assert names == {"renderer-zoom-0"}


def test_what_a_task_raises_is_raised_where_its_frame_is_taken() -> None:
    def fail() -> Frame:
        raise ValueError("broken")

    with FrameWorkers(2) as workers:
        frames = workers.frames(iter([partial(frame, 0), fail]), 0)
        next(frames)
        with pytest.raises(ValueError, match="broken"):
            next(frames)
        assert len(list(workers.frames(iter([partial(frame, 1)]), 1))) == 1  # none has died of it
