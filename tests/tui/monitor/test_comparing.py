"""Two keyframes side by side: real files, walked through by key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.cli.engines import soon
from tests.engine.runs import project, render
from tests.marks import slower
from tests.tui.scripted import RUNNING, STATE, Script, on_screen, settled
from zoomtui.tui.monitor.compare_screen import CompareScreen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.shared.picture import Picture
from zoomtui.viewing.view import View


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> View:
    folder = project(tmp_path_factory.mktemp("reef") / "reef.zoom", keyframes=5)
    render(folder)
    return replace(RUNNING, folder=folder, state=replace(STATE, keyframes=5))


def shown(pilot: Pilot[str]) -> list[int]:
    assert isinstance(pilot.app.screen, CompareScreen)
    return list(pilot.app.screen.keyframes)


@pytest.mark.parametrize("size", [(80, 24), *slower([(120, 36), (40, 10)])])
def test_they_stand_side_by_side_with_their_figures(reef: View, size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("c")
        screen = pilot.app.screen
        assert shown(pilot) == [3, 4]
        await soon(lambda: all(side.figures for side in screen.sides), "their files are read")  # type: ignore[attr-defined]
        text = await settled(pilot)
        assert "▸ Keyframe 4" in text
        assert "  Keyframe 5" in text
        left, right = screen.query(Picture)
        await soon(lambda: left.small and right.small, "both pictures are there")
        assert left.region.right <= right.region.x
        await pilot.press("c")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(reef, body, size)


def test_the_marked_one_walks_and_tab_marks_the_other(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("c", "left", "left")
        assert shown(pilot) == [1, 4]
        await pilot.press("tab", "pageup")
        assert shown(pilot) == [1, 0]
        assert "▸ Keyframe 1" in await settled(pilot)
        await pilot.press("right", "tab", "pagedown")
        assert shown(pilot) == [4, 1]
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(reef, body)
