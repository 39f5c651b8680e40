"""Going on with a project: steered, lengthened, or damaged since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderer.engine.events import (
    Event,
    KeyframeReady,
    KeyframeStarted,
    Note,
    RenderFailed,
    RenderFinished,
    SegmentWritten,
    Steered,
)
from renderer.engine.session import Session
from renderer.errors import ProjectError, SettingsError
from renderer.images import read_provenance
from renderer.project.project import Project
from renderer.project.records import keyframe_path, path_of, read_history
from tests.engine.runs import assert_playable, digest, engine, of, project, render, steer, stop_at

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


def test_steering_while_it_renders_reaches_what_is_not_begun(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    folder = project(
        tmp_path / "a.zoom", painter="tests.painters:witnessed", model=str(diary), prompt="sea"
    )
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, KeyframeStarted) and event.keyframe == 1:
                session.steer({"prompt": "sky", "seed": 3})

        session = Session(opened, emit)
        session.run()
    assert [event.from_keyframe for event in of(events, Steered)] == [2]
    assert diary.read_text().splitlines() == ["made", "0 sea", "1 sea", "2 sky", "3 sky"]


def test_a_painter_that_can_go_on_with_other_settings_is_not_made_anew(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    folder = project(tmp_path / "a.zoom", painter="tests.painters:adjustable", model=str(diary))
    steps = {1: 7, 2: 9}
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeStarted) and event.keyframe in steps:
                session.steer({"steps": steps[event.keyframe]})

        session = Session(opened, emit)
        session.run()
    asked = ["asked for 7 steps", "2", "asked for 9 steps"]
    assert diary.read_text().splitlines() == ["made", "0", "1", *asked, "made", "3"]


def test_what_the_painter_in_force_can_not_do_is_refused_when_it_is_steered(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:picky", steps=5)
    complaints: list[str] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeStarted) and event.keyframe == 1:
                for changes in ({"steps": 11}, {"painter": "diffusion", "prompt": " "}):
                    with pytest.raises(SettingsError) as told:
                        session.steer(changes)
                    complaints.append(str(told.value))
                session.steer({"steps": 7})

        session = Session(opened, emit)
        assert isinstance(session.run(), RenderFinished)
        assert opened.settings_at(3).steps == 7
    assert complaints == [
        "steps must be at most 10, not 11",
        "the prompt is empty; diffusion needs one",
    ]


def test_a_project_that_lacks_a_prompt_says_how_to_give_it_one(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="diffusion", model="sd2")
    ended = engine(folder)
    assert ended.code == SettingsError.exit_code
    remedy = f"`zoomtui resume {folder} --prompt TEXT` gives it one"
    assert ended.errors == f"the prompt is empty; sd2 needs one; {remedy}\n"
    assert not (folder / "film.mp4").read_bytes()


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
        opened.store.cut()
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
            f"keyframes/{damaged:06d}.png is damaged, so it is painted again"
        ]
        assert of(events, KeyframeReady)[0].keyframe == damaged
        assert digest(folder) == digest(whole)


def test_steering_is_kept_when_keyframes_are_painted_again(tmp_path: Path) -> None:
    folder = painted_ahead(tmp_path / "a.zoom", prompt="sea")
    steer(folder, prompt="sky")
    keyframe_path(folder, 2).unlink()
    render(folder)
    keyframes = read_history(folder).keyframes
    prompts = [read_provenance(path_of(folder, stored))["prompt"] for stored in keyframes]
    assert prompts == ["sea", "sea", "sea", "sea", "sky", "sky"]


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
