"""The parent of an engine: starts it, passes on what it says, and starts it again when it crashes.

An engine is a process that may be killed (the machine ran out of memory), die of a segfault, or
lose its device; what it has made is on disk, so another one goes on from there. A stop, an error
that the engine reports, and a normal end are no crashes. Light: loads nothing that renders. Only
the engine locks the project and talks to viewers.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from renderer.engine.events import (
    Event,
    Phase,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    from_json,
)
from renderer.errors import EngineCrashed, RendererError, StorageError, error_of
from renderer.project import session_record
from renderer.project.lock import ProjectLock
from renderer.project.records import LOG, read_settings
from renderer.project.session_record import RESTARTS, WINDOW, SessionRecord, read_session
from renderer.service.child import Child, is_lost_device
from renderer.service.logfile import log_line
from renderer.service.messenger import Messenger
from renderer.service.signals import held_back, stopping


def run(
    folder: Path,
    show: Callable[[Event], None],
    *,
    on_open: Callable[[], None] = lambda: None,
    detached: bool = False,
) -> int:
    """Render the project at ``folder`` in a process of its own until it ends; the exit code.

    As ``run_engine.run``: the first signal ends the render after the segment in hand, a second
    raises Abandoned, ``show`` gets the events on the calling thread, which must be the main one.
    After a crash the events begin anew, with RenderStarted; one crash too many ends them
    with RenderFailed. ``on_open`` is called once viewers can connect. ``detached``: if this process
    is killed, the engine goes on without it; otherwise the engine ends as well. Raises
    RendererError if the project can't be opened.
    """
    read_settings(folder)
    messenger = Messenger(folder, show)
    parent = Supervisor(folder, messenger.show, on_open, detached)
    with messenger, stopping(parent.stop) as signals, parent:  # seen to be there, it hears signals
        return parent.run(signals)


class Allowance:
    """How many restarts there may be: ``RESTARTS`` within ``WINDOW``."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def take(self, now: float) -> int:
        """Take one more at ``now`` (seconds of a monotonic clock): its number; 0: none is left."""
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        if len(self._times) >= RESTARTS:
            return 0
        self._times.append(now)
        return len(self._times)


@dataclass
class Supervisor:
    """See ``run``, whose arguments are the first fields. Works on any thread."""

    folder: Path
    show: Callable[[Event], None]
    on_open: Callable[[], None]
    detached: bool
    _child: Child | None = None
    """The engine that runs."""
    _opened: bool = False
    """Whether any engine has opened the project."""
    _allowance: Allowance = field(default_factory=Allowance)
    _restarts: int = 0
    _paused: bool = False
    """Whether the last engine was paused."""
    _last: SessionRecord | None = None
    """The last crash."""
    _lock: ProjectLock | None = None

    def __enter__(self) -> Supervisor:
        # Where no lock can be made, the engine itself says better why it can't render.
        with contextlib.suppress(StorageError):
            self._lock = session_record.supervise(self.folder)
        known = read_session(self.folder)
        if known.restarting:  # left by a parent that was killed meanwhile
            session_record.record(self.folder, replace(known, restarting=False))
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no engine behind: where its render was abandoned, it is still there."""
        if self._child is not None:
            self._child.end()
        self._release()

    def stop(self, number: int) -> None:
        """Pass a signal on. An engine that never opened the project has nothing to finish."""
        if self._child is not None:
            if self._opened:
                self._child.stop(number)
            else:
                self._child.kill()

    def run(self, signals: list[int]) -> int:
        """Engine after engine, until one ends as it should, or there were too many; the exit code.

        ``signals``: the numbers of those that came, for which ``stop`` is called as well.
        """
        while True:
            try:
                child = self._run_child(signals)
            except EngineCrashed as error:  # no process can be started
                if not self._restarts:
                    raise
                return self._give_up(error)
            crash = child.crash
            if signals and not self._opened:
                return 128 + signals[0]
            if crash is None:
                return self._ended(child)
            if signals or child.stopping:
                return self._give_up(crash, " while it was stopping")
            number = self._allowance.take(time.monotonic())
            if not number:
                often = f"{RESTARTS} restarts in {WINDOW / 60:.0f} minutes"
                return self._give_up(crash, f"; given up after {often}")
            self._restarts += 1
            self._last = replace(
                read_session(self.folder),
                crash=str(crash),
                at=time.time(),
                restarts=self._restarts,
                recent=number,
                restarting=True,
            )
            session_record.record(self.folder, self._last)
            self._log(f"process {child.pid}: {crash}")

    def _run_child(self, signals: list[int]) -> Child:
        """One engine, from its start to its end."""
        news = self._last.news if self._last else ""
        with held_back():
            self._child = child = Child(
                self.folder, detached=self.detached, news=news, paused=self._paused
            )
        if signals:  # they came while there was no engine
            self.stop(signals[0])
        for message in child.messages():
            self._hear(child, message)
        self._child = None
        self._paused = child.paused
        return child

    def _hear(self, child: Child, message: dict[str, Any]) -> None:
        match message:
            case {"opened": True} if not self._opened:
                self._opened = True
                self.on_open()
            case {"error": error}:
                child.error = error
            case {"event": values, "stopping": asked}:
                child.stopping = asked
                self._pass_on(child, from_json(values))

    def _pass_on(self, child: Child, event: Event) -> None:
        if isinstance(event, PhaseChanged) and event.phase in (Phase.PAUSED, Phase.RENDERING):
            child.paused = event.phase is Phase.PAUSED
        if isinstance(event, RenderFinished | RenderFailed):
            child.outcome = event
            if is_lost_device(event):
                return
            self._release()  # a resume right after it need not wait for two processes to end
        self.show(event)

    def _ended(self, child: Child) -> int:
        """The exit code of an engine that did not crash; raises why it never opened the project."""
        code = child.exit_code
        if child.error and not self._opened:
            raise error_of(code, child.error)
        if child.outcome is None and self._restarts:  # it could not take the other one's place
            return self._end(child.error or f"the engine ended with exit code {code}", code)
        return code

    def _give_up(self, crash: RendererError, why: str = "") -> int:
        """Report a crash after which no engine is started any more; the exit code."""
        again = f"`zoomtui resume {shlex.quote(str(self.folder))}`"
        text = f"{crash}{why}; the film so far is playable, and {again} goes on"
        return self._end(text, crash.exit_code)

    def _end(self, text: str, code: int) -> int:
        session_record.fail(self.folder, text, code)
        self._log(text)
        self._release()
        if not self._opened:
            raise error_of(code, text)
        self.show(RenderFailed(text, code))
        return code

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _log(self, text: str) -> None:
        with contextlib.suppress(StorageError):
            log_line(self.folder / LOG, "renderer.supervisor", text)
