"""The disk fails at the n-th call, for every n: nothing is lost, and the film comes out the same.

Each point is tried with a disk that is full and stays so, with one error of the device, with a
write that is cut off halfway, with a used-up quota, and with a disk that turns read-only. After it
the film is playable; without the fault the render goes on to the very bytes of one that was never
disturbed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from renderer.engine.events import Event, RenderFailed, to_json
from renderer.engine.session import Session
from renderer.errors import ProjectError, StorageError
from renderer.journal import read_journal, write_journal
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import JOURNAL
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.status import read_status
from renderer.project.verify import verify
from tests.engine.runs import (
    assert_playable,
    assert_promise,
    digest,
    project,
    render,
    small,
    steer,
)
from tests.faults import BY_KIND, POINTS, Disk, failing, sweep
from tests.project.damages import older_film_and_journal


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film of a disk that never fails."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom")
    render(folder)
    return folder


def disturbed(folder: Path, disk: Disk) -> None:
    """Open and render as far as ``disk`` lets it; what goes wrong is a StorageError, told once."""
    with failing(disk), suppress(StorageError):
        events: list[Event] = []
        with Project.open(folder) as opened:
            last = Session(opened, events.append).run()
        assert_promise([to_json(event) for event in events])
        if isinstance(last, RenderFailed):
            assert last.exit_code == StorageError.exit_code, last
            assert "\n" not in last.message


def assert_nothing_lost(folder: Path, whole: Path, kind: str) -> None:
    if read_status(folder).frames:
        assert assert_playable(folder) >= read_status(folder).frames
    render(folder)
    assert digest(folder) == digest(whole)
    assert verify(folder, lambda *_: None) == []
    assert not list(folder.rglob("*.part")) or kind == "read-only"  # there they can't be removed


@POINTS
@BY_KIND
def test_a_render_survives_a_fault_at_every_call(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def check(folder: Path) -> None:
        assert_nothing_lost(folder, whole, kind)

    tried = sweep(kind, few, project, disturbed, check, tmp_path)
    assert tried.total() >= (few or 60)


def torn(whole: Path) -> Callable[[Path], Path]:
    """Makes a project as a crash leaves it: opening it has to mend film and journal."""

    def make(folder: Path) -> Path:
        shutil.copytree(whole, folder)
        records = read_journal(folder / JOURNAL)
        segments = [at for at, record in enumerate(records) if record["type"] == "segment"]
        write_journal(folder / JOURNAL, records[: segments[-1]])
        with (folder / JOURNAL).open("ab") as journal:
            journal.write(b'["01234567",{"type":"keyf')
        return folder

    return make


@POINTS
@BY_KIND
def test_what_a_crash_left_is_mended_with_a_fault_at_every_call(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def check(folder: Path) -> None:
        assert_nothing_lost(folder, whole, kind)

    tried = sweep(kind, few, torn(whole), disturbed, check, tmp_path)
    assert tried.total() >= (few or 10)


@POINTS
@BY_KIND
def test_a_project_is_made_whole_or_not_at_all(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def make(place: Path) -> Path:
        place.mkdir()
        return place

    def trial(place: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            create_project(place / "a.zoom", small())

    def check(place: Path) -> None:
        left = {entry.name for entry in place.iterdir()}
        assert left <= {"a.zoom"} or kind == "read-only"
        if not left & {"a.zoom"}:
            project(place / "a.zoom")
        render(place / "a.zoom")
        assert digest(place / "a.zoom") == digest(whole)

    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 10)


@POINTS
@BY_KIND
def test_steering_counts_or_does_not(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    """Of a finished film, whose last frame has to go before it is lengthened."""
    longer = project(tmp_path / "longer.zoom", keyframes=6)
    render(longer)

    def trial(folder: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            steer(folder, keyframes=6)

    def check(folder: Path) -> None:
        assert read_status(folder).total_keyframes in (4, 6)
        assert_playable(folder)
        with suppress(ProjectError):
            steer(folder, keyframes=6)
        assert_nothing_lost(folder, longer, kind)

    def make(folder: Path) -> Path:
        return shutil.copytree(whole, folder)

    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 8)


@POINTS
@BY_KIND
def test_a_repair_takes_nothing_away_that_is_not_kept_beside_the_project(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def make(folder: Path) -> Path:
        shutil.copytree(whole, folder)
        older_film_and_journal(folder)
        return folder

    def trial(folder: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            repair(folder, find_rescue(folder, lambda *_: None))

    def check(folder: Path) -> None:
        if damage(folder):
            repair(folder, find_rescue(folder, lambda *_: None))
        assert_nothing_lost(folder, whole, kind)

    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 8)
