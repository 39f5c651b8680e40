"""An engine as its parent sees it: a process, what it says, and how it has ended.

``parent`` lists the messages between the two. Knows nothing of restarting.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from renderer.children import python_module
from renderer.engine.events import Event, RenderFailed, RenderFinished
from renderer.errors import DeviceLost, EngineCrashed, RendererError
from renderer.service.signals import GLANCE

CRASHED = frozenset(
    {
        *(signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT),
        *(signal.SIGBUS, signal.SIGILL, signal.SIGFPE),
    }
)
"""Signals by which a process ends without having been asked to."""

_AT_ONCE = 1 << 16
"""Bytes."""


class Child:
    """An engine for the project at ``folder``, started at once; see ``parent.run``.

    Signals must be held back (``held_back``) until the caller can pass them on to it. Raises
    EngineCrashed where no process can be started.
    """

    def __init__(
        self, folder: Path, *, detached: bool, news: str = "", paused: bool = False
    ) -> None:
        self._line, theirs = socket.socketpair()
        options = {"--detached": detached, "--paused": paused, f"--after-crash={news}": news}
        more = [option for option, wanted in options.items() if wanted]
        with theirs:
            end = theirs.fileno()
            try:
                self._process = start(folder, "--parent-fd", str(end), *more, pass_fds=[end])
            except EngineCrashed:
                self._line.close()
                raise
        self.stopping = False
        """It was asked to stop, by its parent or by a viewer."""
        self.paused = paused
        """Its painter is held."""
        self.error = ""
        """Why it could not open the project."""
        self.outcome: RenderFinished | RenderFailed | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, number: int) -> None:
        """Have it end after the segment in hand, because of that signal; returns at once."""
        with contextlib.suppress(OSError):
            self._line.send(b"%d\n" % number, socket.MSG_DONTWAIT)

    def kill(self) -> None:
        """End it at once; returns at once."""
        self._process.kill()

    def messages(self) -> Iterator[dict[str, Any]]:
        """All that it says, until it has ended."""
        # The socket may outlive the process: another one that it started may keep it open.
        waiting = threading.Thread(target=self._wait, name="supervisor-wait", daemon=True)
        waiting.start()
        with self._line:
            yield from map(json.loads, self._whole_lines())
            while waiting.is_alive():
                waiting.join(GLANCE)

    def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        self._process.wait()

    @property
    def crash(self) -> RendererError | None:
        """Why it crashed, once it has ended; None: it did not."""
        if self.outcome is not None:
            return DeviceLost(self.outcome.message) if is_lost_device(self.outcome) else None
        if -self._process.returncode in CRASHED:
            return EngineCrashed(_death(signal.Signals(-self._process.returncode)))
        return None

    @property
    def exit_code(self) -> int:
        """Of one that did not crash; what its libraries do after its last event doesn't count."""
        if isinstance(self.outcome, RenderFailed):
            return self.outcome.exit_code
        code: int = self._process.returncode
        if self.outcome is not None and code < 0:
            return 0
        return 128 - code if code < 0 else code

    def _whole_lines(self) -> Iterator[bytes]:
        """Every line but one that is cut off: a process may be killed while it writes."""
        rest = b""
        with contextlib.suppress(ConnectionError):
            while True:
                if not select.select([self._line], [], [], GLANCE)[0]:
                    continue
                said = self._line.recv(_AT_ONCE)
                if not said:
                    return
                *lines, rest = (rest + said).split(b"\n")
                yield from lines

    def _wait(self) -> None:
        """Wait until it has ended; what it has sent can still be read then, but nothing more."""
        self._process.wait()
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RD)


def start(folder: Path, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    """A process of `python -m renderer` for the project at ``folder``; ``how``: as Popen takes it.

    Raises EngineCrashed where no process can be started.
    """
    line = python_module("renderer", *arguments, "--", os.fspath(folder))
    try:
        return subprocess.Popen(line, **how)
    except OSError as error:
        raise EngineCrashed(f"the engine can't be started: {error.strerror}") from error


def is_lost_device(event: Event) -> TypeGuard[RenderFailed]:
    """A failure that need not be the end: another process can use the device again."""
    return isinstance(event, RenderFailed) and event.exit_code == DeviceLost.exit_code


def _death(number: signal.Signals) -> str:
    if number == signal.SIGKILL:
        return "the engine was killed (SIGKILL): usually the machine ran out of memory"
    return f"the engine died of {number.name} ({signal.strsignal(number)})"
