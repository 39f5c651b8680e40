"""A farm: one actor on a Ray cluster that runs a queue, and what verbs ask of it.

All that crosses Ray is small: which project is to be rendered, how it ended, and the lines between
viewers and engines; pictures, films and models never do. The actor holds nothing that its folder,
the projects and the workers don't know: Ray starts it again where it dies, and it finds the renders
that are at work.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from renderer.errors import ProjectBusy, ProjectError, RendererError, SettingsError, error_of
from renderer.farm.workers import Wishes, Workers, named_actor
from renderer.queue.jobs import Queue
from renderer.queue.runner import Runner
from renderer.service.signals import GLANCE

_QUEUE = "queue"
"""The actor's name."""


def start(wishes: Wishes) -> Any:
    """The queue's actor on this machine, begun, or as it is at work.

    Raises SettingsError where no node has a GPU, ProjectBusy where it is at work on another queue.
    """
    if not wishes.engines and not ray.cluster_resources().get("GPU"):
        raise SettingsError(
            "no node of the cluster has a GPU; --workers cpu:1 paints on processors"
        )
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    more = {"scheduling_strategy": here, "max_restarts": -1, "max_concurrency": 16}
    farm = named_actor(Farm, _QUEUE, {"wishes": wishes}, num_cpus=0, **more)
    folder = ray.get(farm.folder.remote())
    if folder != wishes.folder:
        raise ProjectBusy(f"the farm is at work on the queue {folder}; `zoomtui farm stop` ends it")
    return farm


def running() -> Any:
    """The queue's actor. Raises ProjectError where none is at work."""
    try:
        return ray.get_actor(_QUEUE)
    except ValueError:
        raise ProjectError("no farm is at work; `zoomtui farm start` begins one") from None


def follow(
    farm: Any, show: Callable[[str], None], signals: Sequence[int], *, stop: bool = False
) -> int:
    """Show what happens until the farm's end; the exit code. Raises RendererError.

    Once there are ``signals``, or with ``stop`` at once, all renders end after the segments in
    hand, and then the farm.
    """
    shown = 0
    while True:
        try:
            if signals or stop:
                farm.stop.remote()
            lines, over = ray.get(farm.news.remote(shown, GLANCE))
        except RayActorError:  # it is being restarted, and tells anew; or another has ended it
            shown = 0
            try:
                farm = running()
            except ProjectError:
                return 128 + signals[0] if signals else 0
            time.sleep(GLANCE)
            continue
        shown += len(lines)
        for line in lines:
            show(line)
        if over is not None:
            ray.kill(farm)
            code, why = over
            if why:
                raise error_of(code, why)
            return 128 + signals[0] if signals else int(code)


def rows(farm: Any) -> list[tuple[str, str]]:
    """(worker, the project that it renders; empty: none)."""
    found: list[tuple[str, str]] = ray.get(farm.rows.remote())
    return found


class Farm:
    """Runs the queue on the cluster's workers, on threads of its own, from construction on."""

    def __init__(self, wishes: Wishes) -> None:
        os.environ.update(wishes.environment)
        self._folder = wishes.folder
        self._workers = Workers(wishes, self._say)
        self._lines: list[str] = []
        self._over: tuple[int, str] | None = None
        self._runner = Runner(
            Queue(Path(wishes.folder)),
            self._workers.there,
            lambda what, job: self._say(f"{job.project}: {what}"),
            until_empty=wishes.until_empty,
            slice_seconds=wishes.slice_seconds,
        )
        self._thread = threading.Thread(target=self._run, name="farm")
        self._thread.start()

    def _run(self) -> None:
        over = RendererError.exit_code, "internal error: Ray's logs have the details"
        try:
            over = self._runner.serve(), ""
        except RendererError as error:
            over = error.exit_code, str(error)
        finally:
            self._workers.dismiss()
            self._over = over

    def _say(self, line: str) -> None:
        self._lines.append(line)

    def news(self, since: int, seconds: float) -> tuple[list[str], tuple[int, str] | None]:
        """The lines after ``since``, and how it has ended; None: not yet, after so long."""
        self._thread.join(seconds)
        over = self._over
        return self._lines[since:], over

    def folder(self) -> str:
        return self._folder

    def stop(self) -> None:
        self._runner.stop()

    def rows(self) -> list[tuple[str, str]]:
        return [(worker.name, worker.renders()) for worker in self._workers.there()]
