"""Looking at the keyframe in the making: asked for while it takes long, shown, and gone with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from renderer.engine.events import Phase
from renderer.engine.preview import Preview
from tests.cli.engines import OnMonitor, engine, make_project, soon
from tests.tui.scripted import Body, Script, figures, screen_text, scripted, shown_text, view
from tests.tui.watching import watching
from zoomtui.tui.monitor import keyframe_screen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.viewing.view import SOON, Situation, View

PREVIEW = Preview(128, 17, 24, 16, 9, bytes([200, 40, 40]) * (16 * 9))
SLOW = view(figures=figures(60.0, 60.0))
A_WHILE = 10.0
"""Seconds; longer than any picture stays."""


class Clock:
    """Time goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self) -> None:
        self.now += A_WHILE


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the screens go by."""
    clock = Clock()
    monkeypatch.setattr(keyframe_screen, "monotonic", clock)
    return clock


def on_monitor(shown: View, body: Body, size: tuple[int, int] = (120, 36)) -> None:
    async def run() -> None:
        app, script = scripted(shown)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await body(pilot, script)

    asyncio.run(run())


async def tick(pilot: Pilot[str]) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, MonitorScreen)
    for _ in range(2):
        screen._painted = None
        screen._tick()
        await pilot.pause()


def source(pilot: Pilot[str]) -> object:
    """What the picture shows: a path, or the colour of the first pixel."""
    screen = pilot.app.screen
    assert isinstance(screen, MonitorScreen)
    shown = screen._picture._source
    return None if shown is None else shown.path or tuple(shown.rgb[:3])


# ----------------------------------------------------------------------------------- when to ask


def test_only_a_keyframe_that_takes_long_is_worth_a_look() -> None:
    assert SLOW.worth_a_look
    nearly = 24 * (1 - SOON / 60) + 0.1
    assert not view(figures=figures(60.0), step=nearly).worth_a_look
    assert not view(figures=figures(2.0)).worth_a_look
    assert view(figures=figures()).worth_a_look  # there is no telling how long the first takes
    assert not view(figures=figures(60.0), phase=Phase.PAUSED).worth_a_look
    assert not view(figures=figures(60.0), painting=None).worth_a_look
    assert not view(figures=figures(60.0), steps=0).worth_a_look
    assert not replace(SLOW, situation=Situation.LOST).worth_a_look


def test_a_look_is_asked_for_once_the_newest_keyframe_was_seen_for_a_while(clock: Clock) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await tick(pilot)
        assert script.looked == 0
        clock.go_on()
        await tick(pilot)
        assert script.looked > 0

    on_monitor(SLOW, body)


@pytest.mark.parametrize("keys", [("left",), ("V", "V")], ids=["walking", "no pictures"])
def test_nobody_asks_who_would_not_see_it(clock: Clock, keys: tuple[str, ...]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        await pilot.press(*keys)
        screen = pilot.app.screen
        assert isinstance(screen, MonitorScreen)
        assert not screen.cursor.following or screen._picture.pictures == "off"
        script.looked = 0
        clock.go_on()
        await tick(pilot)
        assert script.looked == 0

    on_monitor(SLOW, body)


# ------------------------------------------------------------------------------------ what is seen


def test_a_look_is_shown_in_place_of_the_newest_keyframe_and_says_so(clock: Clock) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        clock.go_on()
        script.view = replace(SLOW, preview=PREVIEW)
        await tick(pilot)
        assert source(pilot) == (200, 40, 40)
        assert "Keyframe 129  unfinished, step 17 of 24" in shown_text(pilot)
        assert "[128]" in shown_text(pilot)

    on_monitor(SLOW, body)


def test_the_keyframe_itself_follows_its_preview(clock: Clock) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        clock.go_on()
        script.view = replace(SLOW, preview=PREVIEW)
        await tick(pilot)
        script.view = view(keyframes=129, painting=129, figures=figures(60.0))
        await tick(pilot)
        assert str(source(pilot)).endswith("000128.png")
        assert "unfinished" not in shown_text(pilot)

    on_monitor(SLOW, body)


def test_a_preview_of_which_nothing_came_gives_way_to_the_newest_keyframe(clock: Clock) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        clock.go_on()
        script.view = replace(SLOW, preview=PREVIEW)
        await tick(pilot)
        script.view = view(Situation.OVER, finished=True, stopped=True, painting=None)
        await tick(pilot)
        assert str(source(pilot)).endswith("000127.png")
        assert "unfinished" not in shown_text(pilot)

    on_monitor(SLOW, body)


def test_whoever_walks_sees_keyframes_only(clock: Clock) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        clock.go_on()
        script.view = replace(SLOW, preview=PREVIEW)
        await tick(pilot)
        await pilot.press("left")
        await tick(pilot)
        assert str(source(pilot)).endswith("000126.png")
        assert "Keyframe 127" in shown_text(pilot)

    on_monitor(SLOW, body)


def test_the_very_first_keyframe_is_looked_at_without_waiting() -> None:
    first = view(keyframes=0, painting=0, figures=figures())

    async def body(pilot: Pilot[str], script: Script) -> None:
        await tick(pilot)
        assert script.looked > 0
        script.view = replace(first, preview=replace(PREVIEW, keyframe=0))
        await tick(pilot)
        assert source(pilot) == (200, 40, 40)
        assert "Keyframe 1  unfinished, step 17 of 24" in shown_text(pilot)

    on_monitor(first, body, (80, 24))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_a_preview_of_any_shape_fits_any_terminal(clock: Clock, size: tuple[int, int]) -> None:
    async def body(pilot: Pilot[str], script: Script) -> None:
        for width, height in ((1, 1), (96, 1), (1, 96), (256, 256)):
            clock.go_on()
            shape = replace(PREVIEW, width=width, height=height, rgb=bytes(3 * width * height))
            script.view = replace(SLOW, preview=shape)
            await tick(pilot)
            assert source(pilot) == (0, 0, 0)
        assert "RENDERING" in screen_text(pilot.app)  # type: ignore[arg-type]

    on_monitor(SLOW, body, size)


# --------------------------------------------------------------------------------- on real engines


def test_a_watch_gets_what_the_painter_shows_and_misses_nothing_meanwhile(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)

    async def watch_it() -> None:
        async with watching(folder) as watch, watching(folder) as other:
            await soon(lambda: watch.view.state.keyframes == 2, "two keyframes")
            await soon(lambda: watch.view.state.step > 1, "steps")
            watch.look()
            watch.look()
            step = watch.view.state.step
            await soon(lambda: watch.view.preview, "a preview")
            preview = watch.view.preview
            assert preview is not None
            assert (preview.keyframe, preview.width, preview.height) == (2, 72, 72)
            assert preview.step >= step
            await soon(lambda: watch.view.state.step > step + 20, "steps go on")
            assert other.view.preview is None
            await watch.ask("stop")
            await soon(lambda: watch.view.situation is Situation.OVER, "over")
            assert watch.view.preview is None

    with engine(folder):
        asyncio.run(watch_it())


def test_waiting_for_a_preview_loses_no_event(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "deaf", 2)

    async def watch_it() -> None:
        async with watching(folder) as watch:
            await soon(lambda: watch.view.state.keyframes == 2, "two keyframes")
            watch.look()
            async with watching(folder):
                await soon(lambda: watch.view.state.viewers == 2, "another viewer")
            await soon(lambda: watch.view.state.viewers == 1, "it has gone")

    with engine(folder):
        asyncio.run(watch_it())


@pytest.mark.slow
def test_on_a_terminal_the_keyframe_in_the_making_appears(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 0)
    with engine(folder), OnMonitor(folder) as monitor:
        monitor.until("unfinished, step")
        assert monitor.drain(3.0) < 3 * 20 * 1024
