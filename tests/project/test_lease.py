"""Engines that don't see each other's locks, as on two machines: never both write one project."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from renderer.engine.events import RenderFailed, SegmentWritten
from renderer.engine.session import Session
from renderer.errors import ProjectBusy
from renderer.project.lease import LEASE, Lease, leaseholder, offer, take_lease
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, LOCK, SETTINGS, SUPERVISOR
from renderer.project.repair import damage
from renderer.project.status import State, read_status
from tests.engine.runs import Engine, digest, engine, project, render, stop_at
from tests.marks import slower

PROMISE = 1.0
"""Seconds without a beat."""


def elsewhere(folder: Path) -> None:
    """Let what comes now stand on another machine: it sees none of the locks that are held."""
    for name in (LOCK, SUPERVISOR):
        (folder / name).unlink(missing_ok=True)
    settings = folder / SETTINGS
    text = settings.read_bytes()
    settings.unlink()
    settings.write_bytes(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that a farm renders."""
    made = project(tmp_path / "a.zoom", keyframes=8)
    offer(made, PROMISE)
    return made


@pytest.fixture
def alone(tmp_path: Path) -> str:
    """The digest of the same film, never given away."""
    whole = project(tmp_path / "alone.zoom", keyframes=8)
    render(whole)
    assert not (whole / LEASE).exists()
    return digest(whole)


def numbers(folder: Path) -> list[int]:
    return sorted(int(each.name) for each in (folder / LEASE).iterdir() if each.name.isdecimal())


def test_a_lease_that_is_given_back_is_taken_at_once_under_a_higher_number(folder: Path) -> None:
    offer(folder, 3600)
    for number in (1, 2, 3):
        with Lease(folder) as lease:
            assert numbers(folder) == [number]
            assert not lease.taken_over
            lease.check()


def test_one_whose_holder_shows_beats_is_not_taken(folder: Path) -> None:
    with Lease(folder) as lease:
        with pytest.raises(ProjectBusy, match=f"rendered by process {os.getpid()} on .*; `zoom"):
            Lease(folder)
        assert numbers(folder) == [1]
        lease.check()


def test_of_many_that_find_it_abandoned_one_takes_it(folder: Path) -> None:
    (folder / LEASE / "000007").write_text('{"pid": 1, "host": "gone", "seconds": 0.3}')
    taken: list[Lease] = []
    refused: list[ProjectBusy] = []

    def take() -> None:
        try:
            taken.append(Lease(folder))
        except ProjectBusy as busy:
            refused.append(busy)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (lease,) = taken
    assert lease.taken_over
    assert len(refused) == 7
    assert numbers(folder) == [8]
    lease.release()


@pytest.mark.parametrize("text", ["", *slower(["{", "[]", '{"pid": -1e99}', "\x00" * 512])])
def test_a_file_that_says_nothing_is_no_free_lease(folder: Path, text: str) -> None:
    (folder / LEASE / "000001").write_text(text)
    taking = threading.Thread(target=lambda: taken.append(Lease(folder)))
    taken: list[Lease] = []
    taking.start()
    (folder / LEASE / "000001").write_text('{"given_back": true}')
    taking.join()
    taken[0].release()


def test_viewers_elsewhere_see_who_renders_it(folder: Path) -> None:
    there = {"pid": 12, "host": "node7", "since": 1.0, "seconds": 30}
    path = folder / LEASE / "000001"
    path.write_text(json.dumps(there))
    assert str(read_status(folder).holder).startswith("process 12 on node7 since ")
    assert read_status(folder).state is State.RUNNING
    path.write_text(json.dumps({**there, "given_back": True}))
    assert read_status(folder).state is State.STOPPED
    path.write_text(json.dumps({**there, "host": socket.gethostname()}))
    assert leaseholder(folder) is None  # here its lock says so, and is free
    path.write_text(json.dumps(there))
    os.utime(path, (time.time() - 31, time.time() - 31))
    assert leaseholder(folder) is None


def test_a_look_at_damage_and_a_change_by_hand_wait_for_no_holder_that_lives(folder: Path) -> None:
    with Lease(folder):
        with pytest.raises(ProjectBusy):
            damage(folder)
        with pytest.raises(ProjectBusy):
            Project.open(folder)
    assert damage(folder) == ""


@pytest.mark.slow
def test_an_engine_that_is_stopped_past_its_lease_ends_and_the_film_goes_on_elsewhere(
    tmp_path: Path, alone: str
) -> None:
    gate = tmp_path / "gate.5"
    folder = project(
        tmp_path / "a.zoom", painter="tests.painters:gated", model=str(gate), keyframes=8
    )
    offer(folder, PROMISE)
    with Engine(folder, alone=True) as first:
        first.until("SegmentWritten", segment=3)
        first.signal(signal.SIGSTOP)
        elsewhere(folder)
        gate.touch()
        with Engine(folder, alone=True) as second:
            second.until("SegmentWritten", segment=5)
            first.signal(signal.SIGCONT)
            ended = first.end()
            assert second.end().code == 0
    assert ended.code == ProjectBusy.exit_code
    assert ended.said[-1]["event"] == "RenderFailed"
    assert "is rendered elsewhere now" in ended.said[-1]["message"]
    assert "\n" not in ended.said[-1]["message"]
    written = [event["segment"] for event in ended.said if event["event"] == "SegmentWritten"]
    assert written == [0, 1, 2, 3]
    assert digest(folder) == alone
    status = read_status(folder)
    assert status.state is State.FINISHED
    assert not status.session.failure
    assert damage(folder) == ""


@pytest.mark.slow
def test_a_second_engine_is_refused_while_the_first_is_only_slow(folder: Path, alone: str) -> None:
    with Lease(folder):
        elsewhere(folder)
        second = engine(folder)
    assert second.code == ProjectBusy.exit_code
    assert len(second.errors.splitlines()) == 1
    assert engine(folder).code == 0
    assert digest(folder) == alone


@pytest.mark.slow
def test_one_that_was_killed_is_followed_when_its_lease_is_over(folder: Path, alone: str) -> None:
    with Engine(folder, alone=True) as first:
        first.until("SegmentWritten", segment=1)
        first.signal(signal.SIGKILL)
    elsewhere(folder)
    assert engine(folder).code == 0
    assert digest(folder) == alone


def test_what_was_in_the_middle_of_a_write_ends_in_no_film(folder: Path, alone: str) -> None:
    """The files that the one that was cut off has open are not these any more."""
    stop_at(folder, lambda event: isinstance(event, SegmentWritten) and event.segment == 2)
    cut_off = Project.open(folder)
    assert cut_off.lease is not None
    cut_off.lease._over.set()  # no beat any more
    elsewhere(folder)
    with Project.open(folder) as second:
        assert second.lease is not None
        assert second.lease.taken_over
        Session(second, lambda event: None).run()
        before = [(folder / name).read_bytes() for name in (FILM, JOURNAL)]
        with pytest.raises(ProjectBusy, match="rendered elsewhere now"):
            cut_off.mark(0, "x")
        cut_off._journal.check = lambda: None  # it had looked, and was stopped then
        cut_off.mark(0, "x")
        cut_off.store.cut()
        assert [(folder / name).read_bytes() for name in (FILM, JOURNAL)] == before
    cut_off.close()
    assert digest(folder) == alone
    assert damage(folder) == ""


def test_an_engine_notices_at_once_also_where_it_writes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    offer(folder, PROMISE)
    said = []
    with Project.open(folder, mend=False) as opened:
        assert opened.lease is not None
        session = Session(opened, said.append)
        opened.lease.when_lost(session.fail)
        threading.Timer(0.3, (folder / LEASE / "000001").unlink).start()
        last = session.run()  # would paint for ever
    assert isinstance(last, RenderFailed)
    assert last.exit_code == ProjectBusy.exit_code


def test_a_project_of_one_machine_has_no_lease(tmp_path: Path) -> None:
    assert take_lease(project(tmp_path / "a.zoom")) is None
