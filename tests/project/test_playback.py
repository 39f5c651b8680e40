"""A viewer plays a film: every frame is the film's own, small, also while the film grows."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from renderer.errors import ProjectError
from renderer.project import playback
from renderer.project.playback import Moment, Playback, serve
from tests.engine.runs import ROOT, project, render, steer, stop_at


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reef") / "reef.zoom"
    project(folder, frames_per_keyframe=6, size=(320, 180), keyframe_size=(320, 184))
    render(folder)
    return folder


def truths(folder: Path) -> list[av.VideoFrame]:
    with av.open(str(folder / "film.mp4")) as film:
        return list(film.decode(video=0))


def test_every_frame_is_the_films_own_with_its_colours(reef: Path) -> None:
    player, frames = Playback(reef, 4096), truths(reef)
    for number in (0, 5, 6, 17, len(frames) - 1, 7):
        moment, data = player.at(number)
        assert (moment.frame, moment.frames, moment.fps) == (number, len(frames), 30.0)
        shown = np.frombuffer(data, np.uint8).reshape(moment.height, moment.width, 3)
        truth = frames[number].to_ndarray(format="rgb24", src_colorspace="ITU709")
        assert shown.shape == truth.shape
        assert np.abs(shown.astype(int) - truth).mean() < 1


def test_pictures_are_as_small_as_asked_and_keep_their_shape(reef: Path) -> None:
    moment, data = Playback(reef, 64).at(3)
    assert (moment.width, moment.height) == (64, 36)
    assert len(data) == 64 * 36 * 3


def test_numbers_beyond_the_ends_are_the_ends(reef: Path) -> None:
    player, last = Playback(reef, 16), len(truths(reef)) - 1
    assert player.at(-1)[0].frame == last
    assert player.at(-3)[0].frame == last - 2
    assert player.at(10**9)[0].frame == last
    assert player.at(-(10**9))[0].frame == 0


def test_it_goes_on_as_the_film_grows(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=6)
    player = Playback(folder, 16)
    assert player.at(-1) == (Moment(fps=30.0), b"")
    stop_at(folder, lambda event: type(event).__name__ == "SegmentWritten")
    before = player.at(-1)[0].frames
    assert before > 0
    render(folder)
    assert player.at(-1)[0].frames == 26
    steer(folder, keyframes=8)
    render(folder)
    assert player.at(-1)[0].frames == 36


def test_a_damaged_film_is_one_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    film = (folder / "film.mp4").read_bytes()
    (folder / "film.mp4").write_bytes(film[:2000] + bytes(len(film) - 2000))
    with pytest.raises(ProjectError, match=r"can't be decoded|is damaged"):
        Playback(folder, 16).at(-1)
    answers = io.BytesIO()
    serve(folder, 16, io.BytesIO(b"-1\n"), answers)
    assert json.loads(answers.getvalue())["error"]


def test_its_process_gives_way_and_ends_with_its_viewer(reef: Path) -> None:
    line = [sys.executable, "-m", "renderer.project.playback", str(reef), "32"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as player:
        assert player.stdin is not None
        assert player.stdout is not None
        player.stdin.write(b"4\n")
        player.stdin.flush()
        moment = Moment(**json.loads(player.stdout.readline()))
        assert moment.frame == 4
        assert len(player.stdout.read(moment.width * moment.height * 3)) == 32 * 18 * 3
        assert psutil.Process(player.pid).nice() == 19
        player.stdin.close()
        assert player.wait(60) == 0


def test_few_pictures_of_a_long_segment_are_kept_and_any_is_found(
    reef: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Playback(reef, 64)
    monkeypatch.setattr(playback, "_KEPT", 2)
    short = Playback(reef, 64)
    for number in (0, 1, 5, 4, 3, 0, 11, 2, 17, 16, 15):
        assert short.at(number) == whole.at(number)
        assert len(short._kept) <= 2
