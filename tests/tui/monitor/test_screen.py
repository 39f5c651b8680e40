"""The live monitor on a script: what it shows, and what its keys do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual import events
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets._toast import Toast

from renderer.engine.events import Phase
from tests.cli.engines import soon
from tests.marks import first_of, slower
from tests.tui.scripted import (
    HOSTILE,
    RUNNING,
    VIEWS,
    Script,
    check_snapshot,
    on_screen,
    scripted,
    settled,
    shown_text,
    view,
)
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.export.screen import ExportScreen
from zoomtui.tui.monitor.filmstrip import Filmstrip
from zoomtui.tui.monitor.full_picture import ViewScreen
from zoomtui.tui.monitor.log_screen import LogScreen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.monitor.steer_dialog import SteerDialog
from zoomtui.tui.new_render.screen import NewScreen
from zoomtui.tui.renders.screen import RendersScreen
from zoomtui.tui.shared.help import HelpScreen
from zoomtui.viewing.view import Situation, View


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log's times of day are those of the snapshots."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


SIZES = [(80, 24), (120, 36), (200, 60)]


async def shows(pilot: Pilot[str], text: str) -> None:
    """Wait until it is on the screen."""
    await soon(lambda: text in shown_text(pilot), f"{text!r} is shown")


def look(shown: View, size: tuple[int, int], *keys: str, terminal: Terminal | None = None) -> str:
    """What is on the screen after some keys."""

    async def run() -> str:
        app, _ = scripted(shown, terminal) if terminal else scripted(shown)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.press(*keys)
            return await settled(pilot)

    return asyncio.run(run())


@pytest.mark.parametrize("size", first_of(SIZES), ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", VIEWS)
def test_snapshot_of_the_monitor(name: str, size: tuple[int, int]) -> None:
    check_snapshot(f"monitor-{name}-{size[0]}x{size[1]}", look(VIEWS[name], size))


@pytest.mark.parametrize("size", first_of(SIZES), ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize(
    ("name", "keys"), [("prompt", "p"), ("stop", "s"), ("help", "?"), ("log", "l"), ("view", "v")]
)
def test_snapshot_of_each_screen_on_top(name: str, keys: str, size: tuple[int, int]) -> None:
    check_snapshot(f"{name}-{size[0]}x{size[1]}", look(RUNNING, size, keys))


def test_snapshot_in_ascii() -> None:
    terminal = Terminal("test", "none", "ascii")
    shown = look(VIEWS["steered"], (100, 34), terminal=terminal)
    assert shown.isascii()
    check_snapshot("monitor-ascii-100x34", shown)


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (59, 15), (79, 15), (60, 40)])
def test_a_small_terminal_shows_less_and_never_a_wall(size: tuple[int, int]) -> None:
    shown = look(RUNNING, size)
    assert "aurora" in shown
    assert "17/24" in shown or size[1] < 8


@pytest.mark.slow
def test_the_screen_follows_the_size_of_the_terminal() -> None:
    expected = {size: look(RUNNING, size) for size in SIZES}

    async def body(pilot: Pilot[str], script: Script) -> None:
        for size in (*SIZES, *reversed(SIZES)):
            await pilot.resize_terminal(*size)
            assert await settled(pilot) == expected[size]

    on_screen(RUNNING, body, (200, 60))


def test_what_happens_is_shown_by_the_next_tick() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.view = view(step=24, keyframes=129)
        await settled(pilot)
        assert "24/24" in shown_text(pilot)
        assert "[129]" in shown_text(pilot)

    on_screen(RUNNING, body)


def test_space_pauses_and_goes_on() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("space")
        script.view = view(phase=Phase.PAUSED)
        await settled(pilot)
        assert "space go on" in shown_text(pilot)
        await pilot.press("space")
        assert [asked for asked, _ in script.asked] == ["pause", "unpause"]

    on_screen(RUNNING, body)


def test_undo_is_offered_only_while_something_is_queued() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("u")
        assert script.asked == []
        script.view = VIEWS["steered"]
        await settled(pilot)
        assert "u undo" in shown_text(pilot)
        await pilot.press("u")
        assert script.asked == [("undo", {})]

    on_screen(RUNNING, body)


@pytest.mark.parametrize("name", ["finished", "lost", *slower(["stopped", "failed", "looking"])])
def test_keys_that_mean_nothing_now_do_nothing(name: str) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("space", "p", "s", "u")
        assert script.asked == []
        assert isinstance(pilot.app.screen, MonitorScreen)
        for word in ("pause", "prompt", "stop…"):
            assert f" {word} " not in shown_text(pilot).splitlines()[-1]

    on_screen(VIEWS[name], body)


def test_a_refusal_is_shown_as_plain_text() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.refusal = "no: [red]x[/red] \x1b[2J"
        await pilot.press("space")
        await shows(pilot, "no: [red]x[/red] \\x1b[2J")

    on_screen(RUNNING, body)


@pytest.mark.parametrize("size", first_of(SIZES))
@pytest.mark.parametrize("prompt", [*HOSTILE[:3], *slower(HOSTILE[3:])])
def test_hostile_text_harms_nothing(prompt: str, size: tuple[int, int]) -> None:
    log = tuple(replace(line, text=prompt) for line in RUNNING.state.log)
    shown = look(view(prompt=prompt, next_changes={"prompt": prompt}, log=log), size)
    assert not any(ord(c) < 32 and c != "\n" for c in shown)
    assert "\u202e" not in shown
    if prompt.isascii() and prompt.isprintable():
        assert prompt[:60] in shown
    assert "RENDERING" in shown


def test_the_arrow_keys_walk_through_keyframes_and_end_follows_again() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "left", "left")
        await pilot.pause()
        assert "[125]" in shown_text(pilot)
        assert "Keyframe 125 " in shown_text(pilot)
        script.view = view(keyframes=130)
        await settled(pilot)
        assert "[125]" in shown_text(pilot)
        await pilot.press("right", "pageup", "home")
        await pilot.pause()
        assert "[1]" in shown_text(pilot)
        await pilot.press("end")
        await pilot.pause()
        assert "[130]" in shown_text(pilot)
        await pilot.press("left", "right")
        script.view = view(keyframes=131)
        await settled(pilot)
        assert "[131]" in shown_text(pilot)

    on_screen(RUNNING, body)


@pytest.mark.parametrize(
    ("key", "screen"), [("question_mark", HelpScreen), ("l", LogScreen), ("v", ViewScreen)]
)
def test_every_other_screen_is_one_key_away_and_comes_back(key: str, screen: type) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        for back in ("escape", "q"):
            await pilot.press(key)
            assert isinstance(pilot.app.screen, screen)
            await pilot.press(back)
            assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(RUNNING, body)


def test_the_log_turns_to_the_file_and_back(tmp_path: object) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("l")
        await pilot.pause()
        assert "keyframe 128 painted" in shown_text(pilot)
        await pilot.press("f")
        await pilot.pause()
        assert "render.log" in shown_text(pilot)
        assert "keyframe 128 painted" not in shown_text(pilot)

    on_screen(RUNNING, body)


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
def test_the_palette_knows_what_can_be_done_now(key: str) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press(key)
        await soon(lambda: isinstance(pilot.app.screen, CommandPalette), "it opens")
        await pilot.press(*"paus")
        await shows(pilot, "Pause                     space")
        await pilot.press("enter")
        await soon(lambda: script.asked, "it is asked")
        assert [asked for asked, _ in script.asked] == ["pause"]

    on_screen(RUNNING, body)


@pytest.mark.parametrize("key", ["d", "q", "ctrl+q"])
def test_leaving_the_first_screen_detaches_and_says_how_to_come_back(key: str) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert "zoomtui attach" in str(pilot.app.return_value)
        assert script.asked == []

    on_screen(RUNNING, body)


def test_escape_closes_what_is_open_and_never_the_interface() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        for key in ("question_mark", "l", "v", "s", "p"):
            await pilot.press(key, "escape", "escape", "escape")
            assert isinstance(pilot.app.screen, MonitorScreen)
        assert pilot.app.return_value is None
        assert pilot.app.is_running
        assert script.asked == []

    on_screen(RUNNING, body)


def test_back_from_a_monitor_on_top_of_another_screen_returns_there() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        first = pilot.app.screen
        assert isinstance(pilot.app, ZoomApp)
        pilot.app.push_screen(MonitorScreen(RUNNING.folder, Script(RUNNING)))
        await pilot.pause()
        assert pilot.app.screen is not first
        await pilot.press("q")
        assert pilot.app.screen is first

    on_screen(RUNNING, body)


def test_ctrl_c_ends_nothing() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("ctrl+c")
        await shows(pilot, "d detaches")
        assert pilot.app.is_running
        assert script.asked == []

    on_screen(RUNNING, body)


def test_keys_of_the_first_moment_count_for_nothing() -> None:
    async def run() -> None:
        app, script = scripted(RUNNING)
        app._deaf_until += 1000
        async with app.run_test() as pilot:
            await pilot.press("space", "d", "s", "enter")
            assert script.asked == []
            assert app.is_running

    asyncio.run(run())


@pytest.mark.parametrize(
    "owner", [ZoomApp, MonitorScreen, ViewScreen, LogScreen, RendersScreen, NewScreen, ExportScreen]
)
def test_every_key_that_is_shown_has_its_line_on_the_help_page(owner: type) -> None:
    classes = [each for each in owner.__mro__ if each.__module__.startswith("zoomtui.")]
    bindings = [each for one in classes for each in vars(one).get("BINDINGS", ())]
    assert bindings
    assert not [binding.key for binding in bindings if binding.show and not binding.tooltip]


def test_the_end_of_a_render_is_shown_without_asking_anything() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.view = view(Situation.OVER, finished=True)
        await settled(pilot)
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert "✔ FINISHED" in shown_text(pilot)

    on_screen(RUNNING, body)


OPENED = {"#log": LogScreen, "#picture": ViewScreen, "#prompt": SteerDialog}


@pytest.mark.parametrize("where", first_of(OPENED))
def test_a_click_opens_what_is_clicked_on(where: str) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.click(where)
        await soon(lambda: isinstance(pilot.app.screen, OPENED[where]), "it is open")
        assert script.asked == []

    on_screen(RUNNING, body, (120, 36))


def test_a_click_on_the_full_picture_closes_it() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("v")
        await pilot.click("#picture")
        await soon(lambda: isinstance(pilot.app.screen, MonitorScreen), "it is closed")

    on_screen(RUNNING, body)


def test_the_filmstrip_is_clicked_and_the_wheel_walks() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, MonitorScreen)
        strip = screen.query_one(Filmstrip)
        numbers = strip.render_line(strip.size.height - 1).text
        await pilot.click(strip, offset=(numbers.index("126") + 1, 1))
        assert screen.cursor.shown(128) == 125
        assert "[126]" in await settled(pilot)
        for _ in range(2):
            roll(strip, events.MouseScrollUp)
        await soon(lambda: screen.cursor.shown(128) == 123, "two older")
        roll(strip, events.MouseScrollDown)
        await soon(lambda: screen.cursor.shown(128) == 124, "one newer")
        await pilot.click(strip, offset=(numbers.index("128") + 1, 1))
        assert screen.cursor.following

    on_screen(RUNNING, body, (200, 60))


def test_the_wheel_over_what_the_window_no_longer_has_walks_nowhere() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, MonitorScreen)
        screen._roll(events.MouseScrollUp(None, 150, 50, 0, 0, 0, False, False, False, 150, 50))
        await settled(pilot)
        assert screen.cursor.following

    on_screen(RUNNING, body, (80, 24))


def roll(over: Widget, kind: type[events.MouseEvent]) -> None:
    """One notch of the wheel, as a terminal reports it."""
    x, y = over.region.x + 1, over.region.y + 1
    over.app.post_message(kind(None, x, y, 0, 0, 0, False, False, False, x, y))


@pytest.mark.parametrize("size", first_of([(80, 24), (120, 36)]))
def test_a_notice_leaves_the_newest_log_lines_to_be_seen(size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        assert isinstance(pilot.app, ZoomApp)
        pilot.app.say("something to be told, of some length, that goes away by itself")
        await shows(pilot, "something to be told")
        shown = pilot.app.screen.query_one(Toast).region
        assert shown.area
        for below in ("#log", "#prompt", "#headline"):
            assert not shown.overlaps(pilot.app.screen.query_one(below).region)

    on_screen(RUNNING, body, size)


@pytest.mark.parametrize(
    "keys", [("colon",), *slower([("p",), ("s",), ("question_mark",), ("e",), ("l",)])]
)
def test_every_screen_above_the_monitor_is_ascii_where_that_is_asked(keys: tuple[str, ...]) -> None:
    shown = look(RUNNING, (80, 24), *keys, terminal=Terminal("test", "none", "ascii"))
    assert shown.isascii(), {sign for sign in shown if not sign.isascii()}


@pytest.mark.parametrize("size", first_of(SIZES), ids=lambda s: f"{s[0]}x{s[1]}")
def test_snapshot_of_the_palette(size: tuple[int, int]) -> None:
    shown = []

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("colon")
        await soon(lambda: isinstance(pilot.app.screen, CommandPalette), "it opens")
        await shows(pilot, "Detach                    d")
        shown.append(await settled(pilot))

    on_screen(RUNNING, body, size)
    check_snapshot(f"palette-{size[0]}x{size[1]}", shown[0])
