"""What the interface knows of one project, kept up to date by one coroutine. Knows no screen.

Three situations must never be mixed up: an engine is running; the session is over (it said so); or
the engine is lost: it went without a word, and the kernel says that nobody holds the project.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from renderer.engine.layout import LOCK, keyframe_path, read_settings
from renderer.engine.lock import Holder, holder
from renderer.engine.status import State, read_status
from renderer.errors import RendererError
from renderer.events import KeyframeReady, Metered, Phase
from renderer.state import RenderState, apply
from zoomtui.client import Client, Message, NotRunning, Refused, Snapshot
from zoomtui.launch import launch

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds between two attempts to connect; doubles from the one to the other."""
IDLE_WAIT = 2.0
"""Seconds between two looks whether somebody has begun to render the project."""
ANSWER_TIME = 10.0
"""Seconds that a command may take; the engine answers at once or not at all."""
HISTORY = 48
"""Readings of the busiest meter that are kept: about as many seconds."""


class Situation(enum.Enum):
    """How the project and this viewer stand to one another."""

    CONNECTING = enum.auto()
    """An engine holds the project, or may; nothing was heard yet."""
    RUNNING = enum.auto()
    UNREACHABLE = enum.auto()
    """An engine holds the project, but can't be talked to; ``View.why`` says more."""
    OVER = enum.auto()
    """The session has ended by its own word, or nobody renders the project."""
    LOST = enum.auto()
    """The engine was running, has gone without a word, and nobody holds the project."""


@dataclass(frozen=True, slots=True)
class View:
    """A moment of a project, as this viewer knows it."""

    folder: Path
    situation: Situation = Situation.CONNECTING
    state: RenderState = field(default_factory=RenderState)
    why: str = ""
    """Why the engine can't be talked to, or the project not be read; one line."""
    pid: int = 0
    """Of the engine that was heard last."""
    keyframe_size: int = 0
    """Bytes of the newest keyframe on disk."""
    history: tuple[float, ...] = ()
    """Percent, the last readings of the GPU's meter; of the processor's where there is no GPU."""

    @property
    def running(self) -> bool:
        return self.situation is Situation.RUNNING

    @property
    def paused(self) -> bool:
        return self.running and self.state.phase is Phase.PAUSED

    @property
    def steerable(self) -> bool:
        """Whether there is a keyframe still to come that a prompt could be for."""
        return self.running and self.state.phase is not Phase.DRAINING

    @property
    def resumable(self) -> bool:
        """Nobody renders it, and something is left to be rendered."""
        if self.why:
            return False
        over = self.situation is Situation.OVER
        return self.situation is Situation.LOST or (over and not self.complete)

    @property
    def complete(self) -> bool:
        """The film has its last frame."""
        return self.state.finished and not self.state.stopped


class Watch:
    """One project, watched. ``run`` keeps ``view`` true until it is cancelled."""

    def __init__(self, folder: Path) -> None:
        self.view = View(folder)
        self._folder = folder
        self._client: Client | None = None
        self._woken = asyncio.Event()
        self._unended = False
        """An engine was heard, and not its last word."""

    async def run(self) -> None:
        """Connect, fold, connect again; for ever."""
        wait = FIRST_WAIT
        while True:
            heard = await self._attend()
            holding = holder(self._folder / LOCK)
            if holding is None:
                await self._settle()
                wait = FIRST_WAIT
                await self._sleep(IDLE_WAIT)
                continue
            wait = FIRST_WAIT if heard else min(2 * wait, LONGEST_WAIT)
            self._look_for(holding, tried_long=wait >= LONGEST_WAIT)
            await self._sleep(wait)

    async def ask(self, command: str, **details: Any) -> None:
        """One command to the engine. Raises NotRunning, or Refused with the engine's reason."""
        if self._client is None:
            raise NotRunning("no engine renders this project")
        try:
            async with asyncio.timeout(ANSWER_TIME):
                await self._client.command(command, **details)
        except TimeoutError:
            raise NotRunning("the engine does not answer") from None

    async def resume(self) -> None:
        """Start a new engine for the project. Raises RendererError when it doesn't come up."""
        await asyncio.to_thread(launch, self._folder)
        self._woken.set()

    async def _attend(self) -> bool:
        """Listen to the engine as long as it talks; False: nothing was heard."""
        heard = False
        try:
            self._client = await Client.connect(self._folder)
        except NotRunning:
            return False
        except RendererError as error:  # no state directory: no socket can be found
            self._show(Situation.UNREACHABLE, why=str(error))
            return False
        try:
            async for message in self._client.messages():
                self._take(message)
                heard = True
        except Refused as error:
            self._show(Situation.UNREACHABLE, why=str(error))
        finally:
            self._client.close()
            self._client = None
        return heard

    def _take(self, message: Message) -> None:
        view = self.view
        if isinstance(message, Snapshot):
            view = replace(view, state=message.state, pid=message.pid, why="", history=())
            self._unended = True
        else:
            view = replace(view, state=apply(view.state, message.event, message.at))
        if isinstance(message, Snapshot) or isinstance(message.event, KeyframeReady):
            view = replace(view, keyframe_size=_newest_size(self._folder, view.state.keyframes))
        elif isinstance(message.event, Metered):
            view = replace(view, history=_longer(view.history, message.event))
        self.view = view
        self._unended = not view.state.over
        self._show(Situation.RUNNING if self._unended else Situation.OVER)

    async def _settle(self) -> None:
        """Nobody holds the project: was the last word said, or is the engine lost?"""
        if self._unended:
            self._unended = False
            self._show(Situation.LOST)
        elif self.view.situation in (Situation.CONNECTING, Situation.UNREACHABLE):
            await self._read_disk()

    async def _read_disk(self) -> None:
        """What there is to know of a project that nobody renders."""
        try:
            state = await asyncio.to_thread(state_on_disk, self._folder)
        except RendererError as error:
            self._show(Situation.OVER, why=str(error))
            return
        self.view = replace(
            self.view, state=state, keyframe_size=_newest_size(self._folder, state.keyframes)
        )
        self._show(Situation.OVER)

    def _look_for(self, holding: Holder, *, tried_long: bool) -> None:
        """Somebody holds the project and doesn't talk: it begins, it ends, or is out of reach."""
        if self.view.state.over or self.view.situation is Situation.UNREACHABLE:
            return
        if tried_long:
            why = f"{holding} renders it, but can't be reached from here"
            self._show(Situation.UNREACHABLE, why=why)
        else:
            self._show(Situation.CONNECTING)

    def _show(self, situation: Situation, why: str = "") -> None:
        if (situation, why) != (self.view.situation, self.view.why):
            self.view = replace(self.view, situation=situation, why=why)

    async def _sleep(self, seconds: float) -> None:
        """So long, or until ``resume`` has started an engine."""
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


def state_on_disk(folder: Path) -> RenderState:
    """A project that nobody renders, as if its last session had just ended.

    One that can go on counts as stopped: a kill looks the same from the outside. Raises
    ProjectError, SettingsError.
    """
    status, settings = read_status(folder), read_settings(folder)
    pace = status.seconds_per_keyframe
    return RenderState(
        project=status.project,
        film=status.film,
        phase=Phase.DRAINING,
        keyframes=status.keyframes,
        total_keyframes=status.total_keyframes,
        prompt=status.prompt,
        seam=status.seam or 0.0,
        drift=status.drift or 0.0,
        keyframe_seconds=() if pace is None else (pace,),
        frames=status.frames,
        frames_per_keyframe=settings.frames_per_keyframe,
        fps=float(settings.fps),
        duration=status.duration,
        size=status.film_size,
        finished=True,
        stopped=status.state is not State.FINISHED,
    )


def _newest_size(folder: Path, keyframes: int) -> int:
    """Bytes of the newest keyframe; 0 where there is none."""
    try:
        return keyframe_path(folder, keyframes - 1).stat().st_size if keyframes else 0
    except OSError:
        return 0


def _longer(history: tuple[float, ...], event: Metered) -> tuple[float, ...]:
    busy = event.values.get("gpu_percent")
    if busy is None:
        busy = event.values.get("cpu_percent")
    return (*history, busy)[-HISTORY:] if isinstance(busy, float | int) else history
