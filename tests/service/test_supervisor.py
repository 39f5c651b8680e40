"""Engines that crash, for real: killed from outside, aborted from inside, again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from renderer.children import python_module
from renderer.engine.events import Event
from renderer.errors import DeviceLost, EngineCrashed, ProjectBusy
from renderer.project import session_record
from renderer.project.lock import ProjectLock, holder
from renderer.project.records import LOCK, LOG, SUPERVISOR
from renderer.project.session_record import (
    WINDOW,
    SessionRecord,
    read_session,
    record,
    supervise,
    supervisor,
)
from renderer.project.status import State, read_status
from renderer.service.supervisor import Allowance, run
from tests.cli.engines import until
from tests.engine.runs import (
    ROOT,
    Engine,
    assert_playable,
    assert_promise,
    digest,
    engine,
    only,
    project,
    render,
    steer,
)
from tests.gates import StartGate
from tests.marks import first_of

KILLED = "the engine was killed (SIGKILL): usually the machine ran out of memory"
ABORTED = "the engine died of SIGABRT (Aborted)"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 12 keyframes that nothing happened to."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", keyframes=12)
    render(folder)
    return folder


def due(tmp_path: Path, *keyframes: int) -> str:
    """A file for a painter that comes to harm once at each of ``keyframes``."""
    path = tmp_path / "due"
    path.write_text(" ".join(map(str, keyframes)))
    return str(path)


def engine_of(folder: Path) -> int:
    """The process that holds the project."""
    found = holder(folder / LOCK)
    assert found is not None
    return found.pid


def lives(said: list[dict[str, object]]) -> list[list[dict[str, object]]]:
    """What each engine said."""
    starts = [number for number, event in enumerate(said) if event["event"] == "RenderStarted"]
    return [said[a:b] for a, b in zip(starts, [*starts[1:], len(said)], strict=True)]


# ------------------------------------------------------------------------------------ restarting


def test_an_engine_killed_from_outside_is_restarted_and_the_film_is_the_same(
    tmp_path: Path, whole: Path
) -> None:
    gate = tmp_path / "gate.4"
    folder = project(
        tmp_path / "a.zoom", keyframes=12, painter="tests.painters:gated", model=str(gate)
    )
    with Engine(folder) as running:
        running.until("SegmentWritten", segment=2)
        first = engine_of(folder)
        assert first != running.pid
        os.kill(first, signal.SIGKILL)
        gate.touch()
        running.until("RenderStarted")
        assert engine_of(folder) not in (first, running.pid)
        ended = running.end()
    assert (ended.code, ended.errors) == (0, "")
    assert digest(folder) == digest(whole)
    before, after = lives(ended.said)
    assert after[0]["frames"] >= 15
    assert after[1] == {"event": "Note", "text": f"{KILLED}; restarted, 1 of 3"}
    assert_promise(after)
    assert before[-1]["event"] not in {"RenderFinished", "RenderFailed"}
    log = (folder / LOG).read_text()
    assert f"process {first}: {KILLED}" in log
    assert f"{KILLED}; restarted, 1 of 3" in log


@pytest.mark.slow
def test_a_painter_that_aborts_its_process_is_restarted_and_the_film_is_the_same(
    tmp_path: Path, whole: Path
) -> None:
    model = due(tmp_path, 0, 5, 11)
    folder = project(
        tmp_path / "a.zoom", keyframes=12, painter="tests.painters:aborting_once", model=model
    )
    ended = engine(folder)
    assert (ended.code, ended.errors) == (0, "")
    assert digest(folder) == digest(whole)
    notes = [event["text"] for event in only(ended.said, "Note")]
    assert notes == [f"{ABORTED}; restarted, {number} of 3" for number in (1, 2, 3)]
    log = (folder / LOG).read_text()
    assert "Fatal Python error: Aborted" in log  # and where that was
    assert "in turn" in log
    session = read_status(folder).session
    assert (session.crash, session.restarts, session.failure) == (ABORTED, 3, "")
    first, *later = only(ended.said, "RenderStarted")
    assert (first["restarted"], first["crash"]) == (0.0, "")
    for started in later:
        assert started["began"] == first["began"] < started["restarted"]
        assert started["crash"] == ABORTED


def test_a_lost_device_is_no_end_for_a_new_process(tmp_path: Path, whole: Path) -> None:
    model = due(tmp_path, 3)
    folder = project(
        tmp_path / "a.zoom", keyframes=12, painter="tests.painters:lost_once", model=model
    )
    ended = engine(folder)
    assert (ended.code, ended.errors) == (0, "")
    assert digest(folder) == digest(whole)
    assert only(ended.said, "RenderFailed") == []
    (note,) = only(ended.said, "Note")
    assert note["text"].startswith("cuda failed (an illegal memory access)")
    assert note["text"].endswith("; restarted, 1 of 3")


@pytest.mark.parametrize(
    ("painter", "why", "code"),
    [
        ("aborting", ABORTED, EngineCrashed.exit_code),
        ("lost", "cuda failed (an illegal memory access)", DeviceLost.exit_code),
    ],
)
@pytest.mark.slow
def test_a_keyframe_that_always_crashes_ends_the_render_after_three_restarts(
    tmp_path: Path, whole: Path, painter: str, why: str, code: int
) -> None:
    folder = project(
        tmp_path / "a.zoom", keyframes=12, painter=f"tests.painters:{painter}", model="3"
    )
    ended = engine(folder)
    assert ended.code == code
    assert len(lives(ended.said)) == 4
    last = ended.said[-1]
    assert (last["event"], last["exit_code"]) == ("RenderFailed", code)
    assert last["message"].startswith(why)
    assert "; given up after 3 restarts in 10 minutes; " in last["message"]
    assert f"`zoomtui resume {folder}` goes on" in last["message"]
    assert last["message"] in (folder / LOG).read_text()
    status = read_status(folder)
    assert status.state is State.FAILED
    assert (status.session.failure, status.session.exit_code) == (last["message"], code)
    assert status.session.restarts == 3
    assert json.loads(json.dumps(status.to_json()))["session"]["restarts"] == 3
    steer(folder, painter="tests.painters:gradient", model="")
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)
    assert (read_session(folder).crash, read_session(folder).failure) == ("", "")


@pytest.mark.slow
def test_a_film_is_playable_after_a_crash_too_many(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="3")
    with Engine(folder) as running:
        for _ in range(4):
            running.until("RenderStarted")  # and not what the one before has said last
            running.until("StepDone", keyframe=3)
            until(lambda: read_status(folder).frames == 10, "two segments")
            os.kill(engine_of(folder), signal.SIGKILL)
        assert running.end().code == EngineCrashed.exit_code
    assert_playable(folder, frames=10)


def test_what_fails_with_an_error_of_its_own_is_not_restarted(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:failing", model="2")
    ended = engine(folder)
    assert ended.code == 5
    assert len(lives(ended.said)) == 1
    assert read_session(folder).restarts == 0
    assert read_session(folder).failure == ended.said[-1]["message"]


def test_an_engine_that_can_not_be_started_again_ends_the_render_with_the_reason(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    found = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    line = [str(python), "-m", "renderer", str(folder)]
    with subprocess.Popen(line, env=found, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        next(said for said in parent.stdout if '"StepDone"' in said)
        python.unlink()
        os.kill(engine_of(folder), signal.SIGKILL)
        last = json.loads(parent.stdout.readlines()[-1])
    assert parent.returncode == EngineCrashed.exit_code
    assert (last["event"], last["exit_code"]) == ("RenderFailed", EngineCrashed.exit_code)
    assert last["message"].startswith("the engine can't be started: No such file or directory; ")
    session = read_session(folder)
    assert (session.failure, session.restarting) == (last["message"], False)


def test_three_restarts_are_allowed_in_any_ten_minutes() -> None:
    allowance = Allowance()
    assert [allowance.take(now) for now in (0.0, 1.0, 2.0)] == [1, 2, 3]
    assert [allowance.take(now) for now in (3.0, WINDOW - 1)] == [0, 0]
    assert allowance.take(WINDOW) == 3
    assert allowance.take(WINDOW + 0.5) == 0
    assert allowance.take(3 * WINDOW) == 1


def test_the_parent_loads_nothing_that_renders() -> None:
    heavy = ("torch", "av", "numba", "numpy", "PIL", "asyncio")
    code = f"import sys, renderer.__main__; print([m for m in {heavy} if m in sys.modules])"
    line = [sys.executable, "-c", code]
    assert subprocess.run(line, cwd=ROOT, capture_output=True, check=True).stdout == b"[]\n"


# -------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize("number", first_of([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_to_all_processes_of_a_render_is_one_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    """As Ctrl-C on a terminal, `systemctl stop` and `scancel` send it."""
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        os.kill(engine_of(folder), number)
        running.signal(number)
        ended = running.end()
    assert (ended.code, ended.errors) == (128 + number, "")
    assert_promise(ended.said)
    assert ended.said[-1]["stopped"] is True
    assert holder(folder / LOCK) is None


@pytest.mark.slow
def test_a_signal_to_the_engine_alone_stops_the_render(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        os.kill(engine_of(folder), signal.SIGTERM)
        ended = running.end()
    assert ended.code == 143
    assert len(lives(ended.said)) == 1


@pytest.mark.slow
def test_an_engine_that_is_killed_while_it_stops_is_not_restarted(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:deaf", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        running.signal(signal.SIGTERM)
        running.until("PhaseChanged", phase="draining")
        os.kill(engine_of(folder), signal.SIGKILL)
        ended = running.end()
    assert ended.code == EngineCrashed.exit_code
    assert len(lives(ended.said)) == 1
    assert ended.said[-1]["message"].startswith(f"{KILLED} while it was stopping; the film")


def test_a_stop_while_it_is_restarted_is_a_stop(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    gate = StartGate(tmp_path / "gate")
    with Engine(folder, gate=gate) as running:
        running.until("StepDone", keyframe=2)
        gate.shut()
        os.kill(engine_of(folder), signal.SIGKILL)
        until(lambda: read_session(folder).restarting, "restarting")
        assert read_status(folder).state is State.RUNNING
        running.signal(signal.SIGTERM)
        gate.open()
        ended = running.end()
    assert ended.code == 143
    assert len(lives(ended.said)) == 2
    assert ended.said[-1]["stopped"] is True


@pytest.mark.slow
def test_a_signal_to_all_processes_while_the_engine_is_restarted_is_one_signal(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        first = engine_of(folder)
        os.kill(first, signal.SIGKILL)
        children = psutil.Process(running.pid).children
        until(lambda: [child for child in children() if child.pid != first], "another engine")
        (second,) = (child for child in children() if child.pid != first)
        second.send_signal(signal.SIGTERM)  # it is not ready for it
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert (ended.code, ended.errors) == (143, "")
    assert_promise(lives(ended.said)[1])
    assert ended.said[-1]["stopped"] is True


def test_a_signal_before_anything_has_begun_ends_it_at_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="0")
    with Engine(folder) as running:
        until(lambda: supervisor(folder), "the parent is there")
        running.signal(signal.SIGTERM)
        ended = running.end()
    assert (ended.code, ended.errors) == (143, "")
    assert holder(folder / LOCK) is None


def test_a_parent_that_is_seen_to_be_there_hears_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="0")

    def seen(folder: Path) -> ProjectLock:
        lock = supervise(folder)
        os.kill(os.getpid(), signal.SIGTERM)
        return lock

    monkeypatch.setattr(session_record, "supervise", seen)
    said: list[Event] = []
    assert run(folder, said.append) == 143
    assert said == []


# ------------------------------------------------------------------------------- parent and child


def test_a_killed_parent_takes_its_engine_along(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        running.signal(signal.SIGKILL)
        until(lambda: holder(folder / LOCK) is None, "the engine is gone as well")


@pytest.mark.slow
def test_the_engine_of_a_render_that_belongs_to_nobody_goes_on_without_its_parent(
    tmp_path: Path, whole: Path
) -> None:
    model = str(tmp_path / "gate")
    folder = project(tmp_path / "a.zoom", keyframes=12, painter="tests.painters:gated", model=model)
    reading, writing = os.pipe()
    line = python_module("renderer", str(folder), "--ready-fd", str(writing))
    with subprocess.Popen(line, cwd=ROOT, pass_fds=[writing], start_new_session=True) as parent:
        os.close(writing)
        with os.fdopen(reading) as answers:
            assert answers.readline() == "ready\n"
        assert supervisor(folder) is not None
        parent.kill()
    until(lambda: "the process that would restart" in (folder / LOG).read_text(), "it says so")
    assert supervisor(folder) is None
    assert read_status(folder).state is State.RUNNING
    second = engine(folder)
    assert second.code == ProjectBusy.exit_code
    assert f"process {engine_of(folder)} " in second.errors
    (tmp_path / "gate").touch()
    until(lambda: holder(folder / LOCK) is None, "it has ended")
    assert digest(folder) == digest(whole)


@pytest.mark.slow
def test_a_project_whose_engine_is_being_restarted_is_not_free(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:endless", model="2")
    with Engine(folder) as running:
        running.until("StepDone", keyframe=2)
        os.kill(engine_of(folder), signal.SIGKILL)
        second = engine(folder)  # in the gap, or after it
        assert second.code == ProjectBusy.exit_code
        assert len(second.errors.splitlines()) == 1
        running.until("StepDone", keyframe=2)


def test_an_engine_alone_does_not_slip_in_where_another_is_being_restarted(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    with supervise(folder), Engine(folder, alone=True) as running:
        ended = running.end()
    assert ended.code == ProjectBusy.exit_code
    assert f"process {os.getpid()} " in ended.errors


def test_what_a_killed_parent_was_about_to_do_is_not_said_of_the_next_one(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    told = SessionRecord(KILLED, at=5.0, restarts=1, recent=1, restarting=True)
    record(folder, told)
    lock = ProjectLock(folder / LOCK)  # so that the engine does not come to clear it
    assert engine(folder).code == ProjectBusy.exit_code
    lock.release()
    assert read_session(folder) == replace(told, restarting=False)


def test_what_is_no_project_gets_no_files(tmp_path: Path) -> None:
    assert engine(tmp_path).code == 3
    assert list(tmp_path.iterdir()) == []


def test_an_engine_alone_dies_alone(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:aborting", model="2")
    with Engine(folder, alone=True) as running:
        ended = running.end()
    assert ended.code == -signal.SIGABRT
    assert not (folder / SUPERVISOR).exists()
