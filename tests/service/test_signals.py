"""Signals to a real engine: one ends it soon, two at once, a lost terminal not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from renderer.project.status import State, read_status
from tests.engine.runs import (
    ROOT,
    Engine,
    assert_playable,
    assert_promise,
    digest,
    engine,
    only,
    project,
    render,
    steer,
)
from tests.marks import first_of


@pytest.mark.parametrize("number", first_of([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_ends_the_render_whole_and_resumable(
    tmp_path: Path, number: signal.Signals
) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=6)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=6, painter="tests.painters:endless", model="3")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=3)
        if not only(running.said, "SegmentWritten"):
            running.until("SegmentWritten", segment=0)
        running.signal(number)
        ended = running.end()
    assert ended.code == 128 + number
    assert ended.errors == ""
    assert_promise(ended.said)
    assert ended.said[-1]["stopped"] is True
    assert_playable(folder)
    assert read_status(folder).state is State.STOPPED
    steer(folder, painter="tests.painters:gradient")
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)
    assert_playable(folder, frames=26)


@pytest.mark.slow
def test_what_ends_after_a_signal_is_the_segment_in_hand(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "a.zoom", keyframes=None, size=(512, 512), frames_per_keyframe=30, threads=1
    )
    with Engine(folder) as running:
        running.until("SegmentWritten", segment=1)
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert ended.code == 143
    written = len(only(ended.said, "SegmentWritten"))
    (told,) = (n for n, event in enumerate(ended.said) if event.get("phase") == "draining")
    assert len(only(ended.said[told:], "SegmentWritten")) <= 1
    assert_playable(folder, frames=30 * written)


def test_a_second_signal_ends_at_once_even_a_painter_that_never_reports(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:deaf", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        if not only(running.said, "SegmentWritten"):
            running.until("SegmentWritten", segment=0)
        running.signal(signal.SIGINT)
        running.until("PhaseChanged", phase="draining")  # two at once come in any order
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert ended.code == 143
    assert ended.errors == ""
    assert ended.said[-1]["event"] != "RenderFinished"
    assert_playable(folder, frames=5)
    steer(folder, painter="tests.painters:gradient")
    assert engine(folder).code == 0
    assert_playable(folder, frames=16)


def test_a_lost_terminal_changes_nothing(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=12)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=12)
    with Engine(folder) as running:
        for segment in range(4):
            running.until("SegmentWritten", segment=segment)
            running.signal(signal.SIGHUP)
        ended = running.end()
    assert ended.code == 0
    assert digest(folder) == digest(whole)


@pytest.mark.slow
def test_a_reader_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "renderer", folder],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, "")
    assert_playable(folder, frames=16)


@pytest.mark.slow
def test_a_folder_whose_name_is_no_text_renders_like_any_other(tmp_path: Path) -> None:
    folder = project(tmp_path / os.fsdecode(b"caf\xe9.zoom"))
    ended = engine(folder)
    assert (ended.code, ended.errors) == (0, "")
    assert ended.said[0]["project"] == str(folder)


def test_no_project_is_one_line(tmp_path: Path) -> None:
    ended = engine(tmp_path / "missing.zoom")
    assert ended.code == 3
    assert ended.said == []
    assert ended.errors == (
        f"{tmp_path / 'missing.zoom'} does not exist; a project is a folder made by "
        "`zoomtui render`\n"
    )
