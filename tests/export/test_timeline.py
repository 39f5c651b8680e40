"""When the camera is where in an export: exact where nothing bends it, smooth where it is eased."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest

from renderer.errors import SettingsError
from renderer.export.timeline import Depth, Timeline
from renderer.settings.export import ExportOptions, Speed
from renderer.settings.focus import parse_point
from renderer.settings.plain_values import parse_rate

FPS = Fraction(30)
TWO = Fraction(2)
"""Seconds a keyframe."""


def timeline(depth: int = 3, fps: Fraction = FPS, each: Fraction = TWO, **asked: Any) -> Timeline:
    return Timeline.of(ExportOptions(**asked), depth, fps, each)


def depths(line: Timeline) -> list[Depth]:
    return [line.shot(frame).depth for frame in range(line.frames)]


@pytest.mark.parametrize("fps", [FPS, Fraction(24000, 1001)])
def test_unchanged_timing_is_the_films_own_exactly(fps: Fraction) -> None:
    line = timeline(fps=fps, each=60 / fps)
    assert depths(line) == [Fraction(number, 60) for number in range(181)]
    assert [float(depth % 1) for depth in depths(line)[:60]] == [i / 60 for i in range(60)]


def test_zooming_in_is_the_same_way_backwards() -> None:
    assert depths(timeline(direction="in")) == depths(timeline())[::-1]


def test_both_ways_turn_once_and_end_where_they_began() -> None:
    there = depths(timeline())
    assert depths(timeline(direction="out-in")) == there + there[-2::-1]
    assert depths(timeline(direction="in-out")) == there[::-1] + there[1:]


def test_speed_length_and_rate_can_be_chosen() -> None:
    assert timeline(seconds_per_keyframe=0.5).frames == 46
    assert timeline(duration=4.0).frames == 120
    assert timeline(duration=4.0, direction="out-in", hold_end=1.0).frames == 120
    assert timeline(fps=Fraction(60)).frames == 361
    line = timeline(depth=1, duration=1.0)
    assert (line.shot(0).depth, line.shot(29).depth) == (0, 1)


def test_holds_repeat_the_first_and_the_last_view() -> None:
    line = timeline(hold_start=0.5, hold_end=1)
    assert line.frames == 15 + 181 + 30
    assert depths(line)[:16] == [0] * 16
    assert depths(line)[-31:] == [3] * 31


@pytest.mark.parametrize(
    ("easing", "slow_at_start", "slow_at_end"),
    [("ease-in", True, False), ("ease-out", False, True), ("ease-in-out", True, True)],
)
def test_easing_changes_the_speed_smoothly(
    easing: Any, slow_at_start: bool, slow_at_end: bool
) -> None:
    way = depths(timeline(easing=easing))
    assert (way[0], way[-1]) == (0, pytest.approx(3))
    speed = [float(b - a) for a, b in itertools.pairwise(way)]
    assert min(speed) > 0
    assert (speed[0] < 0.01 * max(speed)) == slow_at_start
    assert (speed[-1] < 0.01 * max(speed)) == slow_at_end
    jerks = [abs(b - a) for a, b in itertools.pairwise(speed)]
    assert max(jerks) < 0.03 * max(speed)


def test_easing_only_at_the_ends_leaves_a_steady_speed_between_them() -> None:
    way = depths(timeline(easing="ease-in-out", ease_seconds=1.0))
    speed = [float(b - a) for a, b in itertools.pairwise(way)]
    steady = speed[31:149]
    assert max(steady) - min(steady) < 1e-9
    assert speed[0] < 0.01 * steady[0]
    assert speed[15] == pytest.approx(steady[0] / 2, rel=0.05)


def test_a_range_of_keyframes_can_go_faster_or_slower() -> None:
    line = timeline(speeds=(Speed(2, 3, 0.5),))
    assert line.frames == 60 + 120 + 60 + 1
    way = depths(line)
    assert [way[at] for at in (0, 60, 120, 180, 240)] == pytest.approx([0, 1, 1.5, 2, 3])


def test_a_loop_goes_on_at_the_same_speed_and_ends_in_its_beginning() -> None:
    line = timeline(loop=True)
    assert line.frames == 120  # one of three intervals is shared
    shots = [line.shot(frame) for frame in range(line.frames + 0)]
    assert [shot.depth for shot in shots] == [1 + Fraction(number, 60) for number in range(120)]
    assert all(shot.other is None for shot in shots[:61])
    last = shots[-1]
    assert last.other == Fraction(59, 60)
    assert last.share > 0.99
    backwards = timeline(loop=True, direction="in")
    assert backwards.shot(0).share == 1
    assert backwards.shot(0).other == backwards.shot(0).depth - 2 == 1


def test_a_way_there_and_back_loops_without_showing_its_first_view_twice() -> None:
    whole, loop = timeline(direction="out-in"), timeline(direction="out-in", loop=True)
    assert depths(loop) == depths(whole)[:-1]


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"duration": 0.02}, "no time"),
        ({"duration": 1.0, "hold_end": 2.0}, "no time"),
        ({"speeds": (Speed(3, 9, 2.0),)}, "last keyframe"),
        ({"speeds": (Speed(1, 3, 2.0), Speed(2, 4, 2.0))}, "two speeds"),
        ({"loop": True, "easing": "ease-in"}, "--direction out-in"),
        ({"loop": True, "hold_end": 1.0}, "--direction out-in"),
        ({"seconds_per_keyframe": 600000.0}, "frames"),
        ({"direction": "inwards"}, "direction"),
        ({"easing": "ease-inout"}, "ease-in-out"),
        ({"duration": 1.0, "seconds_per_keyframe": 1.0}, "contradict"),
        ({"duration": float("nan")}, "duration"),
        ({"hold_start": -1.0}, "hold_start must be 0 to"),
        ({"ease_seconds": 1.0}, "--easing"),
        ({"focus": (0.5, 1.2)}, "focus"),
        ({"upscale": "nearest"}, "lanczos"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(asked: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=word) as refused:
        timeline(**asked, depth=100 if "seconds_per_keyframe" in asked else 3)
    assert "\n" not in str(refused.value)


def test_options_are_read_from_text() -> None:
    assert Speed.parse("3-6=0.5") == Speed(3, 6, 0.5)
    assert Speed.parse("3-=2") == Speed(3, None, 2.0)
    assert parse_point("0.25,0.75") == (0.25, 0.75)
    assert parse_rate("24000/1001") == Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (Speed.parse, "3=2"),
        (Speed.parse, "6-3=2"),
        (Speed.parse, "0-3=2"),
        (Speed.parse, "1-3=0"),
        (parse_point, "0.5"),
        (parse_point, "a,b"),
        (parse_rate, "1/0"),
        (parse_rate, "fast"),
    ],
)
def test_text_that_says_nothing_is_refused(parse: Any, text: str) -> None:
    with pytest.raises(SettingsError):
        parse(text)
