"""The strip of small pictures: what is on it, what is marked, and that files are read only once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot

from renderer.project.records import KEYFRAMES, keyframe_path
from tests.cli.engines import soon
from tests.tui.scripted import TERMINAL, Script, screen_text, scripted, settled, view
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.monitor.filmstrip import KEPT, Filmstrip, slots, window
from zoomtui.tui.shared.picture import Picture
from zoomtui.viewing.view import View

PLAIN = Terminal("test", "none", "ascii")
Body = Callable[[Pilot[str], Script, Filmstrip], Awaitable[None]]


def film(folder: Path, count: int, size: tuple[int, int] = (96, 54)) -> View:
    """A view of `count` keyframes on disk, each with a bright bar further to the right."""
    (folder / KEYFRAMES).mkdir(parents=True)
    for number in range(count):
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        left = number * size[0] // count
        pixels[:, left : left + size[0] // count] = (240, 200, 40 + number)
        Image.fromarray(pixels).save(keyframe_path(folder, number))
    return replace(view(keyframes=count, painting=count), folder=folder)


def on_strip(
    shown: View, body: Body, size: tuple[int, int] = (120, 36), terminal: Terminal = TERMINAL
) -> None:
    async def run() -> None:
        app, script = scripted(shown, terminal)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await body(pilot, script, app.screen.query_one(Filmstrip))

    asyncio.run(run())


def known(strip: Filmstrip, keyframe: int) -> Callable[[], bool]:
    return lambda: strip._small.get(keyframe) is not None


def rows(strip: Filmstrip) -> list[str]:
    return [strip.render_line(y).text for y in range(strip.size.height)]


@pytest.mark.parametrize("width", [1, 11, 24, 74, 140, 300])
@pytest.mark.parametrize("aspect", [0.2, 1.0, 16 / 9, 8.0])
def test_slots_lie_within_the_width_and_in_its_middle(width: int, aspect: float) -> None:
    there = slots(width, 3, aspect)
    used = there.room * (there.columns + there.gap) - there.gap
    assert there.room >= 1
    assert 0 <= there.left <= width - used - there.left <= there.left + 1
    assert width - used < there.columns + there.gap


def test_the_window_follows_the_newest_and_else_stays_until_it_is_walked_off() -> None:
    assert window(0, 6, 3, 2) == 0
    assert window(0, 6, 100, 99) == 94
    assert window(94, 6, 100, 95) == 94
    assert window(94, 6, 100, 93) == 90
    assert window(90, 6, 100, 90) == 90
    assert window(90, 6, 100, 0) == 0
    assert window(0, 6, 100, 6) == 3
    for chosen in range(100):
        assert 0 <= chosen - window(40, 6, 100, chosen) < 6


@pytest.mark.parametrize("size", [(120, 36), (200, 60)])
def test_past_keyframes_are_shown_small_and_the_chosen_one_is_marked_by_signs(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        assert strip.display
        await pilot.press("left")
        await soon(lambda: all(known(strip, n)() for n in strip._visible), "all are read")
        assert len(strip._visible) >= 4
        *pictures, numbers = rows(strip)
        assert numbers.count("[") == 1
        assert "=[11]=" in numbers
        assert " 10 " in numbers
        there, bars = strip._slots, []
        for place, _ in enumerate(strip._visible):
            left = there.left + place * (there.columns + there.gap)
            cells = pictures[0][left : left + there.columns]
            bars.append(max(range(there.columns), key=lambda x, cells=cells: ord(cells[x]) == 64))
        assert bars == sorted(bars)
        assert len(set(bars)) > 2

    on_strip(film(tmp_path / "a.zoom", 12), body, size, PLAIN)


def test_at_80_columns_there_is_a_line_of_numbers_instead(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        assert not strip.display
        assert "[12]" in screen_text(script_app(pilot))
        await settled(pilot)
        assert set(strip._small) <= {11}

    on_strip(film(tmp_path / "a.zoom", 12), body, (80, 24))


def script_app(pilot: Pilot[str]) -> ZoomApp:
    assert isinstance(pilot.app, ZoomApp)
    return pilot.app


def test_walking_back_and_forth_reads_no_file_again(tmp_path: Path) -> None:
    shown = film(tmp_path / "a.zoom", 30)

    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        await pilot.press("left", "home")
        await soon(lambda: all(known(strip, n)() for n in range(5)), "the first are read")
        await pilot.press("right", "right")
        before = {number: strip._small[number] for number in range(5)}
        for number in range(5):
            keyframe_path(shown.folder, number).unlink()
        await pilot.press("pagedown", "pagedown", "home")
        await settled(pilot)
        for number in range(5):
            assert strip._small[number] is before[number]

    on_strip(shown, body)


def test_of_a_long_film_only_what_is_on_the_strip_is_read(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        await pilot.press("left")
        await soon(lambda: all(known(strip, n)() for n in strip._visible), "all are read")
        await settled(pilot)
        assert set(strip._small) == set(strip._visible)

    on_strip(film(tmp_path / "a.zoom", 60, (32, 18)), body)


def test_only_so_many_small_pictures_are_kept() -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        for number in range(3 * KEPT):
            strip.offer(number, np.zeros((45, 80, 3), np.uint8))
        assert len(strip._small) == KEPT
        assert len(strip._lines) <= KEPT

    on_strip(view(keyframes=3 * KEPT), body)


def test_a_keyframe_that_is_gone_leaves_its_place_empty(tmp_path: Path) -> None:
    shown = film(tmp_path / "a.zoom", 6)
    keyframe_path(shown.folder, 3).unlink()
    keyframe_path(shown.folder, 4).write_bytes(b"\x89PNG\r\n\x1a\nno")

    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        await pilot.press("left")
        await soon(lambda: set(strip._small) == set(range(6)), "all are tried")
        assert strip._small[3] is strip._small[4] is None
        assert known(strip, 5)()
        assert "4" in rows(strip)[-1]

    on_strip(shown, body)


def test_the_strip_takes_the_shape_of_the_pictures(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        await soon(known(strip, 5), "the newest is read")
        assert strip._slots.columns == 6

    on_strip(film(tmp_path / "a.zoom", 6, (64, 64)), body)


@pytest.mark.slow
def test_a_key_changes_the_kind_of_pictures_everywhere(tmp_path: Path) -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        kinds = []
        for _ in range(4):
            kinds.append(pilot.app.screen.query_one(Picture).pictures)
            await pilot.press("V")
            await pilot.pause()
        assert kinds == ["blocks", "ascii", "off", "blocks"]
        assert pilot.app.screen.query_one(Picture).pictures == "ascii"
        await soon(known(strip, 5), "the newest is read")
        assert all(line.isascii() for line in rows(strip)[:-1])
        await pilot.press("v", "V")
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen.query_one(Picture).pictures == "off"
        assert not strip.display
        assert "[6]" in screen_text(script_app(pilot))

    on_strip(film(tmp_path / "a.zoom", 6), body)


def test_without_colours_there_are_signs_or_nothing() -> None:
    async def body(pilot: Pilot[str], script: Script, strip: Filmstrip) -> None:
        await pilot.press("V")
        assert pilot.app.screen.query_one(Picture).pictures == "off"
        await pilot.press("V")
        assert pilot.app.screen.query_one(Picture).pictures == "ascii"

    on_strip(view(), body, terminal=PLAIN)
