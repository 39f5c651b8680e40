"""A copy of a project holds all that was there when its journal was read, or there is none."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from renderer.errors import ProjectError
from renderer.project.copy import copy_project
from renderer.project.records import EXEMPLAR, FILM, JOURNAL, keyframe_path
from renderer.project.status import State, read_status
from renderer.project.verify import verify
from tests.cli.processes import zoomtui
from tests.engine.runs import Engine, assert_playable, digest, project, render, steer
from tests.project.damages import contents


def ignore(_done: int, _total: int) -> None:
    """No progress is wanted."""


def test_a_copy_goes_on_as_the_project_does(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    (folder / EXEMPLAR).write_bytes(b"a picture")
    copy_project(folder, tmp_path / "b.zoom", ignore)
    kept = {FILM, JOURNAL, EXEMPLAR, "project.toml"}
    ours, copied = contents(folder), contents(tmp_path / "b.zoom")
    assert copied == {k: v for k, v in ours.items() if k in kept or k.startswith("keyframes/")}
    for each in (folder, tmp_path / "b.zoom"):
        steer(each, keyframes=6)
        render(each)
    assert digest(folder) == digest(tmp_path / "b.zoom")


def test_a_project_is_copied_while_it_is_rendered(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=8)
    render(whole)
    folder = project(tmp_path / "a.zoom", keyframes=8, painter="tests.painters:endless", model="3")
    with Engine(folder) as running:
        running.until("SegmentWritten", segment=1)
        copy_project(folder, tmp_path / "b.zoom", ignore)
        assert read_status(folder).state is State.RUNNING
        running.signal(signal.SIGTERM)
        running.end()
    copied = read_status(tmp_path / "b.zoom")
    assert (copied.state, copied.keyframes, copied.frames) == (State.STOPPED, 3, 10)
    assert_playable(tmp_path / "b.zoom", frames=10)
    assert verify(tmp_path / "b.zoom", ignore) == []
    steer(tmp_path / "b.zoom", painter="tests.painters:gradient", model="")
    render(tmp_path / "b.zoom")
    assert digest(tmp_path / "b.zoom") == digest(whole)


def test_a_project_of_nothing_yet_is_copied(tmp_path: Path) -> None:
    copy_project(project(tmp_path / "a.zoom"), tmp_path / "b.zoom", ignore)
    render(tmp_path / "b.zoom")
    assert read_status(tmp_path / "b.zoom").state is State.FINISHED


def test_damage_is_not_copied(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    film = (folder / FILM).read_bytes()
    (folder / FILM).write_bytes(film[:2000] + b"\0tea" + film[2004:])
    with pytest.raises(ProjectError, match=r"is not what was written .* nothing was made"):
        copy_project(folder, tmp_path / "b.zoom", ignore)
    (folder / FILM).write_bytes(film)
    keyframe_path(folder, 2).unlink()
    with pytest.raises(ProjectError, match=r"keyframes/000002\.png"):
        copy_project(folder, tmp_path / "b.zoom", ignore)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zoom"]


def test_on_the_command_line(tmp_path: Path) -> None:
    render(project(tmp_path / "a.zoom"))
    made = zoomtui("export", "a.zoom", "--copy-project", "b.zoom", cwd=tmp_path)
    assert made.code == 0
    assert made.lines == ["copied     b.zoom   (`zoomtui resume b.zoom` goes on with it)"]
    assert digest(tmp_path / "b.zoom") == digest(tmp_path / "a.zoom")
    again = zoomtui("export", "a.zoom", "--copy-project", "b.zoom", cwd=tmp_path)
    assert (again.code, again.err.count("\n")) == (3, 1)
    for more in (("film.mp4",), ("--fps", "24"), ("--dry-run",)):
        wrong = zoomtui("export", "a.zoom", *more, "--copy-project", "c.zoom", cwd=tmp_path)
        assert wrong.code == 2
        assert "--copy-project takes no OUT and no other option" in wrong.err
    missing = zoomtui("export", "a.zoom", cwd=tmp_path)
    assert missing.code == 2
    assert "Missing argument OUT" in missing.err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zoom", "b.zoom"]
