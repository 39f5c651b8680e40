"""Work in processes of their own: results in order, few ahead, and all of them gone at the end.

Processes are spawned, never forked: libav and numba keep threads that a fork would cut in half.
They leave Ctrl-C to the process that started them, and are killed as soon as their results are not
wanted. Knows nothing of the work.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from renderer.children import safe_path
from renderer.errors import EncoderError, RendererError

J = TypeVar("J")
R = TypeVar("R")

_AHEAD = 2
"""Results for each process that may wait for an earlier one."""


def in_order(work: Callable[[J], R], jobs: Iterable[J], processes: int) -> Generator[R, None, None]:
    """``work(job)`` for each job, in the order of the jobs; ``processes`` at a time.

    With none, in this process and when asked for. Work, jobs and results must travel (pickle). What
    ``work`` raises as RendererError or OSError is raised here; EncoderError where a process dies.
    Closing the generator kills the processes.
    """
    if processes < 1:
        yield from map(work, jobs)
        return
    crew = _Crew(work, processes)
    try:
        yield from crew.run(iter(jobs))
    finally:
        crew.dismiss()


def apart(work: Callable[[J], R], job: J) -> R:
    """``work(job)`` in a process of its own, for what can't be interrupted in this one."""
    with closing(in_order(work, [job], 1)) as results:
        return next(results)


class _Crew(Generic[J, R]):
    def __init__(self, work: Callable[[J], R], processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._members: dict[Connection, SpawnProcess] = {}
        for _ in range(processes):
            ours, theirs = context.Pipe()
            member = context.Process(target=_serve, args=(work, theirs), daemon=True)
            self._members[ours] = member
            with safe_path():
                member.start()
            theirs.close()

    def run(self, jobs: Iterator[J]) -> Iterator[R]:
        limit = len(self._members) * (1 + _AHEAD)
        idle = list(self._members)
        busy: dict[Connection, int] = {}
        done: dict[int, R] = {}
        given = taken = 0
        while True:
            for job in islice(jobs, min(len(idle), limit - (given - taken))):
                member = idle.pop()
                with suppress(BrokenPipeError):  # it died: receiving will tell
                    member.send(job)
                busy[member] = given
                given += 1
            if taken == given:
                return
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                done[busy.pop(ready)] = _answer(ready)
                idle.append(ready)
            while taken in done:
                yield done.pop(taken)
                taken += 1

    def dismiss(self) -> None:
        for connection, member in self._members.items():
            member.kill()
            member.join()
            member.close()
            connection.close()


def _answer(member: Connection) -> Any:
    try:
        error, result = member.recv()
    except (EOFError, ConnectionResetError):
        raise EncoderError(
            "a process that was encoding has ended; was the machine out of memory?"
        ) from None
    if error is not None:
        raise error
    return result


def _serve(work: Callable[[J], R], orders: Connection) -> None:
    """A process's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, BrokenPipeError):  # the parent has gone
        while True:
            job = orders.recv()
            try:
                answer: tuple[BaseException | None, R | None] = None, work(job)
            except (RendererError, OSError) as error:
                answer = error, None
            orders.send(answer)
