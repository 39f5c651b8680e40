"""One prompt that gives way to the next over several keyframes, as the journal has it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from renderer.engine.events import Event, KeyframeReady, KeyframeStarted
from renderer.images import read_provenance
from renderer.painting.prompt_blend import Blend
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import keyframe_path
from tests.engine.runs import digest, of, project, render, small, stop_at

DIARY = "tests.painters:witnessed"


def blend_at(opened: Project, keyframe: int) -> Blend:
    return opened.history.timeline.blend_at(opened.settings, keyframe)


def blends(folder: Path, count: int) -> list[Blend]:
    with Project.open(folder) as opened:
        return [blend_at(opened, keyframe) for keyframe in range(count)]


def planned(folder: Path, diary: Path) -> Path:
    """Six keyframes: the sea gives way to the sky over two keyframes, from the second on."""
    settings = small(painter=DIARY, model=str(diary), prompt="sea", prompt_blend=2, keyframes=6)
    create_project(folder, settings, changes=[(1, {"prompt": "sky"}), (5, {"prompt": "moon"})])
    return folder


def painted(keyframe: int, event: Event) -> bool:
    return isinstance(event, KeyframeReady) and event.keyframe == keyframe


LINES = [
    "0 sea",
    "1 sky 0.33 after sea",
    "2 sky 0.67 after sea",
    "3 sky",
    "4 sky",
    "5 moon 0.33 after sky",
]


def test_a_planned_prompt_gives_way_step_by_step(tmp_path: Path) -> None:
    folder = planned(tmp_path / "a.zoom", tmp_path / "diary")
    events = render(folder)
    assert (tmp_path / "diary").read_text().splitlines() == ["made", *LINES]
    shown = [event.prompt for event in of(events, KeyframeStarted)]
    assert shown == ["sea", "sky", "sky", "sky", "sky", "moon"]


def test_a_keyframes_file_says_what_it_was_blended_of(tmp_path: Path) -> None:
    folder = planned(tmp_path / "a.zoom", tmp_path / "diary")
    render(folder)
    made = [read_provenance(keyframe_path(folder, keyframe)) for keyframe in (0, 2, 3)]
    assert [(m["prompt"], m["earlier_prompt"], m["blend"]) for m in made] == [
        ("sea", "", 1.0),
        ("sky", "sea", 0.6667),
        ("sky", "", 1.0),
    ]


def test_a_resumed_film_is_blended_as_one_that_was_never_left(tmp_path: Path) -> None:
    whole = planned(tmp_path / "whole.zoom", tmp_path / "whole")
    render(whole)
    folder = planned(tmp_path / "a.zoom", tmp_path / "diary")
    for last in (1, 2, 4):
        stop_at(folder, partial(painted, last))
    render(folder)
    lines = (tmp_path / "diary").read_text().splitlines()
    assert list(dict.fromkeys(line for line in lines if line != "made")) == LINES
    assert digest(folder) == digest(whole)


def test_what_is_steered_is_blended_from_what_was_being_painted(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", prompt="sea")
    with Project.open(folder) as opened:
        opened.steer({"prompt": "sky", "prompt_blend": 1}, 2)
    half = Blend("sky", "sea", 0.5)
    assert blends(folder, 4) == [Blend("sea"), Blend("sea"), half, Blend("sky")]


def test_the_last_word_for_a_keyframe_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", prompt="sea", prompt_blend=1)
    with Project.open(folder) as opened:
        opened.steer({"prompt": "sky"}, 2)
        opened.steer({"prompt": "moon"}, 2)
    assert blends(folder, 3)[2] == Blend("moon", "sea", 0.5)
    with Project.open(folder) as opened:
        opened.steer({"prompt": "sea"}, 2)
        assert blend_at(opened, 2) == Blend("sea")
        opened.drop_steering(2)
        assert blend_at(opened, 2) == Blend("sea")


@pytest.mark.parametrize("other", [{"prompt_blend": 0}, {"steps": 9}])
def test_a_blend_that_was_begun_is_ended_as_it_was_begun(
    tmp_path: Path, other: dict[str, int]
) -> None:
    folder = project(tmp_path / "a.zoom", prompt="sea", prompt_blend=3)
    with Project.open(folder) as opened:
        opened.steer({"prompt": "sky"}, 1)
        opened.steer(other, 2)
    assert blends(folder, 5)[1:] == [
        Blend("sky", "sea", 0.25),
        Blend("sky", "sea", 0.5),
        Blend("sky", "sea", 0.75),
        Blend("sky"),
    ]
