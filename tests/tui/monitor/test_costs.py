"""What watching costs: bytes to the terminal, memory, and nothing at all while nothing happens."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from renderer.engine.events import KeyframeReady, KeyframeStarted, Metered, SegmentWritten, StepDone
from renderer.engine.state import apply
from tests.cli.engines import OnMonitor, engine, make_project
from tests.tui.scripted import NOW, RUNNING, scripted, settled
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.shared.text_widgets import OneLine
from zoomtui.viewing.view import View


def after(view: View, number: int) -> View:
    """The view once one more keyframe, with all that belongs to it, has come."""
    state = view.state
    for event in (
        KeyframeStarted(number, f"prompt {number}"),
        StepDone(number, 12, 24),
        KeyframeReady(
            keyframe=number,
            seed=number,
            prompt=f"prompt {number}",
            queued=1,
            seconds=0.5 + number % 7,
            seam=1.01,
            drift=0.3,
        ),
        SegmentWritten(number, 60, number * 60, number * 2.0, number * 10**6, 0.4, 1),
        Metered({**(state.meters or {}), "gpu_percent": float(number % 100)}),
    ):
        state = apply(state, event, NOW + number)
    return replace(view, state=state, history=(*view.history, float(number % 100))[-48:])


@pytest.mark.soak
def test_memory_stays_flat_over_ten_thousand_events() -> None:
    async def run() -> None:
        app, script = scripted(RUNNING)
        async with app.run_test(size=(120, 36)) as pilot:
            sizes = []
            tracemalloc.start()
            for number in range(129, 129 + 2000):
                script.view = after(script.view, number)
                if number % 16 == 0:
                    screen = app.screen
                    assert isinstance(screen, MonitorScreen)
                    screen._tick()
                    await pilot.pause()
                if number % 500 == 0:
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            assert sizes[-1] - sizes[1] < 512 * 1024, sizes  # until then Textual fills its caches

    asyncio.run(run())


def test_what_has_not_changed_is_not_painted() -> None:
    async def run() -> None:
        app, script = scripted(RUNNING)
        async with app.run_test(size=(120, 36)) as pilot:
            await settled(pilot)
            painted: list[OneLine] = []
            for line in app.screen.query(OneLine):
                line.update = _noting(painted, line)  # type: ignore[method-assign]
            await pilot.pause(1.0)
            assert painted == []
            script.view = replace(RUNNING, state=replace(RUNNING.state, step=20))
            await settled(pilot)
            assert len(painted) == 1  # the step's own line

    asyncio.run(run())


def test_one_clock_paints_and_it_keeps_to_the_rate() -> None:
    async def run() -> None:
        app, _ = scripted(RUNNING)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, MonitorScreen)
            clocks = [each for each in screen._timers if each._callback == screen._tick]
            assert len(clocks) == 1
            assert clocks[0]._interval == app.interval

    asyncio.run(run())


def _noting(painted: list[OneLine], line: OneLine) -> object:
    def update(*content: object, **options: object) -> None:
        painted.append(line)

    return update


@pytest.mark.slow
def test_a_finished_project_comes_to_cost_no_bytes(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder):
        pass
    with OnMonitor(folder) as monitor:
        monitor.until("STOPPED")
        monitor.falls_silent(3.0)
