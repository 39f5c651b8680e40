"""The engine's side of the control socket: viewers get state and events, and may steer.

JSON lines over a Unix socket, as docs/protocol.md describes them. ``preview`` is answered when the
painter gets to it, with the keyframe in the making (``engine.preview``): only to the viewer that
has asked, and once. A viewer that reads too slowly loses events and gets a fresh snapshot instead;
it never slows the engine. Runs its own loop on its own thread; knows nothing of painting, film, or
what a viewer shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import struct
import threading
import time
from pathlib import Path

from renderer.engine.events import (
    Event,
    Metered,
    RenderFailed,
    RenderFinished,
    StepDone,
    ViewersChanged,
    to_json,
)
from renderer.engine.preview import Preview
from renderer.engine.session import Session
from renderer.engine.state import RenderState, apply
from renderer.files import storage_errors
from renderer.machine import private_socket
from renderer.service.commands import Commands
from renderer.service.metrics import Metrics
from renderer.service.protocol import LONGEST_LINE, PROTOCOL
from renderer.service.viewer import Viewer, reply, to_line

_STEP_INTERVAL = 0.1
"""Seconds between two ``StepDone`` that are passed on, so that quick steps flood no viewer."""
_ROOM = 100
"""Viewers; the more above that, the longer the interval, so that a crowd costs no more."""
_COUNT_INTERVAL = 0.2
"""Seconds between two ``ViewersChanged``."""
_RESERVED = 256
"""Open files that viewers leave to the render."""
_UNLIMITED = 1 << 20
"""Open files where there is no limit."""
_AT_ONCE = 16
"""Viewers that are let in before it is looked whether there is room for more."""
_QUEUE = 4096
"""Viewers that may wait to be let in; the kernel may allow fewer."""
_METER_INTERVAL = 1.0
_TURN = 0.05
"""Seconds for the commands of one viewer, then those of others are heard."""

log = logging.getLogger("renderer.control")


class ControlServer:
    """Serves ``path`` while the block runs. ``publish`` takes events from any thread.

    Raises StorageError where the socket can't be made.
    """

    def __init__(self, path: Path, folder: Path, session: Session) -> None:
        self._path = path
        self._meters = Metrics(folder)
        self._commands = Commands(session)
        self._state = RenderState()
        self._seq = 0
        self._viewers: set[Viewer] = set()
        self._last_step = 0.0
        self._counting = False
        self._over = False
        """The outcome was told; nothing follows it."""
        self._most = _raise_limit() - _RESERVED
        self._greeting = (-1, b"")
        self._loop = asyncio.new_event_loop()
        self._listener = listen(path)
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="renderer-control")
        session.preview_requests.listen(self._show)

    def __enter__(self) -> ControlServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Viewers that read are still sent everything that was published; then all are cut off."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def publish(self, event: Event) -> None:
        """Tell all viewers; returns at once."""
        self._loop.call_soon_threadsafe(self._publish, event, time.time())

    def _show(self, preview: Preview) -> None:
        """Answer those who have asked for it; from any thread, returns at once."""
        self._loop.call_soon_threadsafe(self._answer_with, preview)

    def _answer_with(self, preview: Preview) -> None:
        shown = preview.to_json()
        for viewer in self._viewers:
            viewer.show(shown)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())
        self._path.unlink(missing_ok=True)

    async def _serve(self) -> None:
        server = await asyncio.start_unix_server(
            self._attend, sock=self._listener, limit=LONGEST_LINE, backlog=_AT_ONCE
        )
        self._listener.listen(_QUEUE)
        async with asyncio.TaskGroup() as tasks:
            metering = tasks.create_task(self._meter())
            await self._end.wait()
            server.close()  # not `async with server`: that waits for viewers that don't read
            metering.cancel()
            for viewer in tuple(self._viewers):
                tasks.create_task(viewer.dismiss())

    async def _meter(self) -> None:
        """Ask the meters while a viewer watches."""
        while True:
            if self._state.viewers:
                values = await asyncio.to_thread(self._meters.read)
                self._publish(Metered(values), time.time())
            await asyncio.sleep(_METER_INTERVAL)

    def _publish(self, event: Event, at: float) -> None:
        if self._over:
            return
        self._over = isinstance(event, RenderFinished | RenderFailed)
        if isinstance(event, StepDone):
            interval = _STEP_INTERVAL * max(1.0, len(self._viewers) / _ROOM)
            if at - self._last_step < interval and event.step < event.steps:
                return
            self._last_step = at
        self._seq += 1
        self._state = apply(self._state, event, at)
        line = to_line({"type": "event", "seq": self._seq, "at": at, **to_json(event)})
        for viewer in self._viewers:
            viewer.tell(line)

    def _snapshot(self) -> bytes:
        """The same line for all who come between two events."""
        if self._greeting[0] != self._seq:
            state = self._state.to_json()
            said = {"type": "snapshot", "protocol": PROTOCOL, "seq": self._seq, "pid": os.getpid()}
            self._greeting = self._seq, to_line({**said, "state": state})
        return self._greeting[1]

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One viewer, from its connection to its leaving."""
        if _peer_uid(writer) not in (os.getuid(), 0):
            log.warning("refused a viewer of another user")
            writer.close()
            return
        if len(self._viewers) >= self._most:
            full = f"{len(self._viewers)} viewers are connected, and no more can be; try later"
            writer.write(reply(None, full))
            writer.close()
            return
        viewer = Viewer(writer, self._snapshot)
        viewer.tell(self._snapshot())
        self._viewers.add(viewer)
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(viewer.send())
                await self._listen_to(reader, viewer)
                await viewer.answered()  # it may have ended only its own half
                sending.cancel()
        except* OSError:
            pass  # it has gone
        except* asyncio.CancelledError:
            pass  # the engine ends, and has sent it what there was
        finally:
            self._viewers.discard(viewer)
            writer.close()
            self._count()

    def _count(self) -> None:
        """Publish how many viewers watch, if that has changed: soon, and once for many."""
        if not self._counting:
            self._counting = True
            self._loop.call_later(_COUNT_INTERVAL, self._publish_count)

    def _publish_count(self) -> None:
        self._counting = False
        watching = sum(viewer.watching for viewer in self._viewers)
        if watching != self._state.viewers:
            self._publish(ViewersChanged(watching), time.time())

    async def _listen_to(self, reader: asyncio.StreamReader, viewer: Viewer) -> None:
        """Answer each line, at intervals to others'; one too long to read ends the connection."""
        began = time.monotonic()
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                viewer.answer(reply(None, f"a line is longer than {LONGEST_LINE} bytes"))
                return
            if not line:
                return
            answer = self._commands.answer(line, viewer)
            if answer is not None:
                viewer.answer(answer)
            self._count()
            await viewer.ready()
            if time.monotonic() - began > _TURN:
                await asyncio.sleep(0)
                began = time.monotonic()


def listen(path: Path) -> socket.socket:
    """A socket at ``path`` that only this user can reach; one left by a dead engine is replaced.

    The project's lock is held by now, so no other engine serves this path.
    """
    with storage_errors(path):
        path.unlink(missing_ok=True)
        listener = private_socket(path)
        listener.listen(_QUEUE)  # a viewer that finds the socket can connect before it is served
        listener.setblocking(False)
    return listener


def _raise_limit() -> int:
    """Allow this process as many open files as the system does; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else _UNLIMITED


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    peer: socket.socket = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", credentials)[1]
    return uid
