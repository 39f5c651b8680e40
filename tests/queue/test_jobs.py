"""The records of a queue, and the devices that its jobs are given to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pynvml
import pytest

from renderer.errors import ProjectBusy, ProjectError, SettingsError
from renderer.queue.devices import devices
from renderer.queue.jobs import Job, Queue, Turn, own_queue


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue")


def names(queue: Queue) -> list[str]:
    return [job.folder.name for job in queue.jobs()]


def test_jobs_keep_the_order_in_which_they_were_added(queue: Queue, tmp_path: Path) -> None:
    assert queue.jobs() == []
    queue.add([tmp_path / name for name in "abc"])
    queue.add([tmp_path / "d", tmp_path / "e"], first=True)
    queue.add([tmp_path / "f"])
    queue.add([tmp_path / "g"], first=True)
    assert names(queue) == ["g", "d", "e", "a", "b", "c", "f"]
    queue.update(queue.find(tmp_path / "b"), place=queue.before_all())
    queue.remove(tmp_path / "d")
    assert names(queue) == ["b", "g", "e", "a", "c", "f"]
    assert len(list(queue.folder.iterdir())) == 6  # a record each, and nothing is left over


def test_one_changes_places_with_its_neighbour_among_those_that_wait(
    queue: Queue, tmp_path: Path
) -> None:
    queue.add([tmp_path / name for name in "abcd"])
    queue.update(queue.find(tmp_path / "b"), turn=Turn.DONE)
    queue.move(tmp_path / "c", -1)
    assert names(queue) == ["c", "b", "a", "d"]
    queue.move(tmp_path / "c", -1)
    queue.move(tmp_path / "d", 1)
    queue.move(tmp_path / "b", 1)  # does not wait
    assert names(queue) == ["c", "b", "a", "d"]
    with pytest.raises(ProjectError):
        queue.move(tmp_path / "e", 1)


def test_a_project_is_in_a_queue_once_by_whatever_path(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    queue.add([tmp_path / "a"])
    queue.update(queue.find(tmp_path / "link"), turn=Turn.DONE, why="x")
    queue.add([tmp_path / "link"])
    (job,) = queue.jobs()
    assert (job.turn, job.why, job.folder) == (Turn.WAITING, "", tmp_path / "a")


def test_a_project_that_was_moved_behind_a_link_is_still_found(
    queue: Queue, tmp_path: Path
) -> None:
    folder, there = tmp_path / "a", tmp_path / "elsewhere"
    folder.mkdir()
    queue.add([folder])
    folder.rename(there)
    folder.symlink_to(there)
    (job,) = queue.jobs()
    assert queue.turn(job.folder) is Turn.WAITING
    queue.update(job, turn=Turn.HELD)
    assert queue.find(folder).turn is Turn.HELD
    queue.remove(folder)
    assert queue.jobs() == []


def test_what_is_taken_out_is_not_written_back(queue: Queue, tmp_path: Path) -> None:
    queue.add([tmp_path / "a"])
    job = queue.find(tmp_path / "a")
    queue.remove(tmp_path / "a")
    queue.update(job, turn=Turn.DONE)
    assert queue.jobs() == []
    assert queue.turn(tmp_path / "a") is None
    with pytest.raises(ProjectError, match="is not in the queue"):
        queue.find(tmp_path / "a")


def test_names_from_outside_are_kept_byte_for_byte(queue: Queue, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"[red]\xff\x1b\n.zoom")
    queue.add([strange])
    assert [job.folder for job in queue.jobs()] == [strange]


@pytest.mark.parametrize("said", ["", "{}", "[]", "\x00", '{"project": 1, "place": 1}'])
def test_a_record_of_something_else_is_one_line(queue: Queue, tmp_path: Path, said: str) -> None:
    queue.add([tmp_path / "a"])
    (record,) = queue.folder.iterdir()
    record.write_text(said)
    with pytest.raises(ProjectError, match=r"the job .*\.job\.json can't be read: .*; delete it"):
        queue.jobs()


def test_a_queue_is_run_by_one_process(queue: Queue) -> None:
    assert queue.runner is None
    with queue.lock():
        assert queue.runner is not None
        assert queue.runner.pid == os.getpid()
        with pytest.raises(ProjectBusy):
            queue.lock()
    assert queue.runner is None


def test_a_short_look_back_knows_what_this_process_has_changed(
    queue: Queue, tmp_path: Path
) -> None:
    queue.add([tmp_path / "a", tmp_path / "b"])
    assert names(queue) == ["a", "b"]
    queue.update(queue.find(tmp_path / "a"), turn=Turn.DONE)
    Queue(queue.folder).add([tmp_path / "c"])
    assert [job.turn for job in queue.jobs(3600)] == [Turn.DONE, Turn.WAITING]
    assert names(queue) == ["a", "b", "c"]
    assert len(queue.jobs(3600)) == 3


def test_many_may_add_at_once(queue: Queue, tmp_path: Path) -> None:
    def add(start: int) -> None:
        for number in range(20):
            queue.add([tmp_path / f"{start}-{number}"])

    threads = [threading.Thread(target=add, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue.jobs()) == 80
    own = [name for name in names(queue) if name.startswith("2-")]
    assert own == [f"2-{number}" for number in range(20)]


def test_the_users_own_queue_is_empty_at_first(empty_state: Path) -> None:
    assert own_queue().jobs() == []
    assert own_queue().folder.is_relative_to(empty_state)
    assert own_queue().paused is None
    own_queue().pause("the disk is full")
    assert own_queue().paused == "the disk is full"
    own_queue().go_on()
    assert own_queue().paused is None


def test_a_record_of_an_older_version_is_read(queue: Queue, tmp_path: Path) -> None:
    queue.add([tmp_path / "a"])
    (record,) = queue.folder.iterdir()
    record.write_text('{"project": "/a.zoom", "place": 3.5}')
    assert queue.jobs() == [Job("/a.zoom", 3.5)]


# ---------------------------------------------------------------------------------- devices


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that shows four, whatever this machine has."""
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 4)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda number: number)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda number: f"GPU-{number}f00-ba4")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_gpus_are_numbered_as_nvidia_smi_does(four_gpus: None) -> None:
    assert [device.name for device in devices("all")] == ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]
    assert devices("") == devices("all")
    third, first = devices("2,0,2")
    assert (third.name, first.name) == ("GPU 2", "GPU 0")
    assert third.environment == {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": "2",
    }


def test_only_the_gpus_of_this_process_are_given_away(
    four_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1,9")
    assert [device.name for device in devices("all")] == ["GPU 3", "GPU 1"]
    with pytest.raises(SettingsError, match="GPU 0 does not exist: those here are 3, 1"):
        devices("1,0")


def test_gpus_may_be_named_by_their_uuids(four_gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-2f00-ba4, GPU-0f,GPU-9,1")  # HTCondor's, short
    third, first = devices("all")
    assert (third.name, third.environment["CUDA_VISIBLE_DEVICES"]) == ("GPU 2", "GPU-2f00-ba4")
    assert (first.name, first.environment["CUDA_VISIBLE_DEVICES"]) == ("GPU 0", "GPU-0f")
    assert devices("0") == [first]


def test_processors_are_given_away_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [device.name for device in devices("cpu:3")] == ["CPU 1", "CPU 2", "CPU 3"]
    assert [device.name for device in devices("")] == ["CPU 1"]
    assert devices("cpu") == devices("")
    for text in ("all", "0"):
        with pytest.raises(SettingsError, match=r"no NVIDIA GPU here|none is here"):
            devices(text)


@pytest.mark.parametrize("text", ["x", "0,", "-1", "cpu:0", "cpu:1000", "cpu:-1", "1;2", "GPU 0"])
def test_what_names_no_devices_is_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match="names no GPUs: say 0,1,2 or all, or cpu:2"):
        devices(text)
