"""Keys that come in one go, as over a slow line, do what they do with pauses between them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from tests.cli.engines import soon
from tests.tui.lists import looked, on_renders, renders
from tests.tui.scans import SCAN
from tests.tui.scripted import RUNNING, Script, asks, on_screen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.new_render.screen import NewScreen
from zoomtui.tui.renders.screen import RendersScreen
from zoomtui.tui.shared.dialogs import ChoiceDialog

SLOW = pytest.mark.slow


def in_one_go(pilot: Pilot[str], *keys: str) -> None:
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def handled(pilot: Pilot[str], screen: type[Screen[Any]]) -> None:
    """Until the keys have come, there is nothing left to handle, and ``screen`` is on top."""
    come = asyncio.Event()
    pilot.app.call_later(come.set)
    await come.wait()
    await soon(lambda: not pilot.app._keys._typed, "all keys are handled")  # type: ignore[attr-defined]
    await soon(lambda: isinstance(pilot.app.screen, screen), f"{screen.__name__} is on top")
    await pilot.pause()


@pytest.mark.parametrize(
    ("keys", "screen"),
    [
        (("question_mark", "escape", "n"), NewScreen),
        (("e", "escape", "end", "x"), ChoiceDialog),
        pytest.param(("n", "escape", "x"), RendersScreen, marks=pytest.mark.slow),
        pytest.param(
            ("end", "x", "enter", "enter", "home", "n"), NewScreen, marks=pytest.mark.slow
        ),
        pytest.param(("end", "x", "q", "n"), NewScreen, marks=pytest.mark.slow),
    ],
)
def test_a_key_goes_to_the_screen_that_the_key_before_it_left(
    keys: tuple[str, ...], screen: type[Screen[Any]]
) -> None:
    async def run() -> None:
        app = on_renders(Path("/nowhere"), SCAN)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            in_one_go(pilot, *keys)
            await handled(pilot, screen)
            assert screen is not ChoiceDialog or asks(app, "Forget this render?")
            assert app.return_code is None

    asyncio.run(run())


def test_letters_after_the_key_that_opens_the_filter_are_the_filters() -> None:
    async def run() -> None:
        app = on_renders(Path("/nowhere"), SCAN)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            in_one_go(pilot, "slash", *"ink", "enter", "enter")
            await handled(pilot, RendersScreen)
            assert [folder.stem for folder in app.opened] == ["ink-dragons"]
            assert renders(pilot)._wanted == "ink"

    asyncio.run(run())


def test_a_prompt_is_sent_whole() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        in_one_go(pilot, "p", "ctrl+u", *"reef", "enter", "s")
        await handled(pilot, ChoiceDialog)
        assert asks(pilot.app, "Stop the render?")
        assert script.asked == [("steer", {"changes": {"prompt": "reef"}})]

    on_screen(RUNNING, body)


def test_a_second_enter_answers_no_second_question() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        in_one_go(pilot, "s", "enter", "enter", "enter")
        await handled(pilot, MonitorScreen)
        assert script.asked == [("stop", {"now": False})]

    on_screen(RUNNING, body)


def test_keys_after_the_one_that_leaves_are_lost() -> None:
    scripts: list[Script] = []

    async def body(pilot: Pilot[str], script: Script) -> None:
        scripts.append(script)
        in_one_go(pilot, "q", "s", "enter", "question_mark")

    on_screen(RUNNING, body)
    assert scripts[0].asked == []


def test_a_key_that_comes_while_the_screens_are_closed_is_lost() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        app = pilot.app
        screens = list(app._screen_stack)
        app._screen_stack.clear()
        key = events.Key("enter", None)
        key._set_forwarded()
        await app.on_event(key)
        app._screen_stack.extend(screens)

    on_screen(RUNNING, body)


def test_a_dialog_that_is_closed_closes_nothing_else() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("s")
        dialog = pilot.app.screen
        assert isinstance(dialog, ChoiceDialog)
        assert asks(pilot.app, "Stop the render?")
        dialog.dismiss("after")
        dialog.dismiss("after")
        await handled(pilot, MonitorScreen)
        assert script.asked == [("stop", {"now": False})]

    on_screen(RUNNING, body)
