"""What a viewer knows of one project, kept up to date by one coroutine. Knows no screen."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from renderer.engine.events import KeyframeReady, Metered, RenderStarted, Rewound
from renderer.engine.state import LOG_LINES, LogLine, RenderState, apply
from renderer.errors import RendererError
from renderer.project.lock import Holder
from renderer.project.records import JOURNAL
from renderer.project.session_record import engine, read_session, supervisor
from renderer.service.client import Client, Message, NotRunning, Refused, Snapshot
from renderer.service.launch import launch
from renderer.service.revise import revise
from zoomtui.viewing.offline import failed, state_on_disk
from zoomtui.viewing.view import Situation, View

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds between two attempts to connect; doubles from the one to the other."""
IDLE_WAIT = 2.0
"""Seconds between two checks whether an engine has begun to render the project."""
ANSWER_TIME = 10.0
"""Seconds that a command may take; the engine answers at once or not at all."""
HISTORY = 48
"""Readings of the busiest meter that are kept: about as many seconds."""
_UNSETTLED = (Situation.CONNECTING, Situation.UNREACHABLE, Situation.RESTARTING)


class Watch:
    """One project, watched. ``run`` keeps ``view`` true until it is cancelled."""

    def __init__(self, folder: Path) -> None:
        self.view = View(folder)
        self.reviewed: int | None = None
        """The held keyframe whose takes the user has been shown."""
        self._folder = folder
        self._client: Client | None = None
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._seen = 0, 0
        """The journal as it was when its project was heard of or read last."""
        self._unended = False
        """An engine was heard, but not its last word."""
        self._earlier: tuple[LogLine, ...] = ()
        """What engines of this session said before the one that was heard last."""

    async def run(self) -> None:
        """Connect, fold, connect again; for ever."""
        wait = FIRST_WAIT
        while True:
            heard = await self._attend()
            try:
                holding = engine(self._folder)
                to_come = holding is None and self._engine_to_come()
            except OSError as error:  # a file system that says nothing of its locks
                why = f"whether it is being rendered can't be told: {error.strerror or error}"
                self._show(Situation.UNREACHABLE, why=why)
                await self._sleep(IDLE_WAIT)
                continue
            if holding is None:
                wait = FIRST_WAIT
                if not to_come:
                    await self._settle()
                await self._sleep(FIRST_WAIT if to_come else IDLE_WAIT)
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

    async def revise(self, command: str, **details: Any) -> None:
        """Change which keyframes the film has; see ``service.revise``.

        Raises RendererError, NotRunning, Refused.
        """
        if self._client is not None:
            await self.ask(command, **details)
            return
        await asyncio.to_thread(lambda: asyncio.run(revise(self._folder, command, **details)))
        await self._read_disk()

    def look(self) -> None:
        """Ask to see the keyframe in the making: ``view.preview``, once its painter shows it."""
        if self._client is not None and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look(self._client))

    async def _look(self, client: Client) -> None:
        with contextlib.suppress(NotRunning, Refused):  # then there is nothing to see
            preview = await client.preview()
            self.view = replace(self.view, preview=preview)

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
            self._client.watch()
            async for message in self._client.messages():
                self._take(message)
                heard = True
        except Refused as error:
            self._show(Situation.UNREACHABLE, why=str(error))
        finally:
            self._client.close()
            self._client = None
            self._seen = self._journal()
            if self._looking is not None:
                self._looking.cancel()
        return heard

    def _take(self, message: Message) -> None:
        view = self.view
        if isinstance(message, Snapshot):
            self._note_engine(message.pid)
            state = self._with_earlier_lines(message.state)
            view = replace(view, state=state, pid=message.pid, why="", history=())
        else:
            state = apply(view.state, message.event, message.at)
            if isinstance(message.event, RenderStarted):  # this viewer was there before it
                state = self._with_earlier_lines(state)
            view = replace(view, state=state)
        if isinstance(message, Snapshot) or isinstance(message.event, KeyframeReady | Rewound):
            view = replace(view, keyframe_size=_newest_size(view))
            if view.preview is not None and view.preview.keyframe < view.state.keyframes:
                view = replace(view, preview=None)
        elif isinstance(message.event, Metered):
            view = replace(view, history=_longer(view.history, message.event))
        if view.state.over:
            view = replace(view, preview=None)
        self.view = view
        self._unended = not view.state.over
        self._show(Situation.RUNNING if self._unended else Situation.OVER)

    def _note_engine(self, pid: int) -> None:
        """A snapshot came: of a new engine, or again of one that this viewer was too slow for."""
        if not self._unended:
            self._earlier = ()
        elif pid != self.view.pid:
            self._earlier = self.view.state.log

    def _with_earlier_lines(self, state: RenderState) -> RenderState:
        """A restarted engine begins its log anew; a viewer that saw the crash still sees why."""
        return replace(state, log=(*self._earlier, *state.log)[-LOG_LINES:])

    def _engine_to_come(self) -> bool:
        """Whether there is a parent of an engine, though no engine holds the project.

        The parent is about to start the first engine, or another after a crash, or to end; until
        then the last word isn't said, and nothing on disk is settled.
        """
        if supervisor(self._folder) is None:
            return False
        session = read_session(self._folder)
        # The parent may not yet have noticed what this viewer has.
        if session.restarting or self._unended:
            why = session.progress if session.restarting else ""
            self._show(Situation.RESTARTING, why=why)
        return True

    async def _settle(self) -> None:
        """No engine holds the project: was the last word said, or is the engine lost?"""
        if self._unended:
            self._unended = False
            session = read_session(self._folder)
            if session.failure:
                self.view = replace(self.view, state=failed(self.view.state, session))
                self._show(Situation.OVER)
            else:
                self._show(Situation.LOST)
        elif self.view.situation in _UNSETTLED or self._seen != self._journal():
            await self._read_disk()  # it was rewound, perhaps, by a verb of another terminal

    async def _read_disk(self) -> None:
        """What there is to know of a project that is not being rendered."""
        self._seen = self._journal()
        try:
            state = await asyncio.to_thread(state_on_disk, self._folder)
        except RendererError as error:
            self._show(Situation.OVER, why=str(error))
            return
        view = replace(self.view, state=state)
        self.view = replace(view, keyframe_size=_newest_size(view))
        self._show(Situation.OVER)

    def _journal(self) -> tuple[int, int]:
        """Changes whenever what is recorded does; zeros: there is none."""
        try:
            found = (self._folder / JOURNAL).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def _look_for(self, holding: Holder, *, tried_long: bool) -> None:
        """An engine holds the project and doesn't talk: it is starting, ending or out of reach."""
        situation = self.view.situation
        if self.view.state.over or situation is Situation.UNREACHABLE:
            return
        if tried_long:
            why = f"{holding} renders it, but can't be reached from here"
            self._show(Situation.UNREACHABLE, why=why)
        elif situation is not Situation.RESTARTING:
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


def _newest_size(view: View) -> int:
    """Bytes of the newest keyframe; 0 where there is none."""
    newest = view.state.keyframes - 1
    try:
        return view.keyframe_path(newest).stat().st_size if newest >= 0 else 0
    except OSError:
        return 0


def _longer(history: tuple[float, ...], event: Metered) -> tuple[float, ...]:
    busy = event.values.get("gpu_percent")
    if busy is None:
        busy = event.values.get("cpu_percent")
    return (*history, busy)[-HISTORY:] if isinstance(busy, float | int) else history
