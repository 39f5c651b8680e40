"""Where a dive goes, by arrows and by the mouse: what the frame shows, and what is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.cli.engines import soon
from tests.engine.runs import project, render
from tests.marks import slower
from tests.tui.scripted import RUNNING, STATE, Script, check_snapshot, on_screen, settled
from zoomtui.tui.monitor.focus_screen import FocusScreen, FramedPicture
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.viewing.view import View


@pytest.fixture(scope="module", params=["refine", *slower(["direct"])])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> View:
    folder = project(
        tmp_path_factory.mktemp("film") / "reef.zoom",
        painter="texture",
        method=request.param,
        keyframes=3,
        focus="0.25,0.5",
    )
    render(folder)
    return replace(RUNNING, folder=folder, state=replace(STATE, keyframes=3))


async def opened(pilot: Pilot[str]) -> FramedPicture:
    await pilot.press("g")
    picture = pilot.app.screen.query_one(FramedPicture)
    await soon(lambda: picture.share and picture.extent[2], "the picture is there")
    return picture


@pytest.mark.parametrize("size", [(80, 24), *slower([(120, 36)])])
def test_a_frame_is_moved_and_asked_for(film: View, size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        picture = await opened(pilot)
        assert picture.focus_at == (0.25, 0.5)
        text = await settled(pilot)
        assert "Where to?  0.25,0.50" in text
        if script.view.folder.name and "zooms out" not in text:
            check_snapshot(f"focus-{size[0]}x{size[1]}", text)
        before = picture.frame
        await pilot.press("right", "right", "up")
        assert picture.focus_at == pytest.approx((0.35, 0.45))
        assert picture.frame[0] > before[0]
        left, top, columns, rows = picture.extent
        await pilot.press(*["down"] * 30)
        assert picture.frame[3] == top + rows - 1
        await pilot.click(FramedPicture, offset=(left + columns - 1, top))
        assert picture.focus_at[0] > 0.9
        assert picture.focus_at[1] < 0.1
        assert picture.frame[2] == left + columns - 1
        assert script.asked == []
        await pilot.press("home", "left", "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("steer", {"changes": {"focus": "0.45,0.50"}})]
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(film, body, size)


def test_auto_is_one_key_and_escape_changes_nothing(film: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await opened(pilot)
        await pilot.press("left", "escape")
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert script.asked == []
        await pilot.press("g", "a")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("steer", {"changes": {"focus": "auto"}})]

    on_screen(film, body)


def test_a_film_that_zooms_out_says_how_to_dive(film: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await opened(pilot)
        assert isinstance(pilot.app.screen, FocusScreen)
        says = "This film zooms out" in await settled(pilot)
        assert says == ('method = "direct"' in (film.folder / "project.toml").read_text())

    on_screen(film, body)
