"""Renders for tests: projects of the smallest sizes, run in this process or as a real engine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import av

from renderer.engine.events import Event, to_json
from renderer.engine.session import Session
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.settings.render import RenderSettings
from tests.gates import StartGate

ROOT = Path(__file__).parents[2]
SIDE = 64
Said = dict[str, Any]
"""An event as JSON."""


def small(**changes: Any) -> RenderSettings:
    """Settings of a film that takes no time."""
    plain: dict[str, Any] = {
        "painter": "tests.painters:gradient",
        "keyframe_size": (SIDE, SIDE),
        "size": (SIDE, SIDE),
        "keyframes": 4,
        "frames_per_keyframe": 5,
        "preset": "ultrafast",
        "threads": 1,
        "seed": 11,
    }
    return RenderSettings(**plain | changes)


def project(folder: Path, **changes: Any) -> Path:
    """A new project at ``folder``."""
    create_project(folder, small(**changes))
    return folder


def steer(folder: Path, **changes: Any) -> None:
    with Project.open(folder) as opened:
        opened.steer(changes)


def render(folder: Path) -> list[Event]:
    """Render ``folder`` in this process, on the engine's own threads."""
    events: list[Event] = []
    with Project.open(folder) as opened:
        last = Session(opened, events.append).run()
    assert events[-1] is last
    assert_promise([to_json(event) for event in events])
    return events


def stop_at(folder: Path, moment: Callable[[Event], bool]) -> list[Event]:
    """Render until the first event for which ``moment`` is true, and stop there."""
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if moment(event):
                session.stop()

        session = Session(opened, emit)
        session.run()
    assert_promise([to_json(event) for event in events])
    return events


def assert_promise(said: list[Said]) -> None:
    """What ``renderer.engine.events`` promises of the order of events."""
    names = [event["event"] for event in said]
    assert names[0] == "RenderStarted"
    assert names[-1] in {"RenderFinished", "RenderFailed"}
    assert not {"RenderStarted", "RenderFinished", "RenderFailed"} & set(names[1:-1])
    ready = [event["keyframe"] for event in only(said, "KeyframeReady")]
    segments = [event["segment"] for event in only(said, "SegmentWritten")]
    for numbers in (ready, segments):
        assert all(after == before + 1 for before, after in pairwise(numbers))
    assert not ready or ready[0] <= said[0]["keyframes"]  # less: one was damaged
    whole, begun = said[0]["keyframes"], -1
    for event in said:
        if event["event"] == "KeyframeStarted":
            assert event["keyframe"] > begun
            begun = event["keyframe"]
        if event["event"] == "StepDone":
            assert event["keyframe"] == begun
        if event["event"] == "KeyframeReady":
            assert event["keyframe"] <= begun
            whole = event["keyframe"] + 1
        if event["event"] == "SegmentWritten":
            assert event["segment"] + 1 < whole + (event["frames"] == 1)


def of(events: list[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def only(said: list[Said], name: str) -> list[Said]:
    return [event for event in said if event["event"] == name]


# ------------------------------------------------------------------------------------ films


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "film.mp4").read_bytes()).hexdigest()


def decoded(film: Path) -> list[Fraction]:
    """Decode every frame; returns their times in seconds."""
    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
    times = []
    for frame in frames:
        assert frame.pts is not None
        assert frame.time_base is not None
        assert not frame.is_corrupt
        times.append(frame.pts * frame.time_base)
    return times


def assert_playable(folder: Path, *, frames: int | None = None) -> int:
    """The film decodes, its frames at exact times; returns how many (``frames``, where given)."""
    times = decoded(folder / "film.mp4")
    assert times == [Fraction(number, 30) for number in range(len(times))]
    assert frames is None or len(times) == frames
    return len(times)


# ----------------------------------------------------------------------------------- engine


@dataclass(frozen=True)
class Ended:
    code: int
    said: list[Said]
    errors: str
    """All of standard error."""


class Engine:
    """`python -m renderer FOLDER`, for real; killed when the block ends before it does.

    ``alone``: without a parent that restarts it, so that ``pid`` is the engine's own. ``program``:
    what Python is told to run in its place. ``gate``: while it is shut, none is started again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        alone: bool = False,
        program: tuple[str, ...] = ("-m", "renderer"),
        gate: StartGate | None = None,
    ) -> None:
        self.said: list[Said] = []
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *program, str(folder), *(["--alone"] if alone else [])],
            cwd=ROOT,
            env=os.environ | ({"PYTHONPATH": gate.path} if gate else {}),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def events(self) -> Iterator[Said]:
        """What it says, as it says it, to its end; goes on where it was left."""
        assert self._process.stdout is not None
        for line in iter(self._process.stdout.readline, ""):
            if not line.endswith("\n"):
                return  # cut off by kill -9
            self.said.append(json.loads(line))
            yield self.said[-1]

    def until(self, name: str, **fields: Any) -> Said:
        """Wait for an event of that name with those values."""
        for event in self.events():
            if event["event"] == name and fields.items() <= event.items():
                return event
        raise AssertionError(f"the engine ended without {name} {fields}: {self.end()}")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> Ended:
        """Wait for its end, by itself."""
        for _ in self.events():
            pass
        code = self._process.wait()
        self._errors.seek(0)
        return Ended(code, self.said, self._errors.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()


def engine(folder: Path) -> Ended:
    """Run the engine on ``folder`` to its end."""
    with Engine(folder) as running:
        return running.end()
