"""The history screen: real journals, walked through by key."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from renderer.journal import Record, write_journal
from renderer.project.project import Project
from renderer.project.records import JOURNAL
from tests.cli.engines import soon
from tests.engine.runs import SIDE, project, render
from tests.marks import slower
from tests.tui.scripted import (
    HOSTILE,
    RUNNING,
    STATE,
    Script,
    check_snapshot,
    on_screen,
    settled,
)
from zoomtui.tui.monitor.full_picture import ViewScreen
from zoomtui.tui.monitor.history_screen import HistoryScreen
from zoomtui.tui.monitor.screen import MonitorScreen

SIZES = [(80, 24), (120, 36)]
MADE = {"seed": 1, "seconds": 1.0, "seam": 1.0, "drift": 0.0}


def night(keyframes: int, prompt: str = "a reef at night") -> list[Record]:
    """The journal of a render in three sessions and with a crash, on a machine with a GPU."""
    rng = random.Random(7)
    records: list[Record] = [{"type": "project", "settings": {}}]
    at = session = 1_795_380_000.0
    for number in range(keyframes):
        if number == keyframes // 3:
            session = at = at + 5000
        if number == keyframes // 5:
            changes = {"prompt": prompt, "steps": 40}
            records.append({"type": "steer", "from_keyframe": number, "changes": changes})
        seconds = 12 + 2 * math.sin(number / 20) + 30 * (number % 177 == 50)
        at += seconds
        records.append(
            {"type": "keyframe", "keyframe": number, "length": 1, "crc": 1, "seed": 1, "at": at,
             "seconds": seconds, "seam": 1.1 + 0.2 * math.sin(number / 9), "residue": 0.0,
             "drift": 20 * (1 - math.exp(-number / 99)), "idle": 0.02 * rng.random(),
             "session": session, "restarts": int(number >= keyframes // 2),
             "gpu_percent": 97.0, "vram_used": 18e9, "disk_free": 4e11 - 1e8 * number}
        )  # fmt: skip
        records.append({"type": "segment", "frames": 60})
    note = {"type": "mark", "keyframe": keyframes * 9 // 10, "take": 1, "note": "the best"}
    return [*records, note]


def history(
    folder: Path, body: Callable[[Pilot[str], Script], Awaitable[None]], size: tuple[int, int]
) -> None:
    """The screen on the journal in ``folder``, once that is read."""
    keyframes = (folder / JOURNAL).read_bytes().count(b'"type":"keyframe"')

    async def on_history(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("h")
        screen = pilot.app.screen
        assert isinstance(screen, HistoryScreen)
        await soon(lambda: screen._series is not None or screen._why, "the journal is read")
        await body(pilot, script)

    shown = replace(RUNNING, folder=folder, state=replace(STATE, keyframes=keyframes))
    on_screen(shown, on_history, size)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "night.zoom"
    folder.mkdir()
    write_journal(folder / JOURNAL, night(900))
    return folder


@pytest.mark.parametrize("size", [*SIZES, *slower([(200, 60)])])
def test_snapshot_of_the_history(long: Path, size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        check_snapshot(f"history-{size[0]}x{size[1]}", await settled(pilot))

    history(long, body, size)


def test_marks_are_named_under_the_cursor_and_zoomed_at(long: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        text = await settled(pilot)
        assert "Keyframe 900" in text
        assert "↑ steered   ♦ note   ▸ session   ✗ crash" in text
        assert isinstance(pilot.app.screen, HistoryScreen)
        pilot.app.screen._cursor.choose(467, 900)
        await pilot.press("left")  # of 71 columns, twelve keyframes each
        text = await settled(pilot)
        assert "Keyframe 456 " in text
        assert "✗ 451: the engine was restarted after a crash" in await settled(pilot)
        assert "keyframes 1 to 900" in text
        await pilot.press("plus", "plus", "plus")
        text = await settled(pilot)
        assert " of 900" in text.splitlines()[0]
        await pilot.press(*["left"] * 5)
        text = await settled(pilot)
        assert "Keyframe 451 " in text
        assert "✗ 451: " in text
        await pilot.press("home")
        text = await settled(pilot)
        assert "Keyframe 1 " in text
        assert "keyframes 1 to 112 of 900" in text
        await pilot.press("end")
        assert "keyframes 789 to 900 of 900" in await settled(pilot)
        await pilot.press(*["plus"] * 4)
        assert "keyframes 891 to 900 of 900" in await settled(pilot)
        await pilot.press(*["minus"] * 7)
        assert "keyframes 1 to 900  " in await settled(pilot)

    history(long, body, (80, 24))


def test_tab_shows_the_charts_that_there_is_no_room_for(long: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        seen = []
        for _ in range(4):
            text = await settled(pilot)
            titles = ("seconds a keyframe  ", "drift of colours  ", "film rate  ", "GPU memory  ")
            seen.append([each.strip() for each in titles if f"        {each}" in text])
            await pilot.press("tab")
        assert seen == [["seconds a keyframe"], ["drift of colours"], ["film rate"], ["GPU memory"]]
        assert "seconds a keyframe" in await settled(pilot)

    history(long, body, (80, 24))


def test_enter_opens_the_keyframe_and_the_cursor_is_the_monitors(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=5)
    render(folder)

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "left", "enter")
        assert isinstance(pilot.app.screen, ViewScreen)
        assert "[3]" in await settled(pilot)
        await pilot.press("left", "escape")
        assert "Keyframe 2 " in await settled(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert "Keyframe 2" in await settled(pilot)

    history(folder, body, (100, 30))


def test_it_grows_with_the_render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoomtui.tui.monitor.history_screen._INTERVAL", 0.05)
    folder = project(tmp_path / "a.zoom", keyframes=3)
    render(folder)

    async def body(pilot: Pilot[str], script: Script) -> None:
        assert "keyframes 1 to 3  follows the newest" in await settled(pilot)
        with Project.open(folder) as opened:
            opened.steer({"keyframes": 9})
            opened.add_keyframe(3, opened.load_keyframe(2), MADE)
        screen = pilot.app.screen
        assert isinstance(screen, HistoryScreen)
        await soon(lambda: screen._count == 4, "the new keyframe is seen")
        text = await settled(pilot)
        assert "keyframes 1 to 4  follows the newest" in text
        assert "Keyframe 4 " in text
        await pilot.press("left")
        with Project.open(folder) as opened:
            opened.add_keyframe(4, opened.load_keyframe(2), MADE)
        await soon(lambda: screen._count == 5, "the new keyframe is seen")
        assert "Keyframe 3 " in await settled(pilot)  # the cursor stays where it was put

    history(folder, body, (80, 24))


def test_before_the_first_keyframe_it_says_so(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=2)

    async def nothing(pilot: Pilot[str], script: Script) -> None:
        assert "no keyframe is painted yet" in await settled(pilot)
        await pilot.press("left", "right", "plus", "minus", "home", "end", "enter", "tab")
        assert isinstance(pilot.app.screen, HistoryScreen)

    history(folder, nothing, (80, 24))


def test_there_may_be_a_single_keyframe(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=2)
    with Project.open(folder) as opened:
        opened.add_keyframe(0, np.zeros((SIDE, SIDE, 3), np.uint8), MADE)

    async def one(pilot: Pilot[str], script: Script) -> None:
        assert "seconds a keyframe  1 s" in await settled(pilot)
        await pilot.press("left", "right", "plus", "minus", "home", "end")
        assert "Keyframe 1 " in await settled(pilot)

    history(folder, one, (80, 24))


def test_a_damaged_journal_is_said_in_a_line(tmp_path: Path) -> None:
    records = night(30)
    write_journal(tmp_path / JOURNAL, records)
    data = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(data.replace(b'"seed":1', b'"seed":2', 1))

    async def body(pilot: Pilot[str], script: Script) -> None:
        assert "is damaged: line 2 can't be read" in await settled(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)

    history(tmp_path, body, (200, 24))


def test_no_terminal_is_too_narrow(tmp_path: Path) -> None:
    write_journal(tmp_path / JOURNAL, night(20))

    async def body(pilot: Pilot[str], script: Script) -> None:
        for width in range(12, 0, -1):
            await pilot.resize_terminal(width, 24)
            await pilot.press("left", "plus", "minus")
            await settled(pilot)
        assert isinstance(pilot.app.screen, HistoryScreen)

    history(tmp_path, body, (80, 24))


@pytest.mark.parametrize("prompt", [HOSTILE[0], *slower(HOSTILE[1:])])
@pytest.mark.parametrize("size", [(80, 24), *slower([(40, 10), (20, 5)])])
def test_hostile_text_harms_nothing(tmp_path: Path, prompt: str, size: tuple[int, int]) -> None:
    write_journal(tmp_path / JOURNAL, night(20, prompt))

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("home", *["right"] * 4)
        text = await settled(pilot)
        assert "\x1b" not in text
        assert "\u202e" not in text
        if size == (80, 24):
            assert "↑ 5: " in text
            assert prompt != HOSTILE[0] or HOSTILE[0] in text

    history(tmp_path, body, size)
