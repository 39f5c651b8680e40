"""A full disk: one clear line, a playable film, and after freeing space the same film as ever."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from renderer.errors import StorageError
from renderer.project.copy import branch_project
from renderer.project.project import Project
from renderer.project.rewinding import rewound
from renderer.project.status import State, read_status
from renderer.project.verify import verify
from tests.disks import small_disk
from tests.engine.runs import (
    Ended,
    Engine,
    assert_playable,
    assert_promise,
    digest,
    engine,
    project,
    render,
)
from tests.project.damages import contents

KEYFRAMES, FRAMES = 8, 6
LARGE = {
    "keyframes": KEYFRAMES,
    "frames_per_keyframe": FRAMES,
    "size": (256, 256),
    "crf": 4,
    "painter": "tests.painters:grainy",
}
"""Films that outgrow a small disk."""


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 900 KiB that a test may fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        small_disk(folder, "-t", "tmpfs", "-o", "size=900k")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film as it is where there is space."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", **LARGE)
    render(folder)
    assert_playable(folder, frames=(KEYFRAMES - 1) * FRAMES + 1)
    return folder


def assert_full(ended: Ended, folder: Path) -> None:
    assert ended.code == StorageError.exit_code == 6
    assert ended.errors == ""
    assert_promise(ended.said)
    message = ended.said[-1]["message"]
    assert message.startswith(f"no space left for {folder}/")
    assert message.endswith(
        "the film so far is safe and playable; free some space, then `zoomtui resume` goes on"
    )
    status = read_status(folder)
    assert status.state is State.FAILED  # that takes no room which isn't there
    assert (status.session.failure, status.session.exit_code) == (message, 6)


def test_a_full_disk_costs_nothing_but_time(disk: Path, whole: Path) -> None:
    folder = project(disk / "a.zoom", **LARGE)
    assert_full(engine(folder), folder)
    frames = assert_playable(folder, frames=read_status(folder).frames)
    assert 0 < frames < (KEYFRAMES - 1) * FRAMES
    small_disk(disk, "-o", "remount,size=64m")
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)


def test_a_disk_without_inodes_is_not_called_full(disk: Path, whole: Path) -> None:
    small_disk(disk, "-o", "remount,size=64m,nr_inodes=16")
    folder = project(disk / "a.zoom", **LARGE)
    ended = engine(folder)
    assert (ended.code, ended.errors) == (StorageError.exit_code, "")
    message = ended.said[-1]["message"]
    assert message.startswith(f"no room for another file at {folder}/")
    assert "the disk has no inodes left" in message
    assert read_status(folder).session.failure == message
    small_disk(disk, "-o", "remount,nr_inodes=1000")
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)


@pytest.mark.soak
def test_a_disk_that_stays_full_is_said_again_and_harms_nothing(disk: Path, whole: Path) -> None:
    folder = project(disk / "a.zoom", **LARGE)
    engine(folder)
    (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free // 4096 * 4096))
    before = digest(folder)
    for _ in range(2):
        ended = engine(folder)
        assert ended.code == 6
        text = ended.said[-1]["message"] if ended.said else ended.errors
        assert text.startswith("no space left for ")
        assert "\n" not in text.strip()
        assert digest(folder) == before
    small_disk(disk, "-o", "remount,size=64m")
    (disk / "ballast").unlink()
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)


@pytest.mark.slow
def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path: Path, whole: Path) -> None:
    folder = project(tmp_path / "a.zoom", **LARGE)
    with Engine(folder, alone=True) as running:
        running.until("SegmentWritten", segment=1)
        limit = (folder / "film.mp4").stat().st_size + 20_000
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, hard))
        assert_full(running.end(), folder)
    assert_playable(folder, frames=read_status(folder).frames)
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_one_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    folder.chmod(0o500)
    ended = engine(folder)
    folder.chmod(0o700)
    assert ended.code == 6
    assert ended.errors == f"can't write {folder / 'lock'}: Permission denied\n"


def test_a_disk_that_turns_read_only_is_one_line(disk: Path) -> None:
    folder = project(disk / "a.zoom", painter="tests.painters:endless", model="2")
    small_disk(disk, "-o", "remount,ro")
    ended = engine(folder)
    small_disk(disk, "-o", "remount,rw")
    assert ended.code == 6
    assert ended.errors == f"can't write {folder / 'lock'}: Read-only file system\n"
    with Engine(folder) as running:
        running.until("SegmentWritten", segment=0)
        running.signal(signal.SIGTERM)
        assert running.end().code == 143
    assert_playable(folder, frames=5)


def filled(disk: Path) -> Path:
    """A project on a disk on which not a byte is free."""
    folder = project(disk / "a.zoom", **LARGE)
    engine(folder)
    (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free // 4096 * 4096))
    return folder


def test_a_film_on_a_full_disk_is_branched_elsewhere_or_not_at_all(
    disk: Path, tmp_path: Path
) -> None:
    folder = filled(disk)
    before = contents(folder)
    with pytest.raises(StorageError, match=r"^no space left for .*b\.zoom"):
        branch_project(folder, disk / "b.zoom", 1, {}, ignore)
    assert sorted(entry.name for entry in disk.iterdir()) == ["a.zoom", "ballast"]
    branch_project(folder, tmp_path / "b.zoom", 1, {}, ignore)
    assert verify(tmp_path / "b.zoom", ignore) == []
    assert contents(folder) == before


def test_a_film_on_a_full_disk_is_rewound_and_goes_on(disk: Path, whole: Path) -> None:
    folder = filled(disk)
    there = read_status(folder)
    takes = set((folder / "keyframes").iterdir())
    with Project.open(folder) as opened:
        with suppress(StorageError):  # where the journal's last page is just full
            opened.rewind(rewound(opened.history, 1))
        assert opened.store.frames in (0, there.frames)
    assert set((folder / "keyframes").iterdir()) == takes
    assert verify(folder, ignore) == []
    small_disk(disk, "-o", "remount,size=64m")
    assert engine(folder).code == 0
    assert (folder / "film.mp4").read_bytes() == (whole / "film.mp4").read_bytes()
