"""A render stops or pauses by itself once a condition is met, and says which."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from renderer.engine.conditions import Conditions
from renderer.engine.events import Event, Note, Phase, PhaseChanged, RenderFinished, RenderStarted
from renderer.engine.session import Session
from renderer.engine.state import RenderState, apply
from renderer.painting.figures import Figures
from renderer.project.project import Project
from tests.engine.runs import assert_playable, digest, of, project, render, steer

NEWEST = Figures(seconds=12.5, seam=2.6, drift=61.25)


def at(hour: int, minute: int = 0, day: int = 1) -> float:
    return datetime(2026, 3, day, hour, minute).timestamp()  # noqa: DTZ001 - local time is meant


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("drift>61", "drift is 61.25 (drift>61)"),
        ("drift>62", ""),
        ("seam>2.6", ""),
        ("seam>2.5", "seam is 2.6 (seam>2.5)"),
        ("seconds>12", "seconds is 12.5 (seconds>12)"),
        ("disk<1kb", ""),
        ("disk<900TB", "are free on the disk (disk<900TB)"),
    ],
)
def test_a_condition_is_met_or_is_not(condition: str, words: str, tmp_path: Path) -> None:
    found = Conditions(tmp_path, 0.0).met(["drift>99", condition], NEWEST)
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("began", "now", "met"),
    [
        (at(22), at(23), False),
        (at(22), at(6, 59, day=2), False),
        (at(22), at(7, 0, day=2), True),
        (at(22), at(12, 0, day=2), True),
        (at(6), at(7), True),
        (at(8), at(23), False),  # it was past seven when it began: the next morning is meant
        (at(8), at(7, 1, day=2), True),
    ],
)
def test_a_time_of_day_is_the_first_one_after_the_session_began(
    began: float, now: float, met: bool, tmp_path: Path
) -> None:
    conditions = Conditions(tmp_path, began, clock=lambda: now)
    assert bool(conditions.met(["time>07:00"], NEWEST)) == met


def test_a_render_stops_by_itself_and_goes_on_to_the_same_film(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom")
    render(whole)
    folder = project(tmp_path / "a.zoom", stop_when=("time>00:00", "disk<900TB"))
    events = render(folder)
    assert events[-1].stopped
    (note,) = of(events, Note)
    assert note.text.startswith("stops by itself: ")
    assert note.text.endswith("are free on the disk (disk<900TB)")
    first = len(of(events, RenderFinished))
    assert first == 1
    frames = assert_playable(folder) if (folder / "film.mp4").stat().st_size else 0
    assert frames < 16
    steer(folder, stop_when=[])
    assert not render(folder)[-1].stopped
    assert digest(folder) == digest(whole)


def test_a_render_pauses_by_itself_after_every_such_keyframe(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", pause_when=("disk<900TB",))
    paused, state = [], RenderState()
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            nonlocal state
            state = apply(state, event, 0.0)
            if isinstance(event, PhaseChanged) and event.phase is Phase.PAUSED:
                paused.append(state.keyframes)
                session.pause(False)

        session = Session(opened, emit)
        last = session.run()
    assert isinstance(last, RenderFinished)
    assert not last.stopped
    assert paused
    assert paused == sorted(set(paused))
    assert state.pause_when == ("disk<900TB",)
    assert any("pauses by itself" in line.text for line in state.log)
    assert_playable(folder, frames=16)


def test_a_film_whose_last_keyframe_is_painted_is_finished_all_the_same(tmp_path: Path) -> None:
    endless: dict[str, Any] = {"painter": "tests.painters:endless", "model": "1"}
    folder = project(tmp_path / "a.zoom", keyframes=2, stop_when=("disk<900TB",), **endless)
    assert render(folder)[-1].stopped  # in the middle of the second
    steer(folder, model="9")
    events = render(folder)  # the second and last one is painted
    assert not events[-1].stopped
    assert of(events, Note) == []


def test_viewers_hear_of_conditions_at_the_start_and_when_they_are_steered(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", stop_when=("drift>250",))
    state = RenderState()
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            nonlocal state
            state = apply(state, event, 0.0)
            if isinstance(event, RenderStarted):
                assert state.stop_when == ("drift>250",)
                session.steer({"stop_when": ["seam>99"]})
                assert state.stop_when == ("seam>99",)
                session.undo()
                assert state.stop_when == ("drift>250",)

        session = Session(opened, emit)
        session.run()
    assert not state.stopped
