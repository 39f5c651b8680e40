"""What is worth a message, by a clock of the test's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from renderer.engine.events import Phase
from renderer.engine.occasions import GAP, LEAST_LATE, Disk, Kind, Occasions
from renderer.engine.state import Failure, RenderState
from renderer.painting.figures import Figures
from renderer.project.status import State

PACE = 30.0
"""Seconds a keyframe."""
RENDERING = RenderState(
    project="/renders/coral.zoom",
    phase=Phase.RENDERING,
    started_at=1.0,
    keyframes=7,
    total_keyframes=60,
    figures=(Figures(seconds=PACE, seam=1.1, drift=3.0),),
    fps=30.0,
    frames=100,
    frames_per_keyframe=20,
    duration=100 / 30,
    progress=((0.0, 0, 0), (100.0, 100, 1_000_000)),
    segment_seconds=(2.0,),
)
RATE = 10_000 + 1_000_000 / 20
"""Bytes a second, of the film and of keyframes of 1 MB."""


def seen(*moments: tuple[float, RenderState], disk: Disk | None = None) -> list[Kind]:
    """What is said over these looks, of which the first is at a render that goes well."""
    occasions = Occasions()
    assert occasions.look(RENDERING, 0.0) == []
    said = [each for at, state in moments for each in occasions.look(state, at, disk)]
    return [each.kind for each in said]


def test_a_render_that_goes_on_is_no_news() -> None:
    assert seen(*((PACE * k, replace(RENDERING, keyframes=7 + k)) for k in range(40))) == []


@pytest.mark.parametrize(
    ("ends", "kind"),
    [
        ({"finished": True}, Kind.FINISHED),
        ({"failure": Failure("no", 5)}, Kind.FAILED),
    ],
)
def test_a_restart_that_no_look_has_met_is_said_before_the_end_and_never_after_it(
    ends: dict[str, Any], kind: Kind
) -> None:
    over = replace(RENDERING, restarted_at=5.0, crash="killed", **ends)
    assert seen((1.0, over), (100.0, over)) == [Kind.RESTARTED, kind]
    running = replace(RENDERING, restarted_at=3.0, crash="killed")
    assert seen((1.0, running), (2.0, over), (100.0, over)) == [Kind.RESTARTED, kind]


def test_what_is_so_at_the_first_look_is_no_news() -> None:
    for state in (
        replace(RENDERING, finished=True),
        replace(RENDERING, failure=Failure("no", 5)),
        replace(RENDERING, restarted_at=5.0, crash="killed"),
        replace(RENDERING, phase=Phase.REVIEW, held=4),
    ):
        occasions = Occasions()
        assert occasions.look(state, 0.0) == occasions.look(state, 100.0) == []


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        (
            replace(RENDERING, finished=True, keyframes=60, duration=200.0),
            Kind.FINISHED,
            "finished: 60/60 keyframes, 3 min 20 s of film",
        ),
        (
            replace(RENDERING, finished=True, stopped=True),
            Kind.STOPPED,
            "stopped: 7/60 keyframes, 3.3 s of film",
        ),
        (
            replace(RENDERING, failure=Failure("no space\x1b[2J\nleft", 6)),
            Kind.FAILED,
            "failed: no space\\x1b[2J\\nleft",
        ),
        (
            replace(RENDERING, restarted_at=9.0, crash="the engine was killed"),
            Kind.RESTARTED,
            "restarted at 7/60 keyframes: the engine was killed",
        ),
        (
            replace(RENDERING, phase=Phase.REVIEW, held=6),
            Kind.REVIEW,
            "waits for review of keyframe 7",
        ),
    ],
)
def test_each_is_said_once_in_one_harmless_line(state: RenderState, kind: Kind, text: str) -> None:
    occasions = Occasions()
    occasions.look(RENDERING, 0.0)
    (said,) = [each for at in range(1, 140, 20) for each in occasions.look(state, float(at))]
    assert (said.kind, said.text) == (kind, text)
    plain = said.plain()
    assert (plain["event"], plain["name"], plain["keyframes"]) == (kind, "coral", state.keyframes)
    assert (plain["total"], plain["seam"], plain["pace"]) == (60, 1.1, PACE)


def test_a_render_stalls_when_nothing_came_for_five_times_the_usual_time_and_then_goes_on() -> None:
    occasions = Occasions()
    occasions.look(RENDERING, 0.0)
    assert occasions.look(RENDERING, 5 * PACE - 1) == []
    (said,) = occasions.look(RENDERING, 5 * PACE)
    assert said.text == ("stands still: no keyframe for 2 min 30 s, usually one comes in 30.0 s")
    assert occasions.look(RENDERING, 50 * PACE) == []
    (on,) = occasions.look(replace(RENDERING, keyframes=8), 51 * PACE)
    assert (on.kind, on.text) == (Kind.RECOVERED, "goes on: 8/60 keyframes")
    assert occasions.look(replace(RENDERING, keyframes=8), 52 * PACE) == []
    (again,) = occasions.look(replace(RENDERING, keyframes=8), 56 * PACE)
    assert again.kind is Kind.STALLED


def test_one_that_is_paused_or_drains_or_encodes_slowly_does_not_stall() -> None:
    for phase in (Phase.PAUSED, Phase.REVIEW, Phase.DRAINING, Phase.LOADING):
        assert seen((9999.0, replace(RENDERING, phase=phase))) == []
    paused = replace(RENDERING, phase=Phase.PAUSED)
    assert seen((1.0, paused), (9999.0, paused), (9999.5, RENDERING)) == []
    slow = replace(RENDERING, segment_seconds=(400.0,))
    assert seen((1.0, slow), (1999.0, slow)) == []
    filmed = ((100.0 * k, replace(RENDERING, frames=100 + k)) for k in range(20))
    assert seen(*filmed) == []


def test_one_that_stalled_and_is_paused_has_not_gone_on() -> None:
    paused = replace(RENDERING, phase=Phase.PAUSED)
    assert seen((200.0, RENDERING), (300.0, paused), (400.0, RENDERING)) == [Kind.STALLED]


def test_quick_painters_may_wait_a_minute_and_before_the_first_keyframe_nothing_is_late() -> None:
    quick = replace(RENDERING, figures=(Figures(seconds=0.1, seam=0, drift=0),))
    said = seen((1.0, quick), (LEAST_LATE, quick), (LEAST_LATE + 1.0, quick))
    assert said == [Kind.STALLED]
    new = Occasions()
    first = replace(RENDERING, figures=(), segment_seconds=())
    assert new.look(first, 0.0) == new.look(first, 99999.0) == []


def test_a_disk_is_low_an_hour_before_it_is_full_and_once() -> None:
    endless = replace(RENDERING, total_keyframes=None)
    assert seen((1.0, endless), disk=Disk(3700 * RATE, 1_000_000)) == []
    occasions = Occasions()
    occasions.look(endless, 0.0)
    (said,) = occasions.look(endless, 1.0, Disk(3300 * RATE, 1_000_000))
    assert said.kind is Kind.DISK
    assert said.text == "disk full in about 55 min: 188.8 MiB are free"
    for at, lasts in ((62.0, 3700), (64.0, 3300), (66.0, 100)):  # not again for a few bytes
        assert occasions.look(endless, at, Disk(lasts * RATE, 1_000_000)) == []
    assert occasions.look(endless, 70.0, None) == []
    assert occasions.look(endless, 80.0, Disk(8000 * RATE, 1_000_000)) == []
    assert occasions.look(endless, 90.0, Disk(3300 * RATE, 1_000_000)) != []


def test_a_disk_that_suffices_for_the_rest_of_the_film_is_not_low() -> None:
    ending = replace(RENDERING, total_keyframes=9)
    assert ending.seconds_left == 61
    assert seen((1.0, ending), disk=Disk(100 * RATE, 1_000_000)) == []
    assert seen((1.0, ending), disk=Disk(50 * RATE, 1_000_000)) == [Kind.DISK]


def test_of_a_kind_there_is_one_a_minute_and_what_is_still_so_is_said_then() -> None:
    held = [replace(RENDERING, phase=Phase.REVIEW, held=k) for k in range(4)]
    occasions = Occasions()
    occasions.look(RENDERING, 0.0)
    said = []
    for at, state in [(1.0, held[0]), (5.0, held[1]), (9.0, held[2]), (GAP + 1.0, held[2])]:
        said += [(at, each.text) for each in occasions.look(state, at)]
    assert said == [
        (1.0, "waits for review of keyframe 1"),
        (GAP + 1.0, "waits for review of keyframe 3"),
    ]
    crashed = [replace(RENDERING, restarted_at=at, crash="killed") for at in (10.0, 20.0)]
    failed = replace(crashed[1], failure=Failure("given up", 9))
    assert seen((10.0, crashed[0]), (20.0, crashed[1]), (21.0, failed)) == [
        Kind.RESTARTED,
        Kind.FAILED,
    ]


def test_another_session_ends_anew() -> None:
    done = replace(RENDERING, finished=True)
    again = replace(RENDERING, started_at=2.0)
    assert seen((1.0, done), (2.0, again), (3.0, replace(again, finished=True))) == [
        Kind.FINISHED,
        Kind.FINISHED,
    ]


def test_the_facts_are_those_of_the_state() -> None:
    occasions = Occasions()
    occasions.look(RENDERING, 0.0)
    (said,) = occasions.look(replace(RENDERING, finished=True, stopped=True), 1.0)
    assert said.facts.state is State.STOPPED
