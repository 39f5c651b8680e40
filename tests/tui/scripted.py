"""The interface with a script in place of an engine: given views, a clock that stands still."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from renderer.engine.events import Phase
from renderer.engine.state import Failure, LogLine, RenderState
from renderer.painting.figures import Figures
from renderer.service.client import Refused
from tests.cli.processes import PATIENCE
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.monitor.keyframe_screen import KeyframeScreen
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.watcher import Watch

NOW = 1_795_386_982.0
"""When everything here happens; a Sunday in November."""
FOLDER = Path("/films/aurora.zoom")
TERMINAL = Terminal("test", "truecolor", "blocks")
SNAPSHOTS = Path(__file__).parent / "snapshots"
RENEW = "ZOOMTUI_RENEW_SNAPSHOTS"
"""Set to 1, the tests write what they see instead of comparing it. Look at the difference then."""

HOSTILE = [
    "[red]x[/red]",
    "[@click=app.quit]x[/]",
    "\x1b[2J\x1b]0;owned\x07",
    "ab\u202egnp.exe",
    "e\u0301\u0302\u0303 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "x" * 10_000,
]
"""Texts from outside that a terminal must never obey."""


def figures(*seconds: float, idle: float = 0.0) -> tuple[Figures, ...]:
    """Of keyframes that took so long."""
    return tuple(Figures(seconds=each, seam=1.04, drift=0.8, idle=idle) for each in seconds)


STATE = RenderState(
    project=str(FOLDER),
    film=str(FOLDER / "film.mp4"),
    phase=Phase.RENDERING,
    started_at=NOW - 11_564,
    keyframes=128,
    painting=128,
    step=17,
    steps=24,
    prompt="gothic cathedral of ice, aurora, volumetric light, intricate",
    seed=8412,
    figures=figures(6.9, 6.7, 7.1, idle=0.015),
    frames=38_400,
    frames_per_keyframe=60,
    fps=30.0,
    duration=1280.0,
    size=6_100_000_000,
    segment_seconds=(2.1, 2.2),
    progress=((NOW - 60, 37_800, 6_000_000_000), (NOW, 38_400, 6_100_000_000)),
    queued=0,
    capacity=2,
    viewers=2,
    meters={
        "gpu_name": "NVIDIA H100 80GB HBM3",
        "gpu_percent": 97.0,
        "vram_used": 61.2 * 2**30,
        "vram_total": 80.0 * 2**30,
        "gpu_celsius": 71.0,
        "gpu_watts": 312.0,
        "cpu_percent": 31.0,
        "engine_cpu_percent": 180.0,
        "engine_memory": 4.4 * 2**30,
        "memory_used": 44.0 * 2**30,
        "memory_total": 251.0 * 2**30,
        "disk_free": 1.3 * 2**40,
    },
    log=(
        LogLine(NOW - 20, "keyframe 127 painted in 6.7 s, seam 1.02, drift 0.7"),
        LogLine(NOW - 18, "segment 126 written: 60 frames in 2.2 s"),
        LogLine(NOW - 12, "keyframe 128 painted in 7.1 s, seam 1.04, drift 0.8"),
        LogLine(NOW - 10, "segment 127 written: 60 frames in 2.1 s"),
    ),
)
HISTORY = (40.0, 62.0, 90.0, 97.0, 95.0, 12.0, 88.0, 97.0)
RUNNING = View(
    FOLDER,
    Situation.RUNNING,
    STATE,
    pid=4711,
    keyframe_size=8_000_000,
    history=HISTORY,
)


def view(situation: Situation = Situation.RUNNING, why: str = "", **changes: Any) -> View:
    """``RUNNING`` with some of its state changed."""
    return replace(RUNNING, situation=situation, why=why, state=replace(STATE, **changes))


VIEWS = {
    "running": RUNNING,
    "paused": view(phase=Phase.PAUSED, viewers=1),
    "steered": view(next_changes={"prompt": "coral reef library, soft fog"}, next_from=129),
    "finished": view(Situation.OVER, finished=True, painting=None),
    "stopped": view(Situation.OVER, finished=True, stopped=True, painting=None),
    "failed": view(
        Situation.OVER, failure=Failure("the GPU ran out of memory; choose a smaller --size", 5)
    ),
    "lost": view(Situation.LOST),
    "restarted": view(restarted_at=NOW - 125, crash="the engine was killed (out of memory?)"),
    "looking": View(FOLDER),
    "unmetered": view(meters=None),
}


class Script(Watch):
    """Shows what it is told to, and writes down what it is asked."""

    def __init__(self, shown: View) -> None:
        super().__init__(shown.folder)
        self.view = shown
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.resumed = 0
        self.looked = 0
        self.refusal = ""

    async def run(self) -> None:
        """Nothing to listen to."""

    async def ask(self, command: str, **details: Any) -> None:
        if self.refusal:
            raise Refused(self.refusal)
        self.asked.append((command, details))

    async def revise(self, command: str, **details: Any) -> None:
        await self.ask(command, **details)

    async def resume(self) -> None:
        self.resumed += 1

    def look(self) -> None:
        self.looked += 1


def scripted(shown: View, terminal: Terminal = TERMINAL) -> tuple[ZoomApp, Script]:
    """An app on a script; run it with ``run_test``."""
    script = Script(shown)
    app = ZoomApp(
        terminal,
        lambda: MonitorScreen(shown.folder, script),
        clock=lambda: NOW,
        deaf=0,
    )
    return app, script


def screen_text(app: ZoomApp) -> str:
    """The topmost screen as text, without blanks at the ends of lines."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


async def settled(pilot: Pilot[str]) -> str:
    """The screen's text once nothing is left to be done: all messages are taken, all is laid out
    and painted, and what that brought about is as well. How busy the machine is makes no
    difference, as it does to ``pilot.pause``, which goes by the processor's time."""
    app = pilot.app
    assert isinstance(app, ZoomApp)
    ends, before = time.monotonic() + PATIENCE, ""
    while True:
        await pilot._wait_for_screen()
        if isinstance(app.screen, KeyframeScreen):
            app.screen._tick()
        app.screen._on_timer_update()
        await pilot._wait_for_screen()
        text, screen = screen_text(app), app.screen
        waiting = screen._layout_required or screen._dirty_widgets or screen._callbacks
        if text == before and not waiting:
            return text
        assert time.monotonic() < ends, "the screen never settles"
        before = text


def asks(app: App[Any], title: str) -> bool:
    """Whether the question with that title is open."""
    return isinstance(app.screen, ChoiceDialog) and app.screen.title == title


def check_snapshot(name: str, text: str) -> None:
    """Compare with the file of that name; with ``RENEW`` set write it."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get(RENEW) == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == expected, f"the screen differs from {path}; {RENEW}=1 pytest renews it"


Body = Callable[[Pilot[str], Script], Awaitable[None]]
"""What a test does with the app, and what it finds out through the script."""


def on_screen(shown: View, body: Body, size: tuple[int, int] = (100, 30)) -> None:
    async def run() -> None:
        app, script = scripted(shown)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await body(pilot, script)

    asyncio.run(run())


def shown_text(pilot: Pilot[str]) -> str:
    assert isinstance(pilot.app, ZoomApp)
    return screen_text(pilot.app)
