"""One run of the engine, from settings to film: what it says, and what it does when things fail."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from renderer.engine.project import Project, keyframe_path
from renderer.engine.session import CAPACITY, Session
from renderer.errors import PainterError, ProjectError, SettingsError, StorageError
from renderer.events import (
    Event,
    KeyframeReady,
    Note,
    Phase,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    RenderStarted,
    SegmentWritten,
    StepDone,
    to_json,
)
from renderer.journal import read_journal
from renderer.pictures import read_provenance
from tests.engine.runs import (
    assert_playable,
    assert_promise,
    digest,
    engine,
    project,
    render,
    small,
    steer,
)


def of(events: list[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def stop_at(folder: Path, moment: Any) -> list[Event]:
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
        assert {**made[0], "seconds": 0} == {**made[1], "seconds": 0}


def test_a_given_picture_is_keyframe_0(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    source = project(tmp_path / "source.zoom")
    render(source)
    with Project.open(source) as opened:
        picture = opened.load_keyframe(0)
    Project.create(folder, small(painter="texture"), picture=picture)
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


def test_what_was_painted_but_not_filmed_is_filmed_first_after_a_stop(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=6)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=6)
    stop_at(folder, lambda event: isinstance(event, KeyframeReady) and event.keyframe == 1)
    with Project.open(folder) as opened:
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
            if isinstance(event, KeyframeReady):
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


def test_a_slow_film_side_holds_the_painter_back(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=14, size=(1024, 1024), preset="medium", crf=10)
    filmed, ahead = 0, []
    for event in render(folder):
        if isinstance(event, SegmentWritten):
            filmed = event.segment + 1
        if isinstance(event, StepDone):
            ahead.append(event.keyframe - filmed)
    assert max(ahead) == CAPACITY + 2


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


# ---------------------------------------------------------------------- steering, lengthening


def test_the_painter_is_made_once_and_only_where_something_is_to_paint(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    folder = project(tmp_path / "a.zoom", painter="tests.painters:witnessed", model=str(diary))
    stop_at(folder, lambda event: isinstance(event, KeyframeReady) and event.keyframe == 3)
    assert diary.read_text().split() == ["made", "0", "1", "2", "3"]
    render(folder)
    render(folder)
    assert diary.read_text().split() == ["made", "0", "1", "2", "3"]


def test_another_prompt_counts_from_the_next_keyframe_and_needs_no_new_painter(
    tmp_path: Path,
) -> None:
    diary = tmp_path / "diary"
    folder = project(
        tmp_path / "a.zoom", painter="tests.painters:witnessed", model=str(diary), prompt="sea"
    )
    render(folder)
    steer(folder, prompt="sky", keyframes=6)
    with Project.open(folder) as opened:
        opened.steer({"prompt": "moon"})
    render(folder)
    lines = diary.read_text().splitlines()
    assert lines == ["made", "0 sea", "1 sea", "2 sea", "3 sea", "made", "4 moon", "5 moon"]
    assert read_provenance(keyframe_path(folder, 3))["prompt"] == "sea"
    assert read_provenance(keyframe_path(folder, 4))["prompt"] == "moon"
    assert_playable(folder, frames=26)


def test_another_painter_is_made_where_it_counts_from(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:failing", model="2")
    render(folder)
    steer(folder, painter="tests.painters:gradient")
    events = render(folder)
    assert isinstance(events[-1], RenderFinished)
    assert read_provenance(keyframe_path(folder, 2))["painter"] == "tests.painters:gradient"


def test_a_finished_film_lengthened_is_the_film_made_at_once(tmp_path: Path) -> None:
    at_once = project(tmp_path / "at_once.zoom", keyframes=7)
    render(at_once)
    folder = project(tmp_path / "a.zoom", keyframes=3)
    render(folder)
    assert_playable(folder, frames=11)
    for keyframes in (4, 7):
        steer(folder, keyframes=keyframes)
        assert_playable(folder)
        events = render(folder)
        assert isinstance(events[-1], RenderFinished)
        assert not events[-1].stopped
    assert digest(folder) == digest(at_once)
    assert_playable(folder, frames=31)


def test_a_film_without_end_can_be_given_one(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=8)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=None)
    events = stop_at(folder, lambda event: isinstance(event, SegmentWritten))
    assert events[0].total_frames is None  # type: ignore[union-attr]
    steer(folder, keyframes=8)
    render(folder)
    assert digest(folder) == digest(whole)


# ---------------------------------------------------------------------------------- damage


def painted_ahead(folder: Path, **changes: Any) -> Path:
    """A project with keyframes 0 … 3 on disk and only interval 0 in the film, to go on to 6."""
    project(folder, keyframes=4, **changes)
    render(folder)
    with Project.open(folder) as opened:
        opened.steer({"keyframes": 6})
        while opened.store.intervals > 1:
            opened.store._drop_last()
        opened.store._cut()
    return folder


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


def test_a_damaged_keyframe_that_no_film_has_is_painted_again(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=6)
    render(whole)
    for damaged in (2, 3):
        folder = painted_ahead(tmp_path / f"{damaged}.zoom")
        damage(keyframe_path(folder, damaged))
        events = render(folder)
        assert [note.text for note in of(events, Note)] == [
            f"keyframe {damaged} is damaged, so it is painted again"
        ]
        assert of(events, KeyframeReady)[0].keyframe == damaged
        assert digest(folder) == digest(whole)


def test_steering_is_kept_when_keyframes_are_painted_again(tmp_path: Path) -> None:
    folder = painted_ahead(tmp_path / "a.zoom", prompt="sea")
    steer(folder, prompt="sky")
    keyframe_path(folder, 2).unlink()
    render(folder)
    prompts = [read_provenance(keyframe_path(folder, number))["prompt"] for number in range(6)]
    assert prompts == ["sea", "sea", "sea", "sea", "sky", "sky"]
    records = read_journal(folder / "journal.jsonl")
    assert len([record for record in records if record["type"] == "keyframe"]) == 6


@pytest.mark.parametrize("keyframe", [0, 1])
def test_a_damaged_keyframe_that_the_film_rests_on_is_never_painted_again(
    tmp_path: Path, keyframe: int
) -> None:
    folder = painted_ahead(tmp_path / "a.zoom")
    before = (folder / "film.mp4").read_bytes()
    damage(keyframe_path(folder, keyframe))
    events = render(folder)
    assert isinstance(events[-1], RenderFailed)
    assert events[-1].exit_code == ProjectError.exit_code
    assert str(keyframe_path(folder, keyframe)) in events[-1].message
    assert "restore it from a copy" in events[-1].message
    assert (folder / "film.mp4").read_bytes().startswith(before)
