"""The dialogs by keyboard alone: Enter says yes, Esc takes it back, text goes through unharmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from renderer.planning.defaults import fill_in
from renderer.project.create import create_project
from tests.cli.engines import soon
from tests.engine.runs import steer
from tests.marks import first_of, slower
from tests.tui.scripted import (
    HOSTILE,
    RUNNING,
    VIEWS,
    Script,
    asks,
    check_snapshot,
    on_screen,
    screen_text,
    settled,
    view,
)
from zoomtui.tui.monitor.steer_dialog import PromptArea, SteerDialog
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.form_widget import Form
from zoomtui.viewing.view import Situation


def test_stopping_takes_two_keys_and_by_default_finishes_the_segment() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("s")
        assert asks(pilot.app, "Stop the render?")
        assert script.asked == []
        await pilot.press("enter")
        assert script.asked == [("stop", {"now": False})]

    on_screen(RUNNING, body)


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (("s", "down", "enter"), [("stop", {"now": True})]),
        (("s", "down", "down", "enter"), []),
        (("s", "escape"), []),
        (("s", "q"), []),
    ],
)
def test_every_answer_to_stop_can_be_reached(
    keys: tuple[str, ...], asked: list[tuple[str, object]]
) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press(*keys)
        assert script.asked == asked
        assert not asks(pilot.app, "Stop the render?")

    on_screen(RUNNING, body)


def test_a_text_from_outside_is_shown_harmlessly() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        text = "/films/\x1b[2J\x9b2J\U0010eeed.zoom\n\nOnly the entry goes."
        pilot.app.push_screen(ChoiceDialog("Forget this render?", text, {"": "Keep it"}))
        shown = await settled(pilot)
        assert "/films/\\x1b[2J\\x9b2J\\U0010eeed.zoom" in shown
        assert "Only the entry goes." in shown

    on_screen(RUNNING, body)


def test_the_chosen_answer_is_marked_by_a_sign() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("s", "down")
        await pilot.pause()
        shown = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "> Stop now" in shown
        assert "> Stop after" not in shown

    on_screen(RUNNING, body)


def test_a_prompt_is_typed_and_sent() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        await pilot.press("ctrl+a", "ctrl+k")
        assert "at keyframe 130" in screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.press(*"a ?:q", "ctrl+j", *"reef", "enter")
        assert script.asked == [("steer", {"changes": {"prompt": "a ?:q\nreef"}})]

    on_screen(view(prompt=""), body)


def test_a_prompt_that_is_left_as_it_is_sends_nothing() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p", "enter")
        await pilot.press("p", "x", "escape")
        assert script.asked == []

    on_screen(RUNNING, body)


def test_the_queued_prompt_is_the_one_to_go_on_with() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        assert pilot.app.screen.query_one(PromptArea).text == "coral reef library, soft fog"

    on_screen(VIEWS["steered"], body)


@pytest.mark.parametrize("prompt", [*HOSTILE[:3], *slower(HOSTILE[3:])])
@pytest.mark.parametrize("size", first_of([(80, 24), (120, 36)]))
def test_a_hostile_prompt_is_pasted_shown_and_sent_exactly(
    prompt: str, size: tuple[int, int]
) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        assert isinstance(pilot.app.screen, SteerDialog)
        pilot.app.post_message(events.Paste(prompt))
        await pilot.pause()
        shown = screen_text(pilot.app)  # type: ignore[arg-type]
        assert not any(ord(c) < 32 and c != "\n" for c in shown)
        await pilot.press("enter")
        assert script.asked == [("steer", {"changes": {"prompt": prompt}})]

    on_screen(view(prompt=""), body, size)


def test_a_lost_engine_is_offered_to_be_resumed_and_enter_does_it() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.view = view(Situation.CONNECTING)  # until the kernel has let go of the lock
        await settled(pilot)
        script.view = view(Situation.LOST)
        await soon(lambda: asks(pilot.app, "Go on rendering?"), "the dialog opens")
        assert "128 keyframes" in await settled(pilot)
        await pilot.press("enter")
        assert script.resumed == 1

    on_screen(RUNNING, body)


def test_going_on_with_a_failed_render_says_first_why_it_failed() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("r")
        assert "choose a smaller --size" in await settled(pilot)
        await pilot.press("enter")
        assert script.resumed == 1

    on_screen(VIEWS["failed"], body)


def test_not_now_leaves_the_offer_on_a_key() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.view = view(Situation.LOST)
        await soon(lambda: asks(pilot.app, "Go on rendering?"), "the dialog opens")
        await pilot.press("escape")
        assert script.resumed == 0
        assert "ENGINE LOST" in screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.press("r", "enter")
        assert script.resumed == 1

    on_screen(RUNNING, body)


@pytest.fixture
def reef(tmp_path: Path) -> Path:
    """A project of the diffusion painter, with steps steered from its third keyframe on."""
    folder = tmp_path / "reef.zoom"
    create_project(folder, fill_in({"prompt": "a reef", "model": "sd2", "seed": 5}).settings)
    steer(folder, steps=30)
    return folder


def test_other_settings_stand_below_the_prompt_and_go_along_with_it(reef: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        await soon(lambda: pilot.app.screen.query("#field-steps"), "the settings are read")
        text = await settled(pilot)
        assert "Steps          30" in text
        assert "Guidance       7.5" in text
        await pilot.press(*"!", "tab")
        pilot.app.screen.query_one(Form).choose("steps")
        await pilot.pause()
        await pilot.press(*"4", *"4", "tab", *"5", "ctrl+s")
        wanted = {"prompt": "a reef!", "steps": 44, "guidance_scale": 5.0}
        assert script.asked == [("steer", {"changes": wanted})]

    on_screen(replace(view(prompt="a reef"), folder=reef), body)


@pytest.mark.slow
def test_what_is_wrong_with_a_setting_is_said_there_and_sends_nothing(reef: Path) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        await soon(lambda: pilot.app.screen.query("#field-steps"), "the settings are read")
        pilot.app.screen.query_one(Form).put({"steps": "0", "strength": "2"})
        await pilot.press("ctrl+s")
        assert "Steps must be at least 1" in await settled(pilot)
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "field-steps"
        assert script.asked == []
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, SteerDialog)

    on_screen(replace(view(prompt="a reef"), folder=reef), body, (80, 24))


@pytest.mark.parametrize("size", [(80, 24), *slower([(120, 36)])])
def test_the_settings_are_as_they_were_looked_at(reef: Path, size: tuple[int, int]) -> None:
    shown = []

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("p")
        await soon(lambda: pilot.app.screen.query("#field-steps"), "the settings are read")
        pilot.app.screen.query_one(Form).choose("steps")
        shown.append(await settled(pilot))

    on_screen(replace(view(prompt="a reef"), folder=reef), body, size)
    check_snapshot(f"steer-{size[0]}x{size[1]}", shown[0])
