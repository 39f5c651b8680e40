"""What a headless render says of its events, and what it works out from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderer.engine.events import (
    Event,
    KeyframeReady,
    Note,
    Phase,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    RenderStarted,
    SegmentWritten,
    Steered,
    StepDone,
)
from renderer.formatting import path_text
from renderer.project.records import EXPORTS
from zoomtui.cli.event_lines import Progress, watch_lines

LOADING, PAINTING = PhaseChanged(Phase.LOADING), PhaseChanged(Phase.RENDERING)


def started(**changes: Any) -> RenderStarted:
    values: dict[str, Any] = {
        "project": "reef.zoom",
        "film": "reef.zoom/film.mp4",
        "keyframes": 0,
        "frames": 0,
        "size": 0,
        "total_keyframes": 5,
        "total_frames": 41,
        "prompt": "a reef",
        "fps": 10.0,
        "frames_per_keyframe": 10,
        "capacity": 2,
    }
    return RenderStarted(**values | changes)


def segment(index: int, total: int) -> SegmentWritten:
    return SegmentWritten(
        segment=index,
        frames=10,
        total_frames=total,
        duration=total / 10,
        size=total * 1024,
        seconds=0.5,
        queued=0,
    )


def keyframe(index: int) -> KeyframeReady:
    return KeyframeReady(
        keyframe=index, seed=1, prompt="", seconds=2.5, queued=0, seam=1.04, drift=0.26, idle=0.018
    )


def finished(*, frames: int, stopped: bool) -> RenderFinished:
    return RenderFinished(
        film="film.mp4", keyframes=3, frames=frames, duration=2.1, size=2048, stopped=stopped
    )


def said(*events: Event) -> str | None:
    """The line of the last of ``events``, which come a second apart."""
    progress, line = Progress(), None
    for second, event in enumerate(events):
        line = progress.tell(event, float(second))
    return line


def test_a_new_render_says_how_much_there_is_to_do() -> None:
    assert said(started()) is None
    assert said(started(), LOADING) is None
    assert said(started(), LOADING, PAINTING) == "rendering reef.zoom: 41 frames"
    assert said(started(), LOADING, PAINTING, PAINTING) is None
    endless = started(total_keyframes=None, total_frames=None)
    assert said(endless, PAINTING) == "rendering reef.zoom, until stopped"


def test_a_resumed_render_says_what_is_done() -> None:
    assert said(started(keyframes=3, frames=20), PAINTING) == (
        "resuming reef.zoom: 3/5 keyframes, 20/41 frames done"
    )
    endless = started(keyframes=3, frames=20, total_keyframes=None, total_frames=None)
    assert (
        said(endless, PAINTING) == "resuming reef.zoom: 3 keyframes, 20 frames done, until stopped"
    )


def test_every_keyframe_is_one_line_with_its_quality_but_for_the_first() -> None:
    assert said(started(), keyframe(0)) == "keyframe 1/5  painted in 2.5 s"
    assert said(started(), keyframe(1)) == (
        "keyframe 2/5  painted in 2.5 s  seam 1.04  drift 0.3  painter idle 2 %"
    )


def test_every_segment_is_one_line_with_frames_done_rate_and_time_left() -> None:
    assert said(started(), segment(0, 10)) == (
        "segment 1  10/41 frames  1.0 s of film  10.0 KiB  10.0 frames/s  3.1 s left"
    )


def test_a_render_without_end_has_a_rate_and_no_time_left() -> None:
    endless = started(total_keyframes=None, total_frames=None)
    assert said(endless, segment(0, 10)) == (
        "segment 1  10 frames  1.0 s of film  10.0 KiB  10.0 frames/s"
    )


def test_loading_a_model_does_not_count_for_the_rate() -> None:
    progress = Progress()
    progress.tell(started(), 0.0)
    progress.tell(PhaseChanged(Phase.LOADING), 0.0)
    progress.tell(PhaseChanged(Phase.RENDERING), 100.0)
    progress.tell(segment(0, 10), 101.0)
    assert progress.state.frame_rate == 10.0


def test_frames_of_earlier_sessions_do_not_count_for_the_rate() -> None:
    progress = Progress()
    progress.tell(started(keyframes=3, frames=20), 0.0)
    progress.tell(segment(2, 30), 2.0)
    assert progress.state.frame_rate == 5.0
    assert progress.state.seconds_left == 11 / 5


def test_the_rate_follows_the_last_segments() -> None:
    progress = Progress()
    progress.tell(started(total_keyframes=101, total_frames=1001), 0.0)
    for index in range(20):
        progress.tell(segment(index, 10 * (index + 1)), 100.0 + index)
    assert progress.state.frame_rate == 10.0


def test_there_is_no_rate_before_the_first_segment_nor_from_one_instant() -> None:
    progress = Progress()
    assert progress.state.frame_rate is None
    progress.tell(started(), 5.0)
    assert progress.state.frame_rate is None
    progress.tell(segment(0, 10), 5.0)
    assert progress.state.frame_rate is None
    assert progress.state.seconds_left is None


def test_steps_are_no_lines_but_show_in_what_is_being_done() -> None:
    progress = Progress()
    progress.tell(started(), 0.0)
    assert progress.tell(StepDone(keyframe=2, step=7, steps=25), 1.0) is None
    assert progress.now == "keyframe 3/5, step 7/25"


def test_the_end_says_what_there_is_now() -> None:
    assert said(started(), finished(frames=21, stopped=False)) == (
        "finished: 3 keyframes, 21 frames, 2.1 s, 2.0 KiB"
    )


def test_a_stop_says_how_far_it_came() -> None:
    assert said(started(), finished(frames=21, stopped=True)) == (
        "stopped after 3 keyframes, 21 frames, 2.1 s, 2.0 KiB"
    )
    assert (
        said(started(), finished(frames=0, stopped=True)) == "stopped after 3 keyframes, 0 frames"
    )


def test_steering_says_what_comes_and_moves_the_end() -> None:
    progress = Progress()
    progress.tell(started(), 0.0)
    steered = Steered(
        from_keyframe=3,
        prompt="at \x1b[5mnight",
        negative_prompt="",
        total_keyframes=9,
        changes={"prompt": "at \x1b[5mnight", "keyframes": 9, "colour_fit": False},
    )
    assert progress.tell(steered, 1.0) == (
        r"from keyframe 4 on: at \x1b[5mnight, keyframes 9, colour fit off"
    )
    assert progress.state.total_frames == 81


def test_notes_are_lines_and_failures_are_the_callers_to_report() -> None:
    assert said(Note("black picture\nagain")) == r"note: black picture\nagain"
    assert said(RenderFailed("no", 5)) is None


def test_how_to_watch_can_be_pasted_into_a_shell_and_fits_the_film() -> None:
    here = Path.cwd()
    done = watch_lines(Path("reef.zoom"), finished=True)
    assert done[0] == f"film       {path_text(here / 'reef.zoom' / 'film.mp4')}"
    assert "mpv reef.zoom/film.mp4" in done[1]
    growing = "\n".join(watch_lines(Path("a b.zoom"), finished=False))
    assert "mpv 'a b.zoom/film.mp4'" in growing
    assert "mpv 'a b.zoom/live.m3u8'" in growing


@pytest.mark.parametrize("way", ["in", "out"])
def test_the_film_the_other_way_is_named(tmp_path: Path, way: str) -> None:
    film = tmp_path / EXPORTS / f"{way}.mp4"
    film.parent.mkdir()
    film.touch()
    assert watch_lines(tmp_path, finished=True)[1] == f"zooming {way} {path_text(film)}"
