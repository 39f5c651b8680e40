"""One writer per project, and asking about it without getting in the way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from renderer.errors import ProjectBusy, StorageError
from renderer.project.lock import ProjectLock, holder
from renderer.project.records import LOCK
from renderer.project.status import State, read_status
from tests.engine.runs import Engine, digest, engine, project, render, steer


def test_a_second_holder_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with ProjectLock(path), pytest.raises(ProjectBusy, match=f"process {os.getpid()} on "):
        ProjectLock(path)
    ProjectLock(path).release()


def test_release_is_harmless_when_repeated(tmp_path: Path) -> None:
    lock = ProjectLock(tmp_path / "lock")
    lock.release()
    lock.release()
    assert holder(tmp_path / "lock") is None


def test_nobody_holds_what_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "lock") is None
    assert not (tmp_path / "lock").exists()


def test_the_text_of_a_dead_holder_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": 0.0}))
    assert holder(path) is None
    with ProjectLock(path):
        found = holder(path)
        assert found is not None
        assert found.pid == os.getpid()


@pytest.mark.parametrize("text", ["", "{", '{"pid": 3}', "[]"])
def test_a_lock_that_is_not_yet_signed_is_still_a_lock(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock"
    with ProjectLock(path):
        path.write_text(text)
        assert holder(path) is not None


def test_asking_does_not_take_or_break_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with ProjectLock(path):
        for _ in range(3):
            assert holder(path) is not None
        with pytest.raises(ProjectBusy):
            ProjectLock(path)


def test_a_lock_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        ProjectLock(tmp_path / "missing" / "lock")


@pytest.mark.slow
def test_a_second_engine_says_who_holds_the_project_and_ends(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder, alone=True) as first:
        first.until("SegmentWritten", segment=0)
        second = engine(folder)
        assert second.code == ProjectBusy.exit_code
        assert second.said == []
        assert f"process {first.pid} " in second.errors
        assert len(second.errors.splitlines()) == 1
        first.signal(signal.SIGTERM)
        assert first.end().code == 128 + signal.SIGTERM


def test_an_engine_whose_lock_was_deleted_is_still_seen_and_no_other_takes_its_place(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder, alone=True) as running:
        running.until("SegmentWritten", segment=0)
        (folder / LOCK).unlink()
        status = read_status(folder)
        assert (status.state, str(status.holder)) == (State.RUNNING, "another process")
        before = digest(folder)
        second = engine(folder)
        assert second.code == ProjectBusy.exit_code
        assert second.errors.startswith(f"{folder} is being rendered by another process; ")
        assert digest(folder) == before
        assert read_status(folder).state is State.RUNNING
        running.signal(signal.SIGTERM)
        assert running.end().code == 128 + signal.SIGTERM
    assert read_status(folder).state is State.STOPPED


def test_status_sees_the_engine_and_never_disturbs_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder, alone=True) as running:
        running.until("SegmentWritten", segment=0)
        before = {path: path.read_bytes() for path in sorted(folder.glob("*.*"))}
        status = read_status(folder)
        assert status.state is State.RUNNING
        assert status.holder is not None
        assert status.holder.pid == running.pid
        assert (status.keyframes, status.frames) == (2, 5)
        assert {path: path.read_bytes() for path in sorted(folder.glob("*.*"))} == before
        running.signal(signal.SIGKILL)
        running.end()
    assert read_status(folder).state is State.STOPPED
    assert read_status(folder).holder is None
    assert (folder / LOCK).exists()
    steer(folder, painter="tests.painters:gradient")
    render(folder)
    assert read_status(folder).state is State.FINISHED
