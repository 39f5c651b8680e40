"""One run of the engine, from settings to film: what it says, and what it does when things fail."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from renderer.engine.events import (
    Event,
    KeyframeReady,
    KeyframeStarted,
    Phase,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    RenderStarted,
    SegmentWritten,
    StepDone,
    to_json,
)
from renderer.engine.session import CAPACITY, Session
from renderer.errors import PainterError, ProjectError, SettingsError, StorageError
from renderer.images import read_provenance
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import keyframe_path
from tests.engine.runs import (
    assert_playable,
    assert_promise,
    digest,
    engine,
    of,
    project,
    render,
    small,
    stop_at,
)

# ------------------------------------------------------------------------- from start to end


def test_a_render_says_all_that_it_promises(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    events = render(folder)
    started = events[0]
    assert isinstance(started, RenderStarted)
    assert (started.project, started.film) == (str(folder), str(folder / "film.mp4"))
    assert (started.keyframes, started.total_keyframes) == (0, 4)
    assert (started.frames, started.total_frames) == (0, 16)
    assert [event.keyframe for event in of(events, KeyframeReady)] == [0, 1, 2, 3]
    assert [event.segment for event in of(events, SegmentWritten)] == [0, 1, 2, 3]
    assert [event.frames for event in of(events, SegmentWritten)] == [5, 5, 5, 1]
    phases = [event.phase for event in of(events, PhaseChanged)]
    assert phases == [Phase.LOADING, Phase.RENDERING, Phase.DRAINING]
    steps = [(event.keyframe, event.step, event.steps) for event in of(events, StepDone)]
    assert steps == [(keyframe, step, 3) for keyframe in range(4) for step in (1, 2, 3)]
    size = (folder / "film.mp4").stat().st_size
    last = RenderFinished(str(folder / "film.mp4"), 4, 16, 16 / 30, size, stopped=False)
    assert events[-1] == last
    assert_playable(folder, frames=16)


def test_a_finished_film_is_left_alone(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    before = digest(folder)
    events = render(folder)
    assert [type(event) for event in events] == [RenderStarted, RenderFinished]
    assert digest(folder) == before


def test_equal_settings_make_equal_films_and_journals(tmp_path: Path) -> None:
    first, second = (project(tmp_path / name, painter="texture") for name in ("a", "b"))
    render(first)
    render(second)
    assert digest(first) == digest(second)
    for keyframe in range(4):
        made = [read_provenance(keyframe_path(folder, keyframe)) for folder in (first, second)]
        timed = {"seconds": 0, "idle": 0}
        assert {**made[0], **timed} == {**made[1], **timed}


def test_a_given_picture_is_keyframe_0(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    source = project(tmp_path / "source.zoom")
    render(source)
    with Project.open(source) as opened:
        picture = opened.load_keyframe(0)
    create_project(folder, small(painter="texture"), picture=picture)
    events = render(folder)
    assert [event.keyframe for event in of(events, KeyframeReady)] == [1, 2, 3]
    with Project.open(folder) as opened:
        assert (opened.load_keyframe(0) == picture).all()
    assert_playable(folder, frames=16)


# -------------------------------------------------------------------------------- stopping


def test_a_stop_in_the_middle_of_painting_leaves_that_picture(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    events = stop_at(folder, lambda event: isinstance(event, StepDone) and event.keyframe == 2)
    assert isinstance(events[-1], RenderFinished)
    assert events[-1].stopped
    assert len([event for event in of(events, StepDone) if event.keyframe == 2]) == 1
    assert [event.keyframe for event in of(events, KeyframeReady)] == [0, 1]
    assert of(events, PhaseChanged)[-1].phase is Phase.DRAINING


def test_the_end_is_announced_once_even_where_the_painter_was_held(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="1")
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepDone) and event.keyframe == 1 and not session.stop_asked:
            session.pause(True)
            session.stop()

    with Project.open(folder) as opened:
        session = Session(opened, listen)
        session.run()
    phases = [event.phase for event in of(events, PhaseChanged)]
    assert phases == [Phase.LOADING, Phase.RENDERING, Phase.PAUSED, Phase.DRAINING]


def test_what_is_asked_for_before_the_start_is_not_told_before_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="0")
    events: list[Event] = []
    with Project.open(folder) as opened:
        session = Session(opened, events.append)
        session.pause(True)
        session.stop()
        outcome = session.run()
    assert_promise([to_json(event) for event in events])
    assert isinstance(outcome, RenderFinished)
    assert outcome.stopped
    assert of(events, PhaseChanged)[-1].phase is Phase.DRAINING


def test_what_was_painted_but_not_filmed_is_filmed_first_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=6)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=6, workers=1)
    ahead = threading.Event()
    with Project.open(folder) as opened:
        append = opened.store.append

        def held(*segment: Any, **how: Any) -> Any:
            """The film begins once the painter is ahead of it."""
            ahead.wait()
            return append(*segment, **how)

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeStarted) and event.keyframe == 3:
                session.stop()
                ahead.set()

        monkeypatch.setattr(opened.store, "append", held)
        session = Session(opened, emit)
        session.run()
        left = len(opened.keyframes) - 1 - opened.store.intervals
        frames = opened.store.frames
    assert left >= 1
    events = render(folder)
    assert events[0].keyframes == left + 1 + frames // 5  # type: ignore[union-attr]
    assert digest(folder) == digest(whole)
    assert_playable(folder, frames=26)


@pytest.mark.parametrize("moment", [RenderStarted, PhaseChanged, StepDone, SegmentWritten])
def test_a_stop_at_any_event_changes_no_byte_of_the_film(
    tmp_path: Path, moment: type[Event]
) -> None:
    whole = project(tmp_path / "whole.zoom")
    render(whole)
    folder = project(tmp_path / "a.zoom")
    for _ in range(3):
        stop_at(folder, lambda event: isinstance(event, moment))
    render(folder)
    assert digest(folder) == digest(whole)


# ---------------------------------------------------------------------------------- errors


def test_a_painter_that_fails_ends_the_render_with_all_it_painted_filmed(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:failing", model="3")
    events = render(folder)
    assert events[-1] == RenderFailed("out of paint at keyframe 3; buy some", 5)
    assert PainterError.exit_code == 5
    assert [event.segment for event in of(events, SegmentWritten)] == [0, 1]
    assert_playable(folder, frames=10)


def test_a_painter_that_cannot_be_loaded_ends_the_render(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:unloadable")
    events = render(folder)
    assert events[-1] == RenderFailed("the model is nowhere to be found; download it", 5)
    assert of(events, KeyframeReady) == []


@pytest.mark.slow
def test_an_unknown_error_is_one_line_and_the_details_are_in_the_log(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:broken", model="2")
    ended = engine(folder)
    assert ended.code == 1
    message = ended.said[-1]["message"]
    assert message == (
        "internal error: ZeroDivisionError: the painter's own bug (the details are in render.log)"
    )
    assert ended.errors == ""
    assert "Traceback" in (folder / "render.log").read_text(encoding="utf-8")
    assert_promise(ended.said)
    assert_playable(folder, frames=5)


def test_an_error_on_the_film_side_stops_the_painter(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    keyframe_path(folder, 1).mkdir()  # what can't be replaced by a file
    events = render(folder)
    assert isinstance(events[-1], RenderFailed)
    assert events[-1].exit_code == StorageError.exit_code
    assert str(keyframe_path(folder, 1)) in events[-1].message


def test_an_error_on_the_film_side_ends_a_paused_painter_too(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    keyframe_path(folder, 1).mkdir()
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            # not before keyframe 1 is handed over: a paused painter would never do it
            if isinstance(event, KeyframeStarted) and event.keyframe == 2:
                session.pause(True)

        session = Session(opened, emit)
        session.run()
    assert isinstance(events[-1], RenderFailed)


def test_settings_that_no_encoder_takes_stop_the_painter(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "a.zoom", painter="tests.painters:endless", model="0", preset="hurry"
    )
    events = render(folder)
    assert isinstance(events[-1], RenderFailed)
    assert events[-1].exit_code == SettingsError.exit_code
    assert "hurry" in events[-1].message


# -------------------------------------------------------------------------- between threads


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_a_slow_film_side_holds_the_painter_back(tmp_path: Path, workers: int) -> None:
    large: dict[str, Any] = {"size": (1024, 1024), "preset": "medium", "crf": 10}
    folder = project(tmp_path / "a.zoom", keyframes=14, workers=workers, **large)
    filmed, ahead = 0, []
    for event in render(folder):
        if isinstance(event, SegmentWritten):
            filmed = event.segment + 1
        if isinstance(event, StepDone):
            ahead.append(event.keyframe - filmed)
    assert max(ahead) == workers + CAPACITY + 1


def test_the_painter_runs_on_one_thread_of_its_own_which_ends(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    names: set[str] = set()
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, StepDone):
                names.add(threading.current_thread().name)

        Session(opened, emit).run()
    assert names == {"renderer-gpu"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("renderer-")]


def test_nothing_is_said_after_the_outcome(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    with Project.open(project(tmp_path / "a.zoom")) as opened:
        session = Session(opened, lambda event: said.append(to_json(event)))
        session.run()
        session.pause(True)
        with pytest.raises(ProjectError, match="just ending: ask again once it has"):
            session.steer({"prompt": "too late", "keyframes": 50})
        assert opened.finished
    assert_promise(said)
