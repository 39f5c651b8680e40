"""Keyframes of a running render taken back, painted anew and chosen again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.engine.events import (
    Event,
    KeyframeReady,
    KeyframeStarted,
    Note,
    PhaseChanged,
    RenderFinished,
    Rewound,
    SegmentWritten,
)
from renderer.engine.session import Session
from renderer.engine.state import RenderState, apply
from renderer.errors import ProjectError, SettingsError
from renderer.project.history import Placed
from renderer.project.project import Project
from renderer.project.records import read_history
from renderer.project.rewinding import rerolled
from renderer.project.status import read_status
from tests.engine.runs import digest, of, project, render

COUNT = 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(
        tmp_path_factory.mktemp("whole") / "a.zoom", painter="texture", keyframes=COUNT
    )
    render(folder)
    return folder


def meddled(
    folder: Path, moment: Callable[[Event], bool], what: Callable[[Session], None]
) -> list[Event]:
    """All events of a render in which ``what`` is asked for once, at the first such moment."""
    events: list[Event] = []
    done: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if moment(event) and not done:
                done.append(event)
                what(session)

        session = Session(opened, emit)
        session.run()
    assert done
    return events


def ready(keyframe: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, KeyframeReady) and event.keyframe == keyframe


def takes(folder: Path) -> list[int]:
    return [stored.take for stored in read_history(folder).keyframes]


@pytest.mark.parametrize("keyframe", [1, 3, 5])
def test_a_render_that_is_rewound_goes_on_to_the_same_film(
    whole: Path, tmp_path: Path, keyframe: int
) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    events = meddled(folder, ready(5), lambda session: session.revisions.rewind(keyframe))
    assert digest(folder) == digest(whole)
    (rewound,) = of(events, Rewound)
    assert (rewound.keyframe, rewound.keyframes) == (keyframe, keyframe)
    assert rewound.before >= 6  # those that waited in the channel are kept as well
    later = events[events.index(rewound) :]
    assert [event.keyframe for event in of(later, KeyframeReady)] == list(range(keyframe, COUNT))
    assert of(later, KeyframeReady)[0].take == 2
    assert of(later, SegmentWritten)[0].segment == rewound.frames // 5  # none is made again
    assert rewound.frames <= (keyframe - 1) * 5
    assert isinstance(events[-1], RenderFinished)


def test_what_viewers_know_agrees_with_the_project_at_the_end(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    events = meddled(folder, ready(4), lambda session: session.revisions.rewind(2))
    state = RenderState()
    for at, event in enumerate(events):
        state = apply(state, event, float(at))
        if isinstance(event, Rewound):
            assert (state.keyframes, state.painting) == (2, None)
            assert state.frames == event.frames <= 5
            assert len(state.figures) == 2
            assert state.total_frames == (COUNT - 1) * 5 + 1
            assert state.seconds_left is None  # until there is a rate again
    status = read_status(folder)
    assert (state.keyframes, state.frames, state.size) == (
        status.keyframes,
        status.frames,
        status.film_size,
    )
    assert state.seconds_left in (0, None)
    assert state.takes == status.takes
    assert state.takes[:2] == ((2, 2), (3, 2))
    assert [state.take(keyframe) for keyframe in range(3)] == [1, 1, 2]
    assert any("keyframes 3 to" in line.text and "taken back" in line.text for line in state.log)


def test_a_reroll_while_it_renders_is_that_of_a_film_at_rest(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    changes = {"candidates": 2}
    meddled(folder, ready(5), lambda session: session.revisions.reroll(3, changes))
    other = project(tmp_path / "b.zoom", painter="texture", keyframes=COUNT)
    render(other)
    with Project.open(other) as opened:
        opened.rewind(rerolled(opened.history, 3, changes))
    render(other)
    assert digest(folder) == digest(other) != digest(whole)


def test_a_take_is_chosen_again_while_it_renders(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    render(folder)
    with Project.open(folder) as opened:
        opened.rewind(rerolled(opened.history, 3, {}))
    events = meddled(folder, ready(4), lambda session: session.revisions.choose(3, 1))
    assert takes(folder) == [1] * COUNT
    assert digest(folder) == digest(whole)
    (rewound,) = of(events, Rewound)
    assert (rewound.keyframe, rewound.keyframes) == (3, COUNT)


def test_what_was_taken_back_while_it_renders_is_brought_back(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    undone: list[Event] = []
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if ready(5)(event) and not undone:
                session.revisions.rewind(2)
            if isinstance(event, KeyframeStarted) and of(events, Rewound) and not undone:
                undone.append(event)
                session.revisions.undo()

        session = Session(opened, emit)
        session.run()
    one, two = of(events, Rewound)
    assert (one.keyframes, two.keyframes) == (2, one.before)
    assert takes(folder) == [1] * COUNT
    assert digest(folder) == digest(whole)


def test_the_painter_is_not_made_again_and_a_pause_stays(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    folder = project(
        tmp_path / "a.zoom", painter="tests.painters:witnessed", model=str(diary), keyframes=16
    )
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if ready(3)(event) and not of(events, Rewound):
                session.pause(True)
                session.revisions.rewind(1)
            if isinstance(event, Rewound):
                session.pause(False)

        session = Session(opened, emit)
        session.run()
    assert diary.read_text().splitlines().count("made") == 1
    phases = [event.phase for event in of(events, PhaseChanged)]
    assert phases == ["loading", "rendering", "paused", "rendering", "draining"]
    assert read_status(folder).keyframes == 16


def test_a_stop_right_after_it_counts_as_well(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)

    def meddle(session: Session) -> None:
        session.revisions.rewind(2)
        session.stop()

    meddled(folder, ready(4), meddle)
    assert read_status(folder).keyframes == 2
    render(folder)
    assert digest(folder) == digest(whole)


def test_what_can_not_be_done_is_refused_and_the_render_goes_on(
    whole: Path, tmp_path: Path
) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    said: list[str] = []

    def meddle(session: Session) -> None:
        for ask, kind in (
            (lambda: session.revisions.rewind(7), ProjectError),
            (lambda: session.revisions.rewind(0), ProjectError),
            (lambda: session.revisions.choose(2, 2), ProjectError),
            (lambda: session.revisions.undo(), ProjectError),
            (lambda: session.revisions.reroll(2, {"steps": 0}), SettingsError),
            (lambda: session.revisions.reroll(2, {"fps": "25"}), ProjectError),
        ):
            with pytest.raises(kind) as told:
                ask()
            said.append(str(told.value))

    events = meddled(folder, ready(3), meddle)
    assert said[0] == "keyframe 8 is not painted; the film has keyframes 1 to 4"
    assert not of(events, Rewound)
    assert digest(folder) == digest(whole)


def test_of_two_at_once_the_second_says_why_it_can_not_be_done(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)

    def meddle(session: Session) -> None:
        session.revisions.rewind(1)
        session.revisions.rewind(3)

    events = meddled(folder, ready(4), meddle)
    assert len(of(events, Rewound)) == 1
    assert "not done: keyframe 4 is not painted; the film has keyframes 1 to 1" in [
        note.text for note in of(events, Note)
    ]


def test_nothing_is_taken_back_from_a_render_that_is_over(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=3)
    with Project.open(folder) as opened:
        session = Session(opened, lambda _: None)
        session.run()
        with pytest.raises(ProjectError, match="just ending"):
            session.revisions.rewind(1)


def test_takes_that_are_pruned_while_it_renders_are_gone(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    render(folder)
    with Project.open(folder) as opened:
        opened.rewind(rerolled(opened.history, 3, {}))
    events = meddled(folder, ready(4), lambda session: session.revisions.prune())
    left = {path.name for path in (folder / "keyframes").iterdir()}
    assert not any(f"{keyframe:06d}.png" in left for keyframe in range(3, COUNT))
    assert isinstance(events[-1], RenderFinished)


def test_what_is_steered_while_keyframes_are_taken_back_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    refused: list[str] = []

    def rewind(session: Session) -> None:
        session.revisions.rewind(2)
        for change in (
            lambda: session.steer({"prompt": "night"}),
            lambda: session.mark(1, "here"),
            lambda: session.place(Placed(6, 0, 0)),
            session.undo,
        ):
            with pytest.raises(ProjectError) as told:
                change()
            refused.append(str(told.value))

    meddled(folder, ready(4), rewind)
    refusal = "keyframes are taken back as soon as the step in hand has ended: ask again then"
    assert refused == [refusal] * 4
    assert not read_history(folder).steering


@pytest.mark.parametrize("keyframes", [COUNT + 2, "inf"])
def test_a_film_is_lengthened_while_its_end_is_made(tmp_path: Path, keyframes: object) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=3)

    def lengthen(session: Session) -> None:
        session.steer({"keyframes": keyframes})

    def drained(event: Event) -> bool:
        return isinstance(event, PhaseChanged) and event.phase == "draining"

    def stop_once_longer(event: Event) -> bool:
        return isinstance(event, KeyframeReady) and event.keyframe == COUNT + 1

    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if drained(event) and len(opened.keyframes) <= 3:
                lengthen(session)
            if keyframes == "inf" and stop_once_longer(event):
                session.stop()

        session = Session(opened, emit)
        session.run()
    other = project(tmp_path / "b.zoom", painter="texture", keyframes=COUNT + 2)
    render(other)
    assert read_status(folder).keyframes >= COUNT + 2
    if keyframes != "inf":
        assert isinstance(events[-1], RenderFinished)
        assert not events[-1].stopped
        assert digest(folder) == digest(other)
