"""Watching real engines: what they do, what they are asked, and how they can end."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest

from renderer.engine.events import Note, Phase, RenderStarted, ViewersChanged
from renderer.engine.state import Failure, LogLine, RenderState, apply
from renderer.project.session_record import fail
from renderer.project.status import State, read_status
from renderer.service.client import NotRunning, Refused, Snapshot, Told
from renderer.settings.render import RenderSettings
from tests.cli.engines import engine, kill_engine, make_project, running, soon, until
from tests.engine.runs import digest, project, render
from tests.tui.watching import watching
from zoomtui.viewing.offline import state_on_disk
from zoomtui.viewing.view import Situation
from zoomtui.viewing.watcher import Watch


def test_a_watch_shows_the_whole_state_at_once_and_then_what_happens(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)

    async def watch_it() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.running, "connected")
            await soon(lambda: watch.view.state.keyframes == 3, "three keyframes")
            await soon(lambda: watch.view.state.step > 5, "steps")
            await soon(lambda: watch.view.state.meters, "meters")
            assert watch.view.pid == running(folder)
            assert watch.view.keyframe_size > 0
            assert watch.view.history
            assert watch.view.state.viewers == 1

    with engine(folder):
        asyncio.run(watch_it())


def test_two_viewers_see_the_same_and_each_other(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)

    async def watch_it() -> None:
        async with watching(folder) as one, watching(folder) as other:
            await soon(lambda: one.view.state.viewers == 2, "one knows of two")
            await soon(lambda: other.view.state.viewers == 2, "the other knows of two")
            await one.ask("pause")
            await soon(lambda: other.view.paused, "the other sees the pause")
            await other.ask("unpause")
            await soon(lambda: one.view.state.phase is Phase.RENDERING, "one sees it go on")

    with engine(folder):
        asyncio.run(watch_it())


def test_a_viewer_that_came_before_the_session_began_is_still_counted() -> None:
    started = RenderStarted("p", "p/film.mp4", 0, 0, 0, None, None, "a reef", 30.0, 6, 2)
    state = apply(apply(RenderState(), ViewersChanged(2), 1.0), started, 2.0)
    assert state.viewers == 2


def test_a_viewer_too_slow_for_the_engine_after_a_crash_still_sees_what_was_before(
    tmp_path: Path,
) -> None:
    def snapshot(pid: int, *texts: str) -> Snapshot:
        return Snapshot(RenderState(log=tuple(LogLine(0.0, text) for text in texts)), pid)

    watch = Watch(tmp_path)
    started = RenderStarted(
        project="", film="", keyframes=3, frames=12, size=9, total_keyframes=None,
        total_frames=None, prompt="", fps=30.0, frames_per_keyframe=6, capacity=2,
    )  # fmt: skip
    for message in (
        snapshot(1, "painted"),
        snapshot(2),  # the viewer was there before the session began
        Told(started, 0.0),
        Told(Note("restarted"), 0.0),
        snapshot(2, "restarted", "painted again"),  # again, as events were lost on the way
        snapshot(3, "restarted once more"),
    ):
        watch._take(message)
    said = [line.text for line in watch.view.state.log]
    assert [text for text in said if not text.startswith("session started")] == [
        *("painted", "restarted", "painted again", "restarted once more")
    ]
    assert said[0] == "painted"


def test_a_session_that_ends_by_its_own_word_is_over(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)

    async def watch_it() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.state.frames == 6, "a segment")
            await watch.ask("stop")
            await soon(lambda: watch.view.situation is Situation.OVER, "over")
            await soon(lambda: not running(folder), "the lock is free")
            assert watch.view.state.stopped
            assert watch.view.resumable
            assert not watch.view.complete
            with pytest.raises(NotRunning):
                await watch.ask("pause")

    with engine(folder):
        asyncio.run(watch_it())


def test_a_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "failing", 2)

    async def watch_it() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.situation is Situation.OVER, "over")
            failure = watch.view.state.failure
            if failure is not None:  # else it had failed before this viewer came
                assert "out of paint" in failure.message
            assert watch.view.resumable

    with engine(folder):
        asyncio.run(watch_it())


@pytest.mark.slow
def test_a_killed_engine_is_lost_and_resuming_continues_the_film_byte_for_byte(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate.12"
    whole = make_project(
        tmp_path / "whole.zoom", "gated", keyframes=16, frames_per_keyframe=2, model=str(gate)
    )
    broken = shutil.copytree(whole, tmp_path / "broken.zoom")

    async def kill_and_resume() -> None:
        async with watching(broken) as watch:
            await soon(lambda: watch.view.state.frames > 20, "some frames")
            kill_engine(broken)
            await soon(lambda: watch.view.situation is Situation.LOST, "lost")
            assert watch.view.resumable
            assert watch.view.state.frames < 31
            gate.touch()
            await watch.resume()
            await soon(lambda: watch.view.running, "running again")
            await soon(lambda: watch.view.complete, "finished")

    with engine(broken):
        asyncio.run(kill_and_resume())
    with engine(whole):
        until(lambda: read_status(whole).state is State.FINISHED, "finished")
    assert digest(broken) == digest(whole)


def test_what_nobody_renders_is_read_from_disk(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", keyframes=3)
    with engine(folder):
        until(lambda: read_status(folder).state is State.FINISHED, "finished")

    async def look() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.situation is Situation.OVER, "read")
            assert watch.view.complete
            assert not watch.view.resumable
            assert watch.view.state.keyframes == 3
            assert watch.view.state.frames == 13
            assert watch.view.state.fps == 30.0

    asyncio.run(look())


@pytest.mark.slow
def test_a_render_that_was_killed_unseen_can_be_resumed(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)
    with engine(folder):
        until(lambda: read_status(folder).frames == 12, "two segments")
    state = state_on_disk(folder)
    assert state.finished
    assert state.stopped
    assert state.keyframes == 3


def test_a_render_that_failed_unseen_has_failed_for_whoever_looks_later(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom")
    fail(folder, "the GPU ran out of memory", 5)

    async def look() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.situation is Situation.OVER, "read")
            assert watch.view.state.failure == Failure("the GPU ran out of memory", 5)
            assert [line.text for line in watch.view.state.log] == ["the GPU ran out of memory"]
            assert watch.view.resumable

    asyncio.run(look())


@pytest.mark.slow
def test_an_engine_that_somebody_else_starts_is_found(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)

    async def look() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.situation is Situation.OVER, "no engine runs")
            with engine(folder):
                await soon(lambda: watch.view.running, "found")

    asyncio.run(look())


def test_a_disk_that_says_nothing_of_its_locks_is_asked_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=3)
    render(folder)
    monkeypatch.setattr("zoomtui.viewing.watcher.IDLE_WAIT", 0.05)

    def refused(*_: object) -> bytes:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    async def look() -> None:
        with monkeypatch.context() as broken:
            broken.setattr("renderer.project.lock.fcntl.fcntl", refused)
            async with watching(folder) as watch:
                await soon(lambda: watch.view.situation is Situation.UNREACHABLE, "refused")
                assert "can't be told: No locks available" in watch.view.why
                broken.undo()
                await soon(lambda: watch.view.situation is Situation.OVER, "read")

    asyncio.run(look())


def test_what_is_no_project_is_said(tmp_path: Path) -> None:
    async def look() -> None:
        async with watching(tmp_path / "nothing.zoom") as watch:
            await soon(lambda: watch.view.why, "a reason")
            assert "does not exist" in watch.view.why
            assert not watch.view.resumable

    asyncio.run(look())


@pytest.mark.slow
def test_prompts_reach_the_project_exactly_and_can_be_taken_back(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)
    prompt = "[red]x[/red] \x1b[2J שלום e\u0301 \u202e" + "é" * 10_000

    async def steer() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.state.painting == 3, "the fourth in hand")
            await watch.ask("steer", changes={"prompt": prompt})
            await soon(lambda: watch.view.state.next_prompt == prompt, "queued")
            assert watch.view.state.next_from == 4
            await watch.ask("undo")
            await soon(lambda: not watch.view.state.next_changes, "taken back")
            said = watch.view.state.log
            assert any(line.text.endswith("on is taken back") for line in said)
            with pytest.raises(Refused, match="nothing to undo"):
                await watch.ask("undo")
            await watch.ask("steer", changes={"prompt": prompt})
            with pytest.raises(Refused, match="fixed"):
                await watch.ask("steer", changes={"size": "640x360"})

    with engine(folder):
        asyncio.run(steer())
    from renderer.journal import read_journal
    from renderer.project.history import History
    from renderer.project.records import JOURNAL

    settings = History(read_journal(folder / JOURNAL)).settings_at(RenderSettings(), 4)
    assert settings.prompt == prompt


def test_a_second_engine_is_refused_with_its_reason(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)
    from renderer.errors import ProjectError

    async def resume() -> None:
        await Watch(folder).resume()

    with engine(folder), pytest.raises(ProjectError, match="being rendered"):
        asyncio.run(resume())
    kill_engine(folder)
