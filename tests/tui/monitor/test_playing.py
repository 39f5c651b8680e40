"""The film's newest seconds in the terminal: real frames of a real film, and its keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from textual.pilot import Pilot

from renderer.errors import ProjectError
from tests.cli.engines import soon
from tests.cli.processes import children_with
from tests.engine.runs import project, render
from tests.tui.scripted import RUNNING, Script, on_screen, settled
from zoomtui.tui.monitor import play_screen
from zoomtui.tui.monitor.play_screen import PlayScreen
from zoomtui.tui.monitor.player import Player
from zoomtui.tui.monitor.screen import MonitorScreen

LENGTH = 3 * 120 + 1
"""Frames: twelve seconds."""


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("reef") / "reef.zoom", frames_per_keyframe=120)
    render(folder)
    return folder


async def playing(pilot: Pilot[str]) -> PlayScreen:
    await pilot.press("f")
    screen = pilot.app.screen
    assert isinstance(screen, PlayScreen)
    await soon(lambda: screen.frame is not None and screen.frame.frames == LENGTH, "it plays")
    return screen


def number(screen: PlayScreen) -> int:
    return -1 if screen.frame is None else screen.frame.number


def test_the_newest_seconds_are_played_to_the_end(
    reef: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_screen, "NEWEST", 2.0)

    async def body(pilot: Pilot[str], script: Script) -> None:
        screen = await playing(pilot)
        await soon(lambda: 60 < number(screen) < LENGTH - 1, "it is under way")
        await soon(lambda: number(screen) == LENGTH - 1, "it comes to the end")
        assert "▸ 0:00:12 ━" in await settled(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(replace(RUNNING, folder=reef), body, (80, 24))


@pytest.mark.slow
def test_it_is_held_and_walked_through_by_key(reef: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        screen = await playing(pilot)
        await pilot.press("space", "home")
        await soon(lambda: number(screen) == 0, "it is at the beginning")
        assert "‖ 0:00:00 " in await settled(pilot)
        await pilot.press("right")
        await soon(lambda: number(screen) == 30, "a second on")
        await pilot.press("pagedown", "left")
        await soon(lambda: number(screen) == 300, "ten on and one back")
        await pilot.press("end")
        await soon(lambda: number(screen) == LENGTH - 300, "the newest ten seconds")
        await pilot.press("space")
        await soon(lambda: number(screen) > LENGTH - 300, "it goes on")
        await pilot.press("f")
        assert isinstance(pilot.app.screen, MonitorScreen)
        await soon(lambda: not players(), "its reader has ended")

    on_screen(replace(RUNNING, folder=reef), body, (120, 36))


def players() -> list[psutil.Process]:
    return children_with("renderer.project.playback")


def test_without_a_film_there_is_nothing_to_play(reef: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("f")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(replace(RUNNING, state=replace(RUNNING.state, frames=0)), body)


def test_a_project_that_is_gone_is_said_in_a_line(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("f")
        await soon(lambda: bool(list(pilot.app._notifications)), "it is said")
        (notice,) = pilot.app._notifications
        assert "does not exist" in notice.message

    on_screen(replace(RUNNING, folder=tmp_path / "gone.zoom"), body)


def test_a_reader_that_is_killed_amid_a_frame_is_said(
    reef: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = '{"error": "", "frame": 0, "frames": 2, "fps": 30.0, "width": 9, "height": 9}'
    verb = ["/bin/sh", "-c", f"read number; echo '{said}'; echo short"]
    monkeypatch.setattr("zoomtui.tui.monitor.player.python_module", lambda *_: verb)

    async def run() -> None:
        with Player(reef) as player, pytest.raises(ProjectError, match="its reader has ended"):
            await player.frame(0)

    asyncio.run(run())


def test_frames_are_the_films_own_and_small(reef: Path) -> None:
    async def run() -> None:
        with Player(reef) as player:
            frame = await player.frame(5)
            assert frame is not None
            assert (frame.number, frame.frames, frame.fps) == (5, LENGTH, 30.0)
            assert len(frame.rgb) == frame.width * frame.height * 3

    asyncio.run(run())
