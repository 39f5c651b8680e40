"""An engine that has a parent: what it tells the parent, and does when the parent is gone.

They talk over a pair of sockets, one JSON object a line. The engine says

    {"opened": true}                              the project is locked, viewers can connect
    {"event": {…}, "stopping": false}             each event, and whether a stop was asked for
    {"error": "…"}                                why the project can't be opened, before it ends

and the parent says one thing, a line: the number of the signal that is to stop the render.
The other side is ``child``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from renderer.engine.events import Event, RenderFailed, RenderFinished, RenderStarted, to_json
from renderer.engine.session import Session
from renderer.errors import RendererError
from renderer.painting.painters import PainterFactory
from renderer.painting.upscale import make_painter
from renderer.service import run_engine
from renderer.service.child import is_lost_device
from renderer.service.run_engine import Say

ALONE = (
    "the process that would restart this engine after a crash is gone; the render goes on "
    "without it"
)

log = logging.getLogger("renderer.engine")


def run(
    folder: Path,
    handle: int,
    *,
    detached: bool,
    news: str = "",
    paused: bool = False,
    painters: PainterFactory = make_painter,
) -> int:
    """Render ``folder`` for the parent at the other end of ``handle``; returns the exit code.

    As ``run_engine.run``, except that it raises nothing when the project can't be opened: the
    parent is told. ``news`` is what viewers are told after RenderStarted where this engine takes
    another one's place; ``paused``: that one was paused, so this one begins paused. If the parent
    is killed, a ``detached`` engine goes on without it, because the render belongs to no terminal;
    any other engine ends, as if it had been killed itself.
    """
    os.set_inheritable(handle, False)
    parent = _Parent(socket.socket(fileno=handle), detached, news, paused)
    try:
        code = run_engine.run(
            folder,
            parent.show,
            on_open=parent.opened,
            withheld=parent.will_restart,
            painters=painters,
        )
        return parent.stop_code if code is None else code
    except RendererError as error:
        parent.tell({"error": str(error)})
        return error.exit_code


class _Parent:
    """The parent, as the engine sees it."""

    def __init__(self, line: socket.socket, detached: bool, news: str, paused: bool) -> None:
        self._line = line
        self._detached = detached
        self._news = news
        self._paused = paused
        self._there = True
        self._over = False
        self.stop_code = 0
        """Exit code of a render that was stopped: by a signal to the parent, or by a viewer (0)."""
        self._session: Session | None = None
        self._say: Say = log.warning

    def opened(self, session: Session, say: Say) -> None:
        self._session, self._say = session, say
        if self._paused:
            session.pause(True)
        self.tell({"opened": True})

    def show(self, event: Event) -> None:
        if isinstance(event, RenderFinished | RenderFailed):
            self._over = True
        self.tell({"event": to_json(event), "stopping": self._stopping})
        if isinstance(event, RenderStarted):
            if self._news:
                self._say(self._news)
            # Not before: a stop would be reported first, and the start must be.
            threading.Thread(target=self._listen, name="renderer-parent", daemon=True).start()

    def will_restart(self, event: Event) -> bool:
        """Whether ``event`` is not the end after all: the parent starts another engine."""
        return is_lost_device(event) and self._there and not self._stopping

    def tell(self, message: dict[str, Any]) -> None:
        """Send ``message``; a parent that is gone is noticed elsewhere."""
        with contextlib.suppress(OSError):
            self._line.sendall(json.dumps(message).encode() + b"\n")

    @property
    def _stopping(self) -> bool:
        return self._session is not None and self._session.stop_asked

    def _listen(self) -> None:
        """Do what the parent says, until it is gone."""
        assert self._session is not None
        with contextlib.suppress(OSError), self._line.makefile("rb") as numbers:
            for number in numbers:
                self.stop_code = 128 + int(number)
                self._session.stop()
        self._there = False
        if not self._detached:
            os.kill(os.getpid(), signal.SIGKILL)
        elif not self._over:
            self._say(ALONE)
