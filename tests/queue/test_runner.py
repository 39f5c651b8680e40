"""A queue that is run by real processes: in turn, on every device, through kills of all kinds."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from renderer.project.session_record import renders, supervisor
from renderer.project.status import State, read_status
from renderer.queue.devices import Device
from renderer.queue.jobs import Queue, Turn
from renderer.queue.runs import at_work
from tests.cli.engines import engine, kill_engine, make_project, running, until
from tests.cli.processes import Running, zoomtui
from tests.disks import small_disk
from tests.engine.runs import digest
from tests.queue.films import KEYFRAMES, alone, jobs, turns


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """Empty; what is still rendered at the end is killed."""
    queue = Queue(tmp_path / "queue")
    yield queue
    for job in queue.jobs():
        kill_engine(job.folder)


def run(queue: Queue, *more: str) -> Running:
    where = ("--queue", str(queue.folder), "--gpus", "cpu:2")
    return Running("queue", "run", *where, *more, cwd=queue.folder.parent)


def kill(folder: Path) -> int:
    """What renders ``folder``, all of it; what was the engine's process id."""
    parent, pid = supervisor(folder), running(folder)
    assert parent is not None
    for each in (parent.pid, pid):
        os.kill(each, signal.SIGKILL)
    return pid


def test_every_job_is_rendered_as_alone_and_the_next_follows(queue: Queue) -> None:
    folders = jobs(queue, 5)
    with run(queue, "--until-empty") as runner:
        assert runner.end() == 0
    assert turns(queue) == ["done"] * 5
    assert [digest(folder) for folder in folders] == [alone(folder) for folder in folders]
    begun = [line for line in runner.said.splitlines() if ": begun on CPU " in line]
    # Each worker takes the next one; of two that start at the same time, either may be there first.
    on = {
        worker: [line.partition(".zoom")[0][-1] for line in begun if line.endswith(f" {worker}")]
        for worker in ("1", "2")
    }
    assert all(each and each == sorted(each) for each in on.values())
    assert sorted(on["1"] + on["2"]) == ["0", "1", "2", "3", "4"]


def test_an_engine_sees_its_device_alone(queue: Queue) -> None:
    (folder,) = jobs(queue, 1, "endless")
    with run(queue):
        until(lambda: running(folder), "an engine")
        seen = psutil.Process(running(folder)).environ()
        assert seen["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.soak)])
def test_it_may_be_killed_at_any_moment_with_or_without_its_engines(
    queue: Queue, kills: int
) -> None:
    count = 3 if kills < 10 else 12
    folders, rng = jobs(queue, count, keyframes=14), random.Random(22)
    for _ in range(kills):
        with run(queue, "--until-empty") as runner:
            runner.until(lambda said: said)
            runner.ends_within(rng.random() * 3)
        # Killed by the block's end; an engine for each job at the most, and some of them as well.
        for folder in folders:
            if renders(folder) and rng.random() < 0.5:
                kill_engine(folder)
    with run(queue, "--until-empty") as runner:
        assert runner.end() == 0
    assert turns(queue) == ["done"] * count
    assert [digest(folder) for folder in folders] == [
        alone(folder, keyframes=14) for folder in folders
    ]


def test_what_an_earlier_run_has_begun_is_waited_for(queue: Queue) -> None:
    first, second, third = jobs(queue, 3, "endless")
    with run(queue):
        until(lambda: running(first) and running(second), "both are rendered")
        ids = running(first), running(second)
        on = {each: queue.find(each).device for each in (first, second)}
    assert set(on.values()) == {"CPU 1", "CPU 2"}
    with run(queue) as runner:
        for each, device in on.items():
            runner.until(f"{each.name}: still rendered on {device}")
        assert ids == (running(first), running(second))
        assert renders(third) is None
        with run(queue) as other:
            assert other.end() == 4
        assert "is being rendered by process" in other.said
        kill(first)
        runner.until(f"{first.name}: begun on {on[first]}")  # it has not lost its place
        runner.signal(signal.SIGINT)
        assert runner.end() == 130
    assert turns(queue) == ["waiting"] * 3


def test_a_render_whose_parent_was_killed_has_not_ended_before_its_engine(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "0.zoom", "endless", 2)
    with engine(folder) as pid:
        run, parent = Device("CPU 1").find(folder), supervisor(folder)
        assert run is not None
        assert parent is not None
        os.kill(parent.pid, signal.SIGKILL)
        until(lambda: not supervisor(folder), "the parent is gone")
        assert not run.has_ended()
        os.kill(pid, signal.SIGKILL)
        until(run.has_ended, "the engine is gone as well")
        assert not at_work(folder)


def test_a_stop_ends_all_renders_and_they_go_on_later(queue: Queue) -> None:
    folders = jobs(queue, 2, "endless", keyframes="inf")
    with run(queue) as runner:
        until(lambda: all(read_status(each).frames for each in folders), "a segment of each")
        runner.signal(signal.SIGINT)
        assert runner.end() == 130
    assert not any(map(renders, folders))
    assert turns(queue) == ["waiting"] * 2
    assert all(read_status(each).state is State.STOPPED for each in folders)


def test_one_that_fails_is_set_aside_with_its_reason(queue: Queue) -> None:
    failing, gone = jobs(queue, 4)[:2]
    failing.joinpath("project.toml").write_text(
        failing.joinpath("project.toml")
        .read_text()
        .replace("painters:gradient", "painters:failing")
    )
    shutil.rmtree(gone)
    with run(queue, "--until-empty") as runner:
        assert runner.end() == 0
    assert turns(queue) == ["failed", "failed", "done", "done"]
    failed, missing, *_ = queue.jobs()
    assert f"{gone} does not exist" in missing.why
    assert failed.why
    answer = zoomtui(
        "queue", "release", str(failing), "--queue", str(queue.folder), cwd=gone.parent
    )
    assert answer.code == 0
    assert queue.find(failing).turn is Turn.WAITING


def test_a_viewer_that_stops_one_holds_it(queue: Queue) -> None:
    first, second, third = jobs(queue, 3, "endless", keyframes="inf")
    with run(queue) as runner:
        runner.until(f"{second.name}: begun")
        until(lambda: read_status(first).frames, "a segment")
        assert zoomtui("stop", str(first), cwd=first.parent).code == 0
        runner.until(f"{first.name}: held: stopped before its end")
        runner.until(f"{third.name}: begun on CPU ")
        assert queue.find(first).turn is Turn.HELD


def test_a_render_that_was_gone_on_with_by_hand_is_left_alone(queue: Queue) -> None:
    folder, *others = jobs(queue, 3, "endless", keyframes="inf")
    for each in others:
        queue.remove(each)
    with run(queue) as runner:
        until(lambda: read_status(folder).frames, "a segment")
        assert zoomtui("stop", str(folder), cwd=folder.parent).code == 0
        runner.until("held: stopped before its end")
    queue.add(others)
    with engine(folder) as pid, run(queue) as runner:
        for each in others:  # so no worker waits for that engine
            runner.until(f"{each.name}: begun on CPU")
        assert running(folder) == pid


def test_one_that_is_held_or_taken_out_makes_room(queue: Queue) -> None:
    first, second, third, fourth = jobs(queue, 4, "endless", keyframes="inf")
    ask = ("--queue", str(queue.folder))
    with run(queue) as runner:
        until(lambda: read_status(first).frames and read_status(second).frames, "a segment each")
        assert zoomtui("queue", "hold", str(first), *ask, cwd=first.parent).code == 0
        runner.until(f"{first.name}: held")
        assert zoomtui("queue", "rm", str(second), *ask, cwd=first.parent).code == 0
        runner.until(f"{fourth.name}: begun")
        assert not renders(first)
        assert not renders(second)
    assert [job.folder for job in queue.jobs()] == [first, third, fourth]


def test_films_without_an_end_take_turns(queue: Queue) -> None:
    folders = jobs(queue, 3, "gradient", keyframes="inf")
    with run(queue, "--slice", "1") as runner:
        runner.until(lambda said: all(said.count(f"{each.name}: begun") > 1 for each in folders))
        runner.signal(signal.SIGINT)
        runner.end()
    assert all(read_status(each).frames > 6 for each in folders)


def test_what_is_paused_begins_nothing(queue: Queue) -> None:
    first, _ = jobs(queue, 2)
    ask = ("--queue", str(queue.folder))
    assert zoomtui("queue", "pause", *ask, cwd=first.parent).code == 0
    with run(queue, "--until-empty") as runner:
        assert runner.end() == 0
    assert turns(queue) == ["waiting"] * 2
    with run(queue, "--until-empty") as runner:
        assert zoomtui("queue", "unpause", *ask, cwd=first.parent).code == 0
    with run(queue, "--until-empty") as runner:
        assert runner.end() == 0
    assert turns(queue) == ["done"] * 2


def test_a_full_disk_pauses_the_queue_and_loses_nothing(queue: Queue, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        small_disk(disk, "-t", "tmpfs", "-o", "size=400k")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    try:
        first = make_project(disk / "0.zoom", "grainy", keyframes=30, size="256x256")
        second = make_project(tmp_path / "1.zoom", seed=1, keyframes=KEYFRAMES)
        queue.add([first, second])
        with Running(
            "queue", "run", "--queue", str(queue.folder), "--gpus", "cpu:1", "--until-empty",
            cwd=tmp_path,
        ) as runner:  # fmt: skip
            assert runner.end() == 6
        assert turns(queue) == ["waiting"] * 2
        assert "no space left" in (queue.paused or "")
        listed = zoomtui("queue", "ls", "--queue", str(queue.folder), cwd=tmp_path)
        assert listed.lines[-1].startswith("paused: ")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_processes_that_are_killed_again_and_again_are_set_aside(queue: Queue) -> None:
    (folder,) = jobs(queue, 1, "endless", keyframes="inf")
    with run(queue) as runner:
        killed = 0
        for _ in range(4):
            until(lambda killed=killed: running(folder) not in (0, killed), "it is rendered")
            killed = kill(folder)
        runner.until(f"{folder.name}: failed: its processes were killed 4 times in a row")


def test_a_listing_for_scripts(queue: Queue) -> None:
    first, _ = jobs(queue, 2, "endless", keyframes=20)
    ask = ("--queue", str(queue.folder))
    with Running("queue", "run", *ask, "--gpus", "cpu:1", cwd=first.parent):
        until(lambda: read_status(first).frames, "a segment")
        rows = json.loads(zoomtui("queue", "ls", "--json", *ask, cwd=first.parent).out)
    assert [(row["state"], row["device"]) for row in rows] == [
        ("running", "CPU 1"),
        ("waiting", ""),
    ]
    assert rows[0]["project"] == str(first)
    assert rows[0]["seconds_left"] > 0
    assert os.getpgid(0) != os.getpgid(running(first))
    os.kill(running(first), signal.SIGTERM)
