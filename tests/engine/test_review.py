"""A render that holds after each keyframe until one of its takes is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renderer.engine.events import (
    Event,
    Held,
    KeyframeReady,
    Phase,
    PhaseChanged,
    RenderFinished,
    Rewound,
    SegmentWritten,
)
from renderer.engine.session import Session
from renderer.engine.state import RenderState, apply
from renderer.painting.candidate_cost import cost
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import read_history
from renderer.project.rewinding import choosing, rerolled
from renderer.project.status import read_status
from renderer.project.thinning import prune
from tests.engine.runs import SIDE, digest, of, project, render, small, steer

COUNT = 5
Answer = Callable[[Session, Held], None]


def reviewed(folder: Path, answer: Answer, events: list[Event] | None = None) -> list[Event]:
    """All events of a render, where ``answer`` decides about each held keyframe; ``events`` takes
    them as they come."""
    events = [] if events is None else events
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, Held):
                held.append(event)

        held: list[Held] = []
        session = Session(opened, emit)
        decide_when_it_waits(session, held, answer)
        session.run()
    return events


def decide_when_it_waits(session: Session, held: list[Held], answer: Answer) -> None:
    """On the painter's own thread, as soon as it waits."""
    controls = session._controls
    waits = controls.hold

    def hold(number: int, seconds: float) -> bool:
        controls._holding = number
        answer(session, held[-1])
        return waits(number, seconds)

    controls.hold = hold  # type: ignore[method-assign]


def take(session: Session, held: Held) -> None:
    """Go on with the one that was painted last."""
    history = session._project.history
    session.revisions.choose(held.keyframe, history.keyframes[held.keyframe].take)


def takes(folder: Path) -> list[int]:
    return [stored.take for stored in read_history(folder).keyframes]


def film_of(tmp_path: Path, name: str, **changes: Any) -> Path:
    return project(
        tmp_path / f"{name}.zoom", painter="texture", keyframes=COUNT, **{"review": 1} | changes
    )


def test_an_answer_may_come_with_the_question(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a")
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, Held):
                take(session, event)

        session = Session(opened, emit)
        session.run()
    assert [held.keyframe for held in of(events, Held)] == list(range(COUNT))
    assert isinstance(events[-1], RenderFinished)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = film_of(tmp_path_factory.mktemp("whole"), "a", review=0)
    render(folder)
    return folder


def test_each_keyframe_is_held_and_not_filmed_until_it_is_taken(
    whole: Path, tmp_path: Path
) -> None:
    folder = film_of(tmp_path, "a")
    filmed: list[tuple[int, int]] = []

    def answer(session: Session, held: Held) -> None:
        filmed.append((held.keyframe, session._project.store.intervals))
        take(session, held)

    events = reviewed(folder, answer)
    assert [held.keyframe for held in of(events, Held)] == list(range(COUNT))
    assert all(intervals < max(1, keyframe) for keyframe, intervals in filmed)
    assert isinstance(events[-1], RenderFinished)
    assert digest(folder) == digest(whole)
    assert not of(events, Rewound)
    phases = [event.phase for event in of(events, PhaseChanged)]
    assert phases == ["loading", *["rendering", "review"] * COUNT, "rendering", "draining"]


def test_another_take_is_painted_until_one_is_taken(whole: Path, tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a")

    def answer(session: Session, held: Held) -> None:
        if held.keyframe == 2 and held.takes < 3:
            session.revisions.reroll(2, {})
        elif held.keyframe == 2 and held.takes == 3 and takes(folder)[2] == 3:
            session.revisions.choose(2, 2)
        else:
            take(session, held)

    events = reviewed(folder, answer)
    assert [held.keyframe for held in of(events, Held)] == [0, 1, 2, 2, 2, 3, 4]
    assert takes(folder) == [1, 1, 2, 1, 1]
    assert [event.segment for event in of(events, SegmentWritten)] == [0, 1, 2, 3, 4]
    other = film_of(tmp_path, "b", review=0)  # the same choice, made afterwards
    render(other)
    with Project.open(other) as opened:
        opened.rewind(rerolled(opened.history, 2, {}))
    render(other)
    assert digest(folder) == digest(other) != digest(whole)


def test_as_many_takes_as_are_wanted_are_painted_before_it_holds(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a", review=3)
    chosen: list[int] = []

    def answer(session: Session, held: Held) -> None:
        assert held.takes == 3
        if held.keyframe == 1 and not chosen:
            chosen.append(1)
            session.revisions.choose(1, 1)
        else:
            take(session, held)

    events = reviewed(folder, answer)
    assert [held.keyframe for held in of(events, Held)] == list(range(COUNT))
    assert takes(folder) == [3, 1, 3, 3, 3]
    assert len(list((folder / "keyframes").iterdir())) == 3 * COUNT
    ready = [event.keyframe for event in of(events, KeyframeReady)]
    assert ready == [keyframe for keyframe in range(COUNT) for _ in range(3)]


def test_after_a_while_it_goes_on_with_the_best(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a", review=3, review_wait=0.05)
    events = render_held(folder)
    history = read_history(folder)
    for stored in history.keyframes[1:]:
        around = [each for each in history.takes(stored.keyframe) if each.around == stored.around]
        assert len(around) == 3
        assert cost(stored.seam, stored.drift) == min(cost(e.seam, e.drift) for e in around)
    assert all(held.until > 0 for held in of(events, Held))
    assert isinstance(events[-1], RenderFinished)


def render_held(folder: Path) -> list[Event]:
    events: list[Event] = []
    with Project.open(folder) as opened:
        Session(opened, events.append).run()
    return events


def test_a_held_render_can_be_stopped_and_holds_again_when_it_goes_on(
    whole: Path, tmp_path: Path
) -> None:
    folder = film_of(tmp_path, "a")

    def stop(session: Session, held: Held) -> None:
        if held.keyframe == 2:
            session.stop()
        else:
            take(session, held)

    reviewed(folder, stop)
    assert (read_status(folder).keyframes, read_status(folder).frames) == (3, 5)
    events = reviewed(folder, take)
    assert [held.keyframe for held in of(events, Held)] == [2, 3, 4]
    assert digest(folder) == digest(whole)


def test_what_is_steered_while_it_holds_counts_for_the_next_take(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a", prompt="sea")

    def answer(session: Session, held: Held) -> None:
        if held.keyframe == 1 and held.takes == 1:
            session.revisions.reroll(1, {"prompt": "sky"})
        elif held.keyframe == 3:
            session.steer({"review": 0})
            take(session, held)
        else:
            take(session, held)

    events = reviewed(folder, answer)
    assert [held.keyframe for held in of(events, Held)] == [0, 1, 1, 2, 3]
    assert [event.prompt for event in of(events, KeyframeReady)] == ["sea", "sea", *["sky"] * 4]


def test_a_film_rewound_below_what_was_decided_is_held_again(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a")
    back: list[int] = []

    def answer(session: Session, held: Held) -> None:
        if held.keyframe == 3 and not back:
            back.append(1)
            session.revisions.rewind(1)
        else:
            take(session, held)

    events = reviewed(folder, answer)
    assert [held.keyframe for held in of(events, Held)] == [0, 1, 2, 3, 1, 2, 3, 4]


def test_a_picture_of_ones_own_is_not_held(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
    create_project(folder, small(painter="texture", keyframes=3, review=1), picture=picture)
    events = reviewed(folder, take)
    assert [held.keyframe for held in of(events, Held)] == [1, 2]


def test_a_chosen_film_is_the_same_every_time(tmp_path: Path) -> None:
    films = []
    for name in "ab":
        folder = film_of(tmp_path, name, review=2)

        def answer(session: Session, held: Held) -> None:
            wanted = 1 + held.keyframe % 2
            history = session._project.history
            if history.keyframes[held.keyframe].take == wanted:
                take(session, held)
            else:
                session.revisions.choose(held.keyframe, wanted)

        reviewed(folder, answer)
        films.append(digest(folder))
        assert takes(folder) == [1, 2, 1, 2, 1]
    assert films[0] == films[1]
    with Project.open(folder) as opened:
        opened.rewind(choosing(opened.history, 2, 2))


def test_takes_whose_pictures_have_gone_are_not_offered(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a", review=2, review_wait=60)
    reviewed(folder, lambda session, held: session.stop())
    gone = list(read_history(folder).not_chosen())
    assert len(gone) == 1
    prune(folder, gone)
    offered: list[int] = []

    def answer(session: Session, held: Held) -> None:
        offered.append(held.takes)
        session.stop()

    events = reviewed(folder, answer)
    assert offered == [2]  # another one was painted
    assert isinstance(events[-1], RenderFinished)
    steer(folder, review_wait=0.05)
    assert isinstance(render_held(folder)[-1], RenderFinished)
    assert read_status(folder).keyframes == COUNT


def test_a_held_render_that_was_paused_is_still_held_when_it_goes_on(tmp_path: Path) -> None:
    folder = film_of(tmp_path, "a")
    shown: list[tuple[Phase | None, int | None]] = []
    seen: list[Event] = []

    def answer(session: Session, held: Held) -> None:
        if held.keyframe == 1:
            for paused in (True, False):
                session.pause(paused)
                now = RenderState()
                for at, event in enumerate(seen):
                    now = apply(now, event, float(at))
                shown.append((now.phase, now.held))
        take(session, held)

    reviewed(folder, answer, seen)
    assert shown == [(Phase.PAUSED, 1), (Phase.REVIEW, 1)]
