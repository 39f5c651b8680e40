"""Answers that come while a screen is taken down, its widgets gone and itself still there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from renderer.errors import PainterError
from tests.cli.engines import soon
from tests.cli.processes import PATIENCE
from tests.tui.lists import ListsApp
from tests.tui.scripted import RUNNING, Script
from zoomtui.tui.export import child
from zoomtui.tui.export.child import ExportFailed, Outcome
from zoomtui.tui.export.screen import ExportScreen
from zoomtui.tui.monitor import captioned
from zoomtui.tui.monitor.captioned import Captioned
from zoomtui.tui.monitor.compare_screen import CompareScreen
from zoomtui.tui.monitor.play_screen import PlayScreen
from zoomtui.tui.monitor.player import Frame, Player
from zoomtui.tui.new_render.tryout import Progress, TryOut
from zoomtui.tui.new_render.tryout_view import TryoutView

FRAME = Frame(number=0, frames=90, fps=30.0, width=2, height=2, rgb=bytes(12))
OUTCOME = Outcome(out="reef.mp4", frames=90, seconds=3.0, size="2x2", copies=True, notes=())


class Late:
    """An answer that comes when the test says so."""

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self.asked = False
        self.due = threading.Event()

    def blocking(self, *_asked: Any) -> Any:
        self.asked = True
        assert self.due.wait(PATIENCE)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def awaited(self, *_asked: Any) -> Any:
        return await asyncio.to_thread(self.blocking)


class Staying(Static):
    """The last of its parent's widgets to go, and its parent with it."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = asyncio.Event()

    async def on_unmount(self) -> None:
        await self.may_go.wait()


def comes_late(
    late: Late,
    make: Callable[[], Screen[Any]],
    asker: Callable[[Screen[Any]], Widget] = lambda screen: screen,
) -> None:
    """Close the screen, and have the answer come to its ``asker`` when that one's widgets are
    gone. Nothing comes of it, and the interface stands."""

    async def run() -> None:
        app = ListsApp(Screen)
        async with app.run_test(size=(80, 24)) as pilot:
            screen = make()
            await app.push_screen(screen)
            await soon(lambda: late.asked, "it is asked")
            parent, staying = asker(screen), Staying()
            await parent.mount(staying)
            closing = screen.dismiss()
            await soon(lambda: [*parent.children] == [staying], "the others are gone")
            late.due.set()
            await soon(lambda: not any(each.is_running for each in app.workers), "it came")
            staying.may_go.set()
            await closing
            await pilot.pause()
            assert app.screen_stack == [app.screen]
            assert app.said == ""

    asyncio.run(run())


def test_what_a_keyframes_file_says_of_its_making(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Late((("seam 1.00", ""),))
    monkeypatch.setattr(captioned, "read_figures", late.blocking)
    comes_late(
        late,
        lambda: CompareScreen(Script(RUNNING), 3, None),
        lambda screen: screen.query(Captioned).first(),
    )


def test_a_frame_that_was_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = Late(FRAME)
    monkeypatch.setattr(Player, "_ask", late.blocking)
    comes_late(late, lambda: PlayScreen(Player(tmp_path), "reef", None))


@pytest.mark.parametrize("answer", [OUTCOME, ExportFailed("no film yet")])
def test_what_an_export_would_come_to(
    answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Late(answer)
    monkeypatch.setattr(child, "forecast", late.awaited)
    comes_late(late, lambda: ExportScreen(tmp_path))


@pytest.mark.parametrize("answer", [Progress("painting"), PainterError("no memory"), None])
def test_what_a_try_out_has_come_to(answer: object) -> None:
    late = Late(answer)

    class Trying(TryOut):
        async def run(self) -> AsyncGenerator[Progress, None]:
            told = await late.awaited()
            if told is not None:
                yield told

    class Tried(Screen[None]):
        def compose(self) -> ComposeResult:
            yield TryoutView("trial")

        def on_mount(self) -> None:
            self.query_one(TryoutView).begin(Trying(lambda *_: None))

    comes_late(late, Tried, lambda screen: screen.query_one(TryoutView))
