"""What the monitor tells a user who looks elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from textual import events

from renderer.engine.events import Phase
from renderer.engine.state import Failure
from tests.cli.engines import OnMonitor, engine, make_project, soon
from tests.tui.scripted import scripted, settled, view
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.app import ZoomApp
from zoomtui.viewing.view import Situation, View

FOOT = Terminal("foot(1.13.1)", "truecolor", "blocks")


def told(app: ZoomApp, patch: pytest.MonkeyPatch) -> list[str]:
    """All messages that are written to the terminal from now on."""
    written: list[str] = []
    assert app._driver is not None
    patch.setattr(app._driver, "write", written.append)
    return written


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (
            view(Situation.OVER, finished=True, painting=None),
            "finished: 128 keyframes, 21 min 20 s of film",
        ),
        (view(Situation.OVER, failure=Failure("out; of\x1b[2J memory", 5)),
         "failed: out, of\\x1b[2J memory"),
        (view(Situation.LOST), "failed: its engine is gone"),
        (view(restarted_at=9.0, crash="killed"), "restarted at 128 keyframes: killed"),
        (view(phase=Phase.REVIEW, held=127), "waits for review of keyframe 128"),
    ],
)  # fmt: skip
def test_what_happens_is_told_once_also_while_another_screen_is_shown(
    monkeypatch: pytest.MonkeyPatch, after: View, text: str
) -> None:
    async def run() -> None:
        app, script = scripted(view(), FOOT)
        async with app.run_test(size=(80, 24)) as pilot:
            monitor = app.screen
            await settled(pilot)
            await pilot.press("l")
            written = told(app, monkeypatch)
            script.view = after
            for _ in range(3):
                monitor._tell()  # type: ignore[attr-defined]
            assert written == [f"\x1b]777;notify;aurora;{text}\x1b\\"]

    asyncio.run(run())


def test_a_terminal_that_has_the_focus_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        app, script = scripted(view(), FOOT)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            written = told(app, monkeypatch)
            app.post_message(events.AppFocus())
            await pilot.pause()
            app.tell("a", "seen")
            app.post_message(events.AppBlur())
            await pilot.pause()
            app.tell("a", "not seen")
            assert written == ["\x1b]777;notify;a;not seen\x1b\\"]
            script.view = view(Situation.OVER, finished=True)
            await soon(lambda: any("finished" in each for each in written), "it looks by itself")

    asyncio.run(run())


def test_on_a_real_terminal_that_has_lost_the_focus_a_restart_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid, OnMonitor(folder, NAMED="kitty(0.46.2)") as monitor:
        monitor.until("\x1b[?1004h")
        monitor.until("RENDERING")
        monitor.type(b"\x1b[I\x1b[O")
        os.kill(pid, signal.SIGKILL)
        monitor.until("\x1b]99;i=zoomtui:p=body;restarted at ")
