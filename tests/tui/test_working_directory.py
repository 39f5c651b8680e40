"""The folder that the interface was started in is removed while it is open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.cli.engines import soon
from tests.tui.lists import new, on_renders
from tests.tui.scripted import NOW, RUNNING, TERMINAL, Script, on_screen, screen_text, settled
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.export.screen import ExportScreen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.viewing.scan import Scan


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_monitor_goes_on_with_a_project_that_was_named_from_there(
    here: Path, empty_state: Path
) -> None:
    async def run() -> None:
        app = ZoomApp(TERMINAL, lambda: MonitorScreen(Path("coral.zoom")), clock=lambda: NOW)
        async with app.run_test(size=(100, 30)) as pilot:
            here.rmdir()
            screen = app.screen
            assert isinstance(screen, MonitorScreen)
            assert screen.watched.view.folder == here / "coral.zoom"
            await soon(lambda: "does not exist" in screen.watched.view.why, "the project is gone")
            assert "NO PROJECT" in await settled(pilot)

    asyncio.run(run())


def test_the_export_form_opens_all_the_same(here: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        here.rmdir()
        await pilot.press("e")
        screen = pilot.app.screen
        assert isinstance(screen, ExportScreen)
        await soon(lambda: screen.wrong, "the engine refuses it")

    on_screen(RUNNING, body)


@pytest.mark.parametrize("out", ["", "reef.zoom"])
def test_a_new_render_can_be_drawn_up(out: str, here: Path, empty_state: Path) -> None:
    async def run() -> None:
        app = on_renders(here, Scan())
        async with app.run_test(size=(120, 36)) as pilot:
            here.rmdir()
            await pilot.press("n")
            new(pilot).form.put({"prompt": "moss", "painter": "texture", "out": out})
            await soon(lambda: "no GPU needed" in screen_text(app), "the forecast")
            await settled(pilot)

    asyncio.run(run())
