"""What a project holds, seen from outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from renderer.project.status import State, read_status
from tests.engine.runs import project, render, steer


def test_a_new_project_holds_nothing(tmp_path: Path) -> None:
    status = read_status(project(tmp_path / "a.zoom", prompt="sea"))
    assert status.state is State.STOPPED
    assert (status.keyframes, status.total_keyframes) == (0, 4)
    assert (status.frames, status.total_frames) == (0, 16)
    assert (status.film_size, status.keyframes_size, status.duration) == (0, 0, 0.0)
    assert status.figures is None
    assert status.to_json()["seam"] is None
    assert status.prompt == "sea"


def test_a_finished_project_says_what_is_on_disk(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    status = read_status(folder)
    assert status.state is State.FINISHED
    assert (status.keyframes, status.frames, status.duration) == (4, 16, 16 / 30)
    assert status.film_size == (folder / "film.mp4").stat().st_size
    pictures = (folder / "keyframes").iterdir()
    assert status.keyframes_size == sum(path.stat().st_size for path in pictures)
    assert status.figures is not None
    assert status.figures.seam >= 0
    assert 0 < status.figures.idle < 1
    said = json.loads(json.dumps(status.to_json()))
    assert said["state"] == "finished"
    assert said["seconds_per_keyframe"] == status.seconds_per_keyframe == status.figures.seconds
    assert (said["seam"], said["idle"]) == (status.figures.seam, status.figures.idle)


def test_a_lengthened_project_is_unfinished_and_shows_what_was_steered(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", prompt="sea")
    render(folder)
    steer(folder, keyframes=9, prompt="sky")
    status = read_status(folder)
    assert status.state is State.STOPPED
    assert (status.frames, status.total_frames, status.prompt) == (15, 41, "sky")


def test_what_a_crash_left_is_left_out_and_left_alone(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    whole = read_status(folder)
    with (folder / "film.mp4").open("ab") as film:
        film.write(b"torn")
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'["01234567",{"type":"keyframe"')
    copy = shutil.copytree(folder, tmp_path / "copy.zoom")
    assert read_status(folder) == whole
    for path in folder.glob("*.*"):
        assert path.read_bytes() == (copy / path.name).read_bytes()


def test_reading_needs_no_lock_file_and_makes_none(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    read_status(folder)
    assert not (folder / "lock").exists()
