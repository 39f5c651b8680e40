"""What is done for a keyframe is the same at the beginning of a film and at its end.

Counted, not timed: how many records are folded, lines written, bytes of journal and playlist moved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from renderer import journal
from renderer.engine.events import Event, SegmentWritten
from renderer.engine.session import Session
from renderer.film import records
from renderer.film.hls import WATCH
from renderer.journal import read_journal
from renderer.project import history
from renderer.project.project import Project
from renderer.project.records import JOURNAL
from renderer.project.rewinding import rewound
from renderer.project.status import read_status
from tests.benchmarks.long_project import make

LENGTHS = (20, 900)
MADE = {"seed": 1, "seconds": 1.0, "seam": 1.0, "drift": 0.0}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, int]]:
    """How often each was called since it was asked the last time."""
    calls: dict[str, int] = {}

    def watch(module: Any, name: str) -> None:
        function = getattr(module, name)

        def called(*given: Any, **named: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return function(*given, **named)

        monkeypatch.setattr(module, name, called)

    for module, name in ((history, "read_as"), (records, "read_as"), (journal, "_line")):
        watch(module, name)
    watch(journal, "_record")

    def since() -> dict[str, int]:
        found = dict(calls)
        calls.clear()
        return found

    return since


@contextmanager
def long(tmp_path: Path, keyframes: int) -> Iterator[Project]:
    folder = make(tmp_path / f"{keyframes}.zoom", keyframes, steered=keyframes // 2)
    with Project.open(folder) as project:
        project.publish()
        yield project


def paint(project: Project) -> None:
    project.add_keyframe(len(project.keyframes), project.load_keyframe(2), MADE)


@pytest.mark.parametrize("keyframes", LENGTHS)
def test_a_keyframe_folds_its_own_record_and_no_other(
    tmp_path: Path, counted: Callable[[], dict[str, int]], keyframes: int
) -> None:
    with long(tmp_path, keyframes) as project:
        counted()
        paint(project)
        assert counted() == {"read_as": 1, "_line": 1}
        project.steer({"prompt": "another"})
        assert counted() == {"read_as": 1, "_line": 1}
        assert project.drop_steering(len(project.keyframes))
        assert counted() == {"_record": 1}  # it is read from the disk
        project.rewind(rewound(project.history, keyframes))
        assert counted() == {"read_as": 1, "_line": 1}


@pytest.mark.parametrize("keyframes", LENGTHS)
def test_what_is_taken_back_costs_what_was_recorded_since(
    tmp_path: Path, counted: Callable[[], dict[str, int]], keyframes: int
) -> None:
    with long(tmp_path, keyframes) as project:
        project.steer({"prompt": "another"}, keyframes + 1)
        paint(project)
        before = read_journal(project.folder / JOURNAL)
        counted()
        assert project.drop_steering(keyframes + 1)
        assert counted() == {"_record": 2}
        assert read_journal(project.folder / JOURNAL) == [*before[:-2], before[-1]]


@pytest.mark.parametrize("keyframes", LENGTHS)
def test_each_record_is_read_and_folded_once_by_who_looks(
    tmp_path: Path, counted: Callable[[], dict[str, int]], keyframes: int
) -> None:
    folder = make(tmp_path / "a.zoom", keyframes, steered=5, marks=7, takes=3)
    count = len(read_journal(folder / JOURNAL))
    counted()
    assert read_status(folder).keyframes == keyframes
    assert counted() == {"_record": count, "read_as": count - 1}  # the first is the project's
    Project.open(folder).close()
    assert counted() == {"_record": count, "read_as": count - 1}


@pytest.mark.parametrize("keyframes", LENGTHS)
def test_a_segment_adds_one_entry_to_the_playlist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyframes: int
) -> None:
    written: list[int] = []
    write = os.write

    def watched(handle: int, data: bytes) -> int:
        written.append(len(data))
        return write(handle, data)

    with long(tmp_path, keyframes) as project:
        file = (project.folder / WATCH).stat()
        session = Session(project, lambda event: stop_after(event))

        def stop_after(event: Event) -> None:
            if isinstance(event, SegmentWritten) and event.segment == keyframes:
                session.stop()

        monkeypatch.setattr(os, "write", watched)
        session.run()
        now = (project.folder / WATCH).stat()
        entries = len(project.store.segments) - (keyframes - 1)
        assert now.st_ino == file.st_ino
        assert len(written) == entries >= 2
        assert sum(written) == now.st_size - file.st_size < 2 * 100 * entries
