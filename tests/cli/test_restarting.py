"""An engine that crashes and is restarted, as viewers see it: they stay, and say so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from renderer.engine.state import Failure
from renderer.project.session_record import read_session, supervise
from renderer.project.status import State, read_status
from tests.cli.engines import (
    OnMonitor,
    engine,
    make_project,
    running,
    soon,
    until,
)
from tests.cli.processes import QUICK, Running, film_frames, painter, zoomtui
from tests.engine.runs import digest
from tests.gates import StartGate
from tests.tui.scripted import screen_text, scripted, settled, view
from tests.tui.watching import watching
from zoomtui.viewing.view import Situation
from zoomtui.viewing.watcher import Watch, state_on_disk

KILLED = "the engine was killed (SIGKILL): usually the machine ran out of memory"
ABORTED = "the engine died of SIGABRT (Aborted)"


def kill_once(folder: Path) -> int:
    """SIGKILL to the engine alone, whose process id this was."""
    pid = running(folder)
    os.kill(pid, signal.SIGKILL)
    return pid


# ----------------------------------------------------------------------------------- watching


def test_a_watch_stays_through_a_crash_and_keeps_what_it_has_seen(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)
    gate = StartGate(tmp_path / "gate")
    seen: set[Situation] = set()

    async def watch_it() -> None:
        async with watching(folder) as watch:

            def sees(situation: Situation) -> bool:
                seen.add(watch.view.situation)
                return watch.view.situation is situation

            await soon(lambda: watch.view.state.frames == 12, "two segments")
            gate.shut()
            pid = kill_once(folder)
            await soon(lambda: sees(Situation.RESTARTING), "it is being restarted")
            gate.open()
            await soon(lambda: sees(Situation.RUNNING) and watch.view.pid != pid, "another engine")
            note = f"{KILLED}; restarted, 1 of 3"
            await soon(lambda: note in lines(watch), "it says why")
            assert any(line.startswith("keyframe 3 painted") for line in lines(watch))
            assert watch.view.state.frames == 12

    with engine(folder, gate):
        asyncio.run(watch_it())
    assert not {Situation.LOST, Situation.OVER} & seen


def lines(watch: Watch) -> list[str]:
    return [line.text for line in watch.view.state.log]


@pytest.mark.slow
def test_a_crash_too_many_is_an_end_with_its_reason(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "aborting", 3)

    async def watch_it() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.situation is Situation.OVER, "over")
            failure = watch.view.state.failure
            assert failure is not None
            assert failure.exit_code == 9
            assert failure.message.startswith(f"{ABORTED}; given up after 3 restarts")
            assert watch.view.resumable
            assert lines(watch)[-1] == failure.message

    with engine(folder):
        asyncio.run(watch_it())
        assert state_on_disk(folder).failure is not None
        said = zoomtui("status", folder.name, cwd=tmp_path).out
        assert "state      failed; `zoomtui resume a.zoom` goes on" in said
        assert f"why        {ABORTED}; given up after 3 restarts in 10 minutes; " in said
        told = json.loads(zoomtui("status", folder.name, "--json", cwd=tmp_path).out)
        assert (told["session"]["restarts"], told["session"]["exit_code"]) == (3, 9)


@pytest.mark.slow
def test_the_monitor_stays_and_says_that_the_engine_was_restarted(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    gate = StartGate(tmp_path / "gate")
    with engine(folder, gate), OnMonitor(folder, (160, 50)) as monitor:
        monitor.until("RENDERING")
        until(lambda: read_status(folder).frames == 12, "two segments")
        gate.shut()
        pid = kill_once(folder)
        monitor.until("RESTARTING")
        gate.open()
        monitor.until("; restarted, 1 of 3")  # before it says: being restarted, 1 of 3
        monitor.drain(1.0)
        assert "The engine is gone" not in monitor.said
        assert "Go on rendering" not in monitor.said
        assert running(folder) not in (0, pid)
        monitor.type(b"d")
        assert monitor.end() == 0


def test_the_monitor_says_in_words_why_nothing_moves() -> None:
    shown = view(Situation.RESTARTING, why=f"{KILLED}; being restarted, 1 of 3")

    async def look() -> str:
        app, _ = scripted(shown)
        async with app.run_test(size=(120, 36)) as pilot:
            await settled(pilot)
            return screen_text(app)

    text = asyncio.run(look())
    assert "○ RESTARTING" in text
    assert f"{KILLED}; being restarted, 1 of 3" in text
    assert "s stop" not in text
    assert "r resume" not in text


def test_a_long_reason_is_there_to_the_end_on_a_small_terminal_and_gives_its_rows_back() -> None:
    shown = view(Situation.RESTARTING, why=f"{KILLED}; being restarted, 1 of 3")

    async def look() -> tuple[str, str, str]:
        app, watch = scripted(shown)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            restarting = screen_text(app)
            why = f"{ABORTED}; given up after 3 restarts in 10 minutes; {'so ' * 15}"
            watch.view = view(Situation.OVER, failure=Failure(why, 9))
            await settled(pilot)
            failed = screen_text(app)
            watch.view = view(Situation.RUNNING)
            await settled(pilot)
            return restarting, failed, screen_text(app)

    restarting, failed, running = (text.splitlines() for text in asyncio.run(look()))
    assert " ".join(map(str.strip, restarting[1:3])).endswith("; being restarted, 1 of 3")
    assert "given up after" in failed[1]
    assert failed[2].rstrip().endswith("so   r goes on")
    assert running[1].startswith("╭")


@pytest.mark.slow
def test_following_without_a_screen_goes_on_after_a_crash(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", since=2)
    with engine(folder), Running("status", str(folder), "--watch", cwd=tmp_path) as following:
        until(lambda: read_status(folder).frames == 6, "a segment")
        following.until("state      running")
        kill_once(folder)
        following.until(f"note: {KILLED}; restarted, 1 of 3")
        said = zoomtui("status", str(folder), cwd=tmp_path).out
        assert "crashes    restarted once, last at " in said
        assert zoomtui("stop", str(folder), cwd=tmp_path).code == 0
        assert following.end() == 0
    assert "stopped after 2 keyframes" in following.said


@pytest.mark.slow
def test_following_ends_with_the_reason_of_a_crash_too_many(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "aborting", since=2)
    gate = StartGate(tmp_path / "gate")
    with engine(folder, gate):
        gate.shut()
        until(lambda: read_session(folder).restarting, "restarting")
        with Running("status", str(folder), "--watch", cwd=tmp_path) as following:
            gate.open()
            assert following.end() == 9
    *_, last = following.said.splitlines()
    assert last.startswith(f"zoomtui: {ABORTED}; given up after 3 restarts in 10 minutes")
    assert following.said.count("zoomtui: ") == 1


@pytest.mark.slow
def test_a_paused_render_is_still_paused_after_a_crash_and_after_another(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", since=2)

    def pauses() -> int:
        return (folder / "render.log").read_text().count(" paused\n")

    with engine(folder):
        until(lambda: read_status(folder).frames == 6, "a segment")
        assert zoomtui("pause", folder.name, cwd=tmp_path).code == 0
        for before in (1, 2):
            kill_once(folder)
            until(lambda before=before: pauses() > before, "another engine is paused")
        listed = json.loads(zoomtui("ls", "--json", cwd=tmp_path).out)
        assert [row["state"] for row in listed if row["project"] == str(folder)] == ["paused"]


@pytest.mark.slow
def test_a_verb_waits_for_an_engine_that_is_being_restarted(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", since=2)
    gate = StartGate(tmp_path / "gate")
    with engine(folder, gate):
        until(lambda: read_status(folder).frames == 6, "a segment")
        gate.shut()
        kill_once(folder)
        until(lambda: read_session(folder).restarting, "restarting")
        listed = json.loads(zoomtui("ls", "--json", cwd=tmp_path).out)
        assert [row["state"] for row in listed if row["project"] == str(folder)] == ["running"]
        gate.open()
        stopped = zoomtui("stop", str(folder), cwd=tmp_path)
        assert (stopped.code, stopped.err) == (0, "")
        until(lambda: not running(folder), "the engine has ended")
    assert read_status(folder).state is State.STOPPED


def test_a_prompt_is_refused_where_the_engine_is_being_restarted(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "gradient", 0)
    before = (folder / "journal.jsonl").read_bytes()
    with supervise(folder):  # and no engine holds the project for the moment
        answer = zoomtui("resume", folder.name, "--prompt", "at night", cwd=tmp_path)
    assert (answer.code, answer.err.count("\n")) == (4, 1)
    assert "is being rendered by process" in answer.err
    assert (folder / "journal.jsonl").read_bytes() == before


# ----------------------------------------------------------------------------------- headless


@pytest.mark.slow
def test_a_headless_render_goes_on_after_a_crash_and_makes_the_same_film(tmp_path: Path) -> None:
    longer = (*QUICK, "--keyframes", "30")
    assert zoomtui("render", *longer, "--out", "whole.zoom", cwd=tmp_path).code == 0
    gate = tmp_path / "gate.5"
    gated = ("--painter", "tests.painters:gated", "--model", str(gate))
    with Running("render", *longer, *gated, "--out", "reef.zoom", cwd=tmp_path) as rendering:
        rendering.until("segment 3 ")
        kill_once(tmp_path / "reef.zoom")
        gate.touch()
        assert rendering.end() == 0
    said = rendering.said.splitlines()
    assert sum(line.startswith("resuming reef.zoom: ") for line in said) == 1
    assert f"note: {KILLED}; restarted, 1 of 3" in said
    assert any(line.startswith("finished: 30 keyframes, 117 frames") for line in said)
    assert digest(tmp_path / "reef.zoom") == digest(tmp_path / "whole.zoom")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("aborting", 9), ("lost", 8)])
def test_a_headless_render_that_always_crashes_ends_with_one_line_and_a_playable_film(
    tmp_path: Path, name: str, code: int
) -> None:
    answer = zoomtui("render", *painter(name, 2), "--out", "reef.zoom", cwd=tmp_path)
    assert answer.code == code
    assert answer.err.count("\n") == 1
    assert "; given up after 3 restarts in 10 minutes; " in answer.err
    assert "`zoomtui resume reef.zoom` goes on" in answer.err
    assert answer.lines[-1] == "go on      zoomtui resume reef.zoom"
    frames = read_status(tmp_path / "reef.zoom").frames
    assert not frames or film_frames(tmp_path / "reef.zoom") == frames
