"""The page that the monitor serves: begun and ended by a key, and never left behind."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.cli.engines import OnMonitor, make_project, soon, until
from tests.cli.processes import Answer, children_with
from tests.tui.scripted import shown_text
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.monitor.screen import MonitorScreen

LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{22}")


def test_w_begins_and_ends_it(
    rendered: tuple[Path, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22")

    async def run() -> None:
        app = ZoomApp(Terminal("test", "truecolor", "blocks"), lambda: screen, deaf=0)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("w")
            await soon(lambda: LINK.search(shown_text(pilot)), "the link is shown")
            said = shown_text(pilot)
            found = LINK.search(said)
            assert found is not None
            assert f"ssh -N -L {found[1]}:127.0.0.1:{found[1]} " in said
            page = await asyncio.to_thread(
                urllib.request.urlopen, found[0].replace("?", "metrics?")
            )
            with page:
                assert b"zoomtui_keyframes_total" in page.read()
            await pilot.press("w")
            await soon(lambda: not LINK.search(shown_text(pilot)), "it has ended")
            assert not children_with("zoomtui serve")
            await pilot.press("w")
            await soon(lambda: LINK.search(shown_text(pilot)), "another one")
        assert not children_with("zoomtui serve")

    screen = MonitorScreen(rendered[0])
    asyncio.run(run())


@pytest.mark.slow
def test_it_ends_with_a_monitor_that_is_killed(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom")
    with OnMonitor(folder) as monitor:
        monitor.until("STOPPED")
        monitor.type(b"w")
        monitor.until("w ends it")
        (page,) = psutil.Process(monitor.pid).children()
        psutil.Process(monitor.pid).kill()
        until(lambda: not page.is_running() or page.status() == psutil.STATUS_ZOMBIE, "it has gone")
