"""Several segments at once: the same film, in the same order, whatever comes in between."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from renderer.engine.consumer import _memory_each
from renderer.engine.events import (
    Event,
    KeyframeReady,
    Note,
    RenderFailed,
    Rewound,
    SegmentWritten,
    StepDone,
)
from renderer.engine.session import Session
from renderer.errors import StorageError
from renderer.journal import read_journal
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, KEYFRAMES
from renderer.project.verify import verify
from renderer.settings.codecs import FILM_BITS_PER_PIXEL
from renderer.settings.render import RenderSettings
from tests.engine.runs import assert_playable, digest, of, project, render, steer, stop_at

COUNTS = [1, 2, 4, 16]
FAST: dict[str, Any] = {"keyframes": 9, "frames_per_keyframe": 24, "preset": "medium", "threads": 2}
"""Painted in no time, so that segments wait for one another."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that one worker made."""
    folder = project(tmp_path_factory.mktemp("alone") / "a.zoom", workers=1, **FAST)
    render(folder)
    return folder


@pytest.mark.parametrize("workers", [2, 4, 16, None])
def test_any_number_of_workers_makes_the_same_film(
    alone: Path, tmp_path: Path, workers: int | None
) -> None:
    folder = project(tmp_path / "a.zoom", workers=workers, **FAST)
    render(folder)
    assert digest(folder) == digest(alone)
    assert verify(folder, lambda done, total: None) == []


@pytest.mark.parametrize("codec", ["hevc", "av1", "vp9"])
def test_so_do_other_encoders(tmp_path: Path, codec: str) -> None:
    films = [project(tmp_path / f"{n}.zoom", codec=codec, keyframes=5, workers=n) for n in (1, 3)]
    for film in films:
        render(film)
    assert digest(films[0]) == digest(films[1])


def test_a_slow_zooms_segments_count_in_the_memory_that_a_worker_takes() -> None:
    quick, slow = (RenderSettings(frames_per_keyframe=frames) for frames in (1, 50_001))
    pixels = 50_000 * quick.size[0] * quick.size[1]
    assert _memory_each(slow) - _memory_each(quick) >= 2 * pixels * FILM_BITS_PER_PIXEL / 8 - 1


def test_segments_are_made_at_once_and_written_in_order(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", workers=4, **FAST)
    makers: set[str] = set()
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            names = (thread.name for thread in threading.enumerate())
            makers.update(name for name in names if name.startswith("renderer-"))

        events: list[Event] = []
        Session(opened, emit).run()
    assert [event.segment for event in of(events, SegmentWritten)] == list(range(9))
    assert len([name for name in makers if name.startswith("renderer-zoom")]) == 4
    assert len([name for name in makers if name.startswith("renderer-film")]) > 1
    assert not any(thread.name.startswith("renderer") for thread in threading.enumerate())


@pytest.mark.parametrize("workers", COUNTS)
def test_a_keyframe_is_on_disk_before_anything_of_it_is_filmed(
    tmp_path: Path, workers: int
) -> None:
    folder = project(tmp_path / "a.zoom", workers=workers, **FAST)
    render(folder)
    kept: set[int] = set()
    for record in read_journal(folder / JOURNAL):
        if record["type"] == "keyframe":
            kept.add(record["keyframe"])
        if record["type"] == "segment" and not record.get("closing"):
            assert {record["index"], record["index"] + 1} <= kept


@pytest.mark.parametrize("workers", COUNTS)
@pytest.mark.parametrize("moment", [KeyframeReady, SegmentWritten])
def test_a_stop_finishes_what_is_begun_and_going_on_makes_the_same_film(
    alone: Path, tmp_path: Path, workers: int, moment: type[Event]
) -> None:
    folder = project(tmp_path / "a.zoom", workers=workers, **FAST)
    events = stop_at(folder, lambda event: isinstance(event, moment))
    written = len(of(events, SegmentWritten))
    assert written < 9
    assert not written or assert_playable(folder, frames=24 * written)
    steer(folder, workers=3)
    render(folder)
    assert digest(folder) == digest(alone)


@pytest.mark.parametrize("workers", COUNTS)
def test_a_rewind_in_the_middle_loses_no_keyframe_and_makes_the_same_film(
    alone: Path, tmp_path: Path, workers: int
) -> None:
    folder = project(tmp_path / "a.zoom", workers=workers, **FAST)
    done: list[int] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeReady) and event.keyframe == 5 and not done:
                done.append(5)
                session.revisions.rewind(2)
            if isinstance(event, Rewound):
                done.append(event.keyframe)

        session = Session(opened, emit)
        session.run()
    assert done == [5, 2]
    assert digest(folder) == digest(alone)
    records = read_journal(folder / JOURNAL)
    painted = [record["keyframe"] for record in records if record["type"] == "keyframe"]
    assert sorted(set(painted)) == list(range(9))
    assert len(list((folder / KEYFRAMES).glob("*.png"))) == len(painted)


def test_the_number_can_be_steered_while_it_renders(alone: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", workers=1, **FAST)
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, StepDone) and event.keyframe == 2 and event.step == 1:
                session.steer({"workers": 4})
            if isinstance(event, StepDone) and event.keyframe == 6 and event.step == 1:
                session.steer({"workers": None})

        session = Session(opened, emit)
        session.run()
    assert digest(folder) == digest(alone)


@pytest.mark.parametrize("workers", COUNTS)
def test_a_disk_that_fails_in_the_middle_ends_it_once_and_it_goes_on(
    alone: Path, tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "a.zoom", workers=workers, **FAST)
    events: list[Event] = []
    with Project.open(folder) as opened, monkeypatch.context() as patched:
        append = opened.store.append

        def fail(encoded: Any, *, closing: bool = False) -> Any:
            if opened.store.next_segment == 3:
                raise StorageError("no space left on the device")
            return append(encoded, closing=closing)

        patched.setattr(opened.store, "append", fail)
        Session(opened, events.append).run()
    (failed,) = of(events, RenderFailed)
    assert "no space left" in failed.message
    assert len(of(events, SegmentWritten)) == 3
    assert not any(thread.name.startswith("renderer") for thread in threading.enumerate())
    assert not of(events, Note)
    render(folder)
    assert digest(folder) == digest(alone)


def test_a_dive_and_a_turn_are_the_same_with_several_workers(tmp_path: Path) -> None:
    films = []
    for workers in (1, 4):
        folder = project(
            tmp_path / f"{workers}.zoom", painter="texture", keyframes=7, workers=workers
        )
        with Project.open(folder) as opened:
            opened.steer({"method": "refine", "focus": "0.3,0.4"}, 3)
            opened.steer({"method": "direct"}, 5)
        render(folder)
        films.append((folder / FILM).read_bytes())
    assert films[0] == films[1]
