"""A painter that has others paint, each on a GPU of its own: as many candidates at once.

The others are actors on a Ray cluster that end with this process. They are made for the same
settings and paint the same pictures as the painter that they stand for would here. Pictures go
through files on storage that all machines share, never through Ray. Knows no project.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayError

from renderer import __version__
from renderer.errors import DeviceLost, PainterError, RendererError, error_of
from renderer.farm.cluster import check_node, one_line
from renderer.files import storage_errors
from renderer.painting.painter_calls import Pixels, ask
from renderer.painting.painters import (
    AdjustablePainter,
    CheckingPainter,
    OnStep,
    Painter,
    PaintJob,
)
from renderer.painting.upscale import make_painter
from renderer.service.signals import GLANCE
from renderer.settings.render import RenderSettings

_GREETING = 30.0
"""Seconds that a device has to be free; what is held for longer does without."""
_NAME = ".painting-"
_CHECKS = "checks"
"""Calls that don't wait for what is being painted."""
_FACTS = [each.name for each in fields(PaintJob) if each.name not in ("canvas", "mask")]

Failure = tuple[int, str]
"""An exit code and its line; 0: none."""


class Spread:
    """For ``settings``; ``shared``: a folder that every machine sees. Made on the thread that will
    paint.

    Raises SettingsError where a machine can't be used, PainterError where no device is free, and
    what the painter's own factory raises.
    """

    def __init__(self, settings: RenderSettings, shared: Path) -> None:
        self._shared = shared
        for left in shared.glob(f"{_NAME}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        gpus, cpus = (int(ray.cluster_resources().get(kind, 0)) for kind in ("GPU", "CPU"))
        needs: dict[str, Any] = {"num_gpus": 1, "num_cpus": 0} if gpus else {"num_cpus": 1}
        remote: Any = ray.remote
        actor = remote(concurrency_groups={_CHECKS: 1})(_PainterActor)
        made = [
            actor.options(**needs).remote() for _ in range(min(gpus or cpus, settings.candidates))
        ]
        self._actors = _there(made, shared)
        if not self._actors:
            what = "GPU" if gpus else "processor"
            raise PainterError(f"no {what} of the cluster is free; renders hold them all")
        self._ask_all("make", settings.to_toml())

    def check(self, settings: RenderSettings) -> None:
        """As the painter's own, where it has one."""
        for actor in self._actors[:1]:
            asked = actor.do.options(concurrency_group=_CHECKS)
            _answer(asked.remote("check", settings.to_toml()))

    def adjust(self, settings: RenderSettings) -> bool:
        """As the painter's own, where it has one."""
        return all(self._ask_all("adjust", settings.to_toml()))

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        """As the painter's own; ``on_step`` is called to be told of a stop alone."""
        (picture,) = self.paint_many([job], on_step)
        return picture

    def paint_many(self, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels]:
        """A picture a job, whichever of the others has painted it.

        Raises DeviceLost once all of them have gone, and what they raise.
        """
        with (
            storage_errors(self._shared),
            tempfile.TemporaryDirectory(prefix=_NAME, dir=self._shared) as folder,
        ):
            places = [f"{folder}/{number}" for number in range(len(jobs))]
            for job, place in zip(jobs, places, strict=True):
                np.savez(f"{place}.npz", canvas=job.canvas, mask=job.mask)
            self._spread(jobs, places, on_step)
            return [np.load(f"{place}.npy") for place in places]

    def _spread(self, jobs: Sequence[PaintJob], places: Sequence[str], on_step: OnStep) -> None:
        """Each job to the next that is free; those of one that has gone to another."""
        left = deque(range(len(jobs)))
        idle, busy = list(self._actors), dict[Any, tuple[Any, int]]()
        while left or busy:
            while left and idle:
                actor, number = idle.pop(), left.popleft()
                facts = {name: getattr(jobs[number], name) for name in _FACTS}
                busy[actor.do.remote("paint", facts, places[number])] = actor, number
            if not busy:
                raise DeviceLost("every machine that painted has gone")
            on_step(len(jobs) - len(left) - len(busy), len(jobs))
            done, _ = ray.wait(list(busy), timeout=GLANCE)
            for answer in done:
                actor, number = busy.pop(answer)
                try:
                    _answer(answer)
                    idle.append(actor)
                except DeviceLost:
                    self._actors.remove(actor)
                    left.append(number)

    def _ask_all(self, what: str, *details: Any) -> list[Any]:
        asked = [actor.do.remote(what, *details) for actor in self._actors]
        return [_answer(each) for each in asked]


class _PainterActor:
    """The painter itself, in a process of its own. ``do`` is all that is called."""

    def __init__(self) -> None:
        self._painter: Painter | None = None

    def do(self, what: str, *details: Any) -> tuple[Failure, Any]:
        """What that method returns, behind why it could not."""
        try:
            return (0, ""), getattr(self, what)(*details)
        except RendererError as error:
            return (error.exit_code, str(error)), None

    def greet(self, version: str, shared: Path) -> None:
        check_node(version, [shared])

    def make(self, settings: str) -> None:
        self._painter = make_painter(RenderSettings.from_toml(settings))

    def check(self, settings: str) -> None:
        if isinstance(self._painter, CheckingPainter):
            self._painter.check(RenderSettings.from_toml(settings))

    def adjust(self, settings: str) -> bool:
        painter, wanted = self._painter, RenderSettings.from_toml(settings)
        return isinstance(painter, AdjustablePainter) and painter.adjust(wanted)

    def paint(self, facts: dict[str, Any], place: str) -> None:
        assert self._painter is not None
        with storage_errors(Path(place)):
            given = np.load(f"{place}.npz")
            job = PaintJob(canvas=given["canvas"], mask=given["mask"], **facts)
        painted = ask(self._painter, job, lambda done, total: None)
        with storage_errors(Path(place)):
            np.save(f"{place}.npy", painted)


def _there(actors: Sequence[Any], shared: Path) -> list[Any]:
    """Those that have a device soon. Raises SettingsError where one can't be used."""
    asked = {actor.do.remote("greet", __version__, shared): actor for actor in actors}
    greeted, late = ray.wait(list(asked), num_returns=len(asked), timeout=_GREETING)
    for each in late:
        ray.kill(asked[each])
    for each in greeted:
        _answer(each)
    return [asked[each] for each in greeted]


def _answer(asked: Any) -> Any:
    """Raises what was raised there; DeviceLost where the actor has gone."""
    try:
        (code, why), result = ray.get(asked)
    except RayActorError as error:
        raise DeviceLost(f"a machine that painted has gone: {one_line(error)}") from None
    except RayError as error:
        raise PainterError(one_line(error)) from None
    if code:
        raise error_of(code, why)
    return result
