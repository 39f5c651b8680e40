"""Work on the processors of all nodes: results in order, few ahead, and no task left at the end.

As ``export.process_pool`` on one machine. Tasks of a node that dies are done again elsewhere.
Knows nothing of the work: files that it leaves must lie on storage that all nodes share.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError

from renderer import __version__
from renderer.errors import EncoderError, RendererError, SettingsError
from renderer.farm.cluster import check_node, one_line
from renderer.service.signals import GLANCE

J = TypeVar("J")
R = TypeVar("R")

_AHEAD = 2
"""Tasks for each processor: one that is done, and one that is to be."""


def in_order(
    work: Callable[[J], R], jobs: Iterable[J], shared: Sequence[Path]
) -> Generator[R, None, None]:
    """``work(job)`` for each job, in the order of the jobs, wherever a processor is free.

    ``shared``: folders that every node must see. What ``work`` raises as RendererError or OSError
    is raised here; SettingsError where no processor is free, or a node can't be used; EncoderError
    where tasks die again and again. Closing the generator cancels what is left.
    """
    free = int(ray.available_resources().get("CPU", 0))
    if not free:
        raise SettingsError(
            "renders hold every processor of the cluster; wait for one, or leave --farm out"
        )
    task: Any = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(_do)
    held, waiting = ray.put(work), iter(jobs)
    pending: deque[Any] = deque()
    try:
        while True:
            for job in islice(waiting, _AHEAD * free - len(pending)):
                pending.append(task.remote(held, job, __version__, shared))
            if not pending:
                return
            yield _answer(pending[0])
            pending.popleft()
    finally:
        for each in pending:
            with suppress(RayError):
                ray.cancel(each, force=True)


def _answer(result: Any) -> Any:
    while not ray.wait([result], timeout=GLANCE)[0]:
        pass
    try:
        error, answer = ray.get(result)
    except RayError as lost:
        raise EncoderError(f"a task on the cluster has ended: {one_line(lost)}") from None
    if error is not None:
        raise error
    return answer


def _do(
    work: Callable[[J], R], job: J, version: str, shared: Sequence[Path]
) -> tuple[BaseException | None, R | None]:
    """On a node."""
    try:
        check_node(version, shared)
        return None, work(job)
    except (RendererError, OSError) as error:
        return error, None
