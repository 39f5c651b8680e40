"""Renders whose film zooming in is made at their end, by real engines."""

from __future__ import annotations

import signal
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.project.records import EXPORTS
from tests.cli.processes import QUICK, zoomtui
from tests.engine.runs import Engine, assert_playable, decoded, digest, engine, only, project
from tests.planning.chains import chain
from tests.worlds import natural

OTHER = f"{EXPORTS}/in.mp4"


def luma(film: Path) -> list[NDArray[np.float64]]:
    with av.open(str(film)) as container:
        frames = container.decode(video=0)
        return [frame.to_ndarray(format="gray").astype(np.float64) for frame in frames]


def test_it_is_the_film_backwards_and_named_before_the_last_event(tmp_path: Path) -> None:
    folder = tmp_path / "reef.zoom"
    chain(folder, natural(1200), keyframes=3, direction="in", crf=8)
    ended = engine(folder)
    assert ended.code == 0
    assert ended.said[-1]["event"] == "RenderFinished"
    inward = folder / OTHER
    assert str(inward) in ended.said[-2]["text"]
    forwards, backwards = luma(folder / "film.mp4"), luma(inward)
    assert len(forwards) == len(backwards) == 25
    for there, back in zip(forwards, reversed(backwards), strict=True):
        assert np.abs(there - back).mean() < 2
    assert np.abs(backwards[0] - forwards[0]).mean() > 10


@pytest.mark.slow
def test_going_on_with_it_makes_it_anew_to_the_new_end(tmp_path: Path) -> None:
    folder = project(tmp_path / "p.zoom", direction="in", keyframes=2)
    assert engine(folder).code == 0
    before = decoded(folder / OTHER)
    answer = zoomtui("resume", str(folder), "--headless", "--keyframes", "3", cwd=Path.cwd())
    assert answer.code == 0
    after = decoded(folder / OTHER)
    assert (len(before), len(after)) == (6, 11)


@pytest.mark.slow
def test_a_stopped_render_makes_none(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "p.zoom", direction="in", painter="tests.painters:endless", model="2"
    )
    with Engine(folder) as running:
        running.until("SegmentWritten")
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert ended.code == 143
    assert not (folder / OTHER).exists()


HELD = """
import runpy, threading
from renderer.export.other_way import OtherWay
heed = OtherWay._heed
def held(inward, done, frames):
    while not inward.stopped():
        threading.Event().wait(0.01)
    heed(inward, done, frames)
OtherWay._heed = held
runpy.run_module("renderer", run_name="__main__")
"""
"""The engine, whose film zooming in comes no further than its first frames before a stop."""


def test_a_signal_while_it_is_made_leaves_the_film_and_nothing_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "reef.zoom"
    chain(folder, natural(1200), keyframes=4, direction="in", frames_per_keyframe=120)
    with Engine(folder, alone=True, program=("-c", HELD)) as running:
        running.until("Note")
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert ended.code == 143
    assert ended.said[-1]["event"] == "RenderFinished"
    assert "--direction in" in ended.said[-2]["text"]
    assert list((folder / "exports").iterdir()) == []
    assert_playable(folder, frames=361)


@pytest.mark.slow
def test_an_error_there_is_told_and_the_finished_film_stays(tmp_path: Path) -> None:
    folder = project(tmp_path / "p.zoom", direction="in")
    (folder / "exports").rmdir()
    (folder / "exports").touch()  # no file can be made in there
    ended = engine(folder)
    assert ended.code == 6
    (told,) = [said["text"] for said in only(ended.said, "Note") if "not made" in said["text"]]
    assert "in.mp4" in told
    assert ended.said[-1]["event"] == "RenderFinished"
    assert not ended.said[-1]["stopped"]
    before = digest(folder)
    assert_playable(folder, frames=16)
    assert digest(folder) == before


def test_a_film_that_lacks_pictures_is_not_said_to_be_made_by_trying_again(tmp_path: Path) -> None:
    folder = project(tmp_path / "p.zoom", direction="in", keyframes_kept="2")
    ended = engine(folder)
    assert ended.code == 3
    (told,) = [said["text"] for said in only(ended.said, "Note") if "not made" in said["text"]]
    assert "the picture of keyframe 2 is not there" in told
    assert "makes it" not in told


@pytest.mark.slow
def test_the_verb_takes_it_and_says_where_it_is(tmp_path: Path) -> None:
    line = ("render", "a reef", *QUICK, "--out", "reef.zoom", "--headless")
    answer = zoomtui(*line, "--direction", "in", cwd=tmp_path)
    assert answer.code == 0
    assert answer.lines[-2] == f"zooming in {tmp_path / 'reef.zoom' / OTHER}"
    assert len(decoded(tmp_path / "reef.zoom" / OTHER)) == 9
    refused = zoomtui("resume", "reef.zoom", "--direction", "out", cwd=tmp_path)
    assert refused.code in (2, 3)
    assert "direction" in refused.err
    wrong = zoomtui("render", "a reef", *QUICK, "--direction", "sideways", cwd=tmp_path)
    assert wrong.code == 2
    assert "direction" in wrong.err
