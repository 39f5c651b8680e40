"""Painting again, branching and choosing takes, by key: what is asked, and what is said before."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from renderer.engine.events import Phase
from renderer.project.project import Project
from renderer.project.records import path_of, read_history
from renderer.project.rewinding import rerolled
from renderer.project.status import read_status
from tests.cli.engines import soon
from tests.engine.runs import project, render
from tests.marks import slower
from tests.tui.scripted import (
    RUNNING,
    STATE,
    Script,
    check_snapshot,
    on_screen,
    settled,
    shown_text,
    view,
)
from zoomtui.tui.monitor.directing import lost_frames
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.monitor.steer_dialog import SteerDialog
from zoomtui.tui.monitor.takes_screen import TakesScreen
from zoomtui.tui.shared.picture import Picture
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.watcher import Watch

COUNT = 5


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> View:
    """A film with three takes of its fourth keyframe; the third is chosen."""
    folder = project(tmp_path_factory.mktemp("reef") / "reef.zoom", keyframes=COUNT, prompt="reef")
    render(folder)
    for prompt in ("cave", "[b]night[/b]"):
        with Project.open(folder) as opened:
            opened.rewind(rerolled(opened.history, 3, {"prompt": prompt}))
        render(folder)
    status = read_status(folder)
    state = replace(
        STATE,
        keyframes=COUNT,
        takes=status.takes,
        frames=status.frames,
        frames_per_keyframe=5,
        prompt=status.prompt,
    )
    return replace(RUNNING, folder=folder, state=state)


def test_what_is_lost_is_counted_in_frames_of_the_film() -> None:
    state = {"keyframes": 8, "frames": 36, "frames_per_keyframe": 5}
    assert [lost_frames(view(**state), keyframe) for keyframe in (1, 2, 7)] == [36, 31, 6]
    assert lost_frames(view(keyframes=8, frames=20, frames_per_keyframe=5), 7) == 0


def test_x_says_what_goes_and_nothing_goes_on_one_key() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "x")
        text = " ".join((await settled(pilot)).split())
        assert "Paint keyframe 127 again?" in text
        assert "Keyframes 127 to 128 are taken back: 30,900 frames" in text
        await pilot.press("enter")  # the first answer leaves all as it is
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert script.asked == []

    on_screen(view(keyframes=128, frames=38_400), body, (80, 24))


@pytest.mark.parametrize(
    ("downs", "asked"),
    [
        (1, ("reroll", {"keyframe": 126, "changes": {}})),
        (3, ("rewind", {"keyframe": 126})),
        (4, ("undo-rewind", {})),
    ],
)
def test_each_answer_asks_for_what_it_says(downs: int, asked: tuple[str, object]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "x", *["down"] * downs, "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [asked]

    on_screen(RUNNING, body)


def test_another_prompt_comes_along(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "x", "down", "down", "enter")
        await soon(lambda: isinstance(pilot.app.screen, SteerDialog), "the prompt is asked for")
        assert "Takes effect at keyframe 4." in await settled(pilot)
        await pilot.press("ctrl+a", "f", "o", "g", "enter")
        await soon(lambda: script.asked, "it is asked for")
        ((command, details),) = script.asked
        assert command == "reroll"
        assert details["keyframe"] == 3
        assert details["changes"]["prompt"].startswith("fog")

    on_screen(reef, body)


def test_the_first_picture_can_not_be_painted_again() -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("x")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(view(keyframes=1, frames=0), body)


def all_there(screen: TakesScreen, count: int) -> bool:
    """So many takes are read, and their pictures painted."""
    sides = screen.sides[:count]
    return all(side.figures and side.query_one(Picture).small for side in sides)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), *slower([(40, 10)])])
def test_takes_lie_side_by_side(reef: View, size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "left_square_bracket")
        screen = pilot.app.screen
        assert isinstance(screen, TakesScreen)
        shown = size[0] // 26
        await soon(lambda: all_there(screen, min(3, shown)), "they are read")
        text = await settled(pilot)
        assert " Keyframe 4   3 takes" in text
        if shown >= 3:
            assert "  take 1 " in text
            assert "▸ take 2 " in text
            assert "  take 3 *" in text
            check_snapshot(f"takes-{size[0]}x{size[1]}", re.sub(r"\d\.\d s", "0.0 s", text))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)

    on_screen(reef, body, size)


def test_a_take_is_chosen_once_it_is_clear_what_goes(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "right_square_bracket")
        await soon(lambda: "▸ take 3 *" in shown_text(pilot), "the one of the film is marked")
        await pilot.press("1")
        await soon(lambda: "▸ take 1 " in shown_text(pilot), "the first is marked")
        await pilot.press("enter")
        text = " ".join((await settled(pilot)).split())
        assert "Keyframes 4 to 5 are taken back: 11 frames" in text
        await pilot.press("escape")
        assert script.asked == []
        await pilot.press("enter", "down", "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("choose", {"keyframe": 3, "take": 1})]

    on_screen(reef, body)


def test_takes_that_are_gone_can_not_be_chosen(reef: View, tmp_path: Path) -> None:
    """As with pictures that were thinned out."""
    folder = shutil.copytree(reef.folder, tmp_path / "thin.zoom")
    first, *others = [path_of(folder, each) for each in read_history(folder).takes(3)]

    async def body(pilot: Pilot[str], script: Script) -> None:
        for path in others:
            path.unlink()
        await pilot.press("left", "right_square_bracket")
        screen = pilot.app.screen
        assert isinstance(screen, TakesScreen)
        await soon(lambda: len(screen._takes.takes) == 1, "the first take is left")
        assert screen.check_action("choose", ()) is True
        first.unlink()
        screen._read()
        await soon(lambda: not screen._takes.takes, "no take is left")
        await pilot.press("enter")
        assert pilot.app.screen is screen
        assert "0 takes" in await settled(pilot)
        assert script.asked == []

    on_screen(replace(reef, folder=folder), body)


def test_another_take_is_asked_for_from_there(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "right_square_bracket")
        await soon(lambda: "▸ take 3 *" in shown_text(pilot), "the one of the film is marked")
        await pilot.press("r", "down", "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("reroll", {"keyframe": 3, "changes": {}})]
        script.asked.clear()
        await pilot.press("enter")  # the take that the film has: nothing to do
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert script.asked == []

    on_screen(reef, body)


def test_what_the_engine_refuses_is_said(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        script.refusal = "the render is just ending: ask again in a moment"
        await pilot.press("left", "x", "down", "enter")
        await soon(lambda: script.refusal in shown_text(pilot), "the refusal is shown")

    on_screen(reef, body)


def test_a_branch_is_made_beside_the_film_and_opened(reef: View) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "b")
        text = " ".join((await settled(pilot)).split())
        assert "reef-2.zoom begins with keyframes 1 to 4 of this film" in text
        await pilot.press("enter")
        new = reef.folder.parent / "reef-2.zoom"
        await soon(new.exists, "the branch is there")
        await soon(lambda: len(pilot.app.screen_stack) > 1, "it is opened")
        await settled(pilot)
        assert [each.take for each in read_history(new).keyframes] == [1, 1, 1, 3]
        assert read_status(new).parent == str(reef.folder)

    on_screen(reef, body)


def test_a_project_at_rest_is_rewound_by_the_viewer_itself(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=4)
    render(folder)

    async def rewind() -> View:
        watch = Watch(folder)
        await watch.revise("rewind", keyframe=2)
        return watch.view

    found = asyncio.run(rewind())
    assert (found.state.keyframes, found.situation) == (2, Situation.OVER)
    assert found.resumable
    assert read_status(folder).keyframes == 2


@pytest.mark.parametrize("size", [(80, 24), *slower([(120, 36)])])
def test_a_keyframe_is_marked_with_a_note(size: tuple[int, int]) -> None:
    marks = ((11, "the castle"), (125, "[red]night[/red]"))

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("left", "m")
        text = await settled(pilot)
        assert "Mark keyframe 127" in text
        assert "    12  the castle" in text
        check_snapshot(f"mark-{size[0]}x{size[1]}", text)
        await pilot.press("q", "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("mark", {"keyframe": 126, "note": "q"})]
        script.asked.clear()
        await pilot.press("left", "m", "escape", "m", "enter")
        assert script.asked == []
        await pilot.press("m", "ctrl+u", "ctrl+k", "enter")
        await soon(lambda: script.asked, "it is asked for")
        assert script.asked == [("mark", {"keyframe": 125, "note": ""})]
        assert "Keyframe 126  ♦ [red]night[/red]" in await settled(pilot)

    on_screen(view(marks=marks), body, size)


def test_all_marks_are_listed_those_nearby_first() -> None:
    marks = tuple((keyframe, f"note {keyframe}") for keyframe in range(0, 120, 4))

    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press("m")
        text = await settled(pilot)
        assert "note 116" in text
        assert "note 12\n" not in text
        await pilot.press("shift+tab", "home")
        text = await settled(pilot)
        assert "     1  note 0" in text
        assert "note 116" not in text

    on_screen(view(marks=marks), body, (80, 24))


def held_at(reef: View, keyframe: int | None, **changes: object) -> View:
    phase = Phase.RENDERING if keyframe is None else Phase.REVIEW
    return replace(reef, state=replace(reef.state, held=keyframe, phase=phase, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), *slower([(120, 36)])])
def test_a_keyframe_that_waits_for_a_decision_shows_its_takes_by_itself(
    reef: View, size: tuple[int, int]
) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        screen = pilot.app.screen
        script.view = held_at(reef, 3, keyframes=4, frames=10)
        await soon(lambda: isinstance(pilot.app.screen, TakesScreen), "the takes are shown")
        await soon(lambda: "▸ take 3 *" in shown_text(pilot), "the newest is marked")
        takes = pilot.app.screen
        assert isinstance(takes, TakesScreen)
        await soon(lambda: all_there(takes, 3), "they are read")
        text = await settled(pilot)
        assert " Keyframe 4   3 takes; Enter takes the marked one" in text
        check_snapshot(f"review-{size[0]}x{size[1]}", re.sub(r"\d\.\d s", "0.0 s", text))
        await pilot.press("enter")
        await soon(lambda: script.asked, "it is taken")
        assert script.asked == [("choose", {"keyframe": 3, "take": 3})]
        script.asked.clear()
        script.view = held_at(reef, None)
        await soon(lambda: "the next one is being painted" in shown_text(pilot), "it goes on")
        script.view = held_at(reef, 4, frames=15)
        await soon(lambda: " Keyframe 5   " in shown_text(pilot), "the next one is shown")
        await soon(lambda: " Keyframe 5   3 takes" in shown_text(pilot), "its takes are there")
        await pilot.press("r")
        await soon(lambda: script.asked, "another one is asked for")
        assert script.asked == [("reroll", {"keyframe": 4, "changes": {}})]
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert "Keyframe 5 waits for your decision." in await settled(pilot)

    on_screen(reef, body, size)
