"""A viewer's side of the control socket: messages in, commands out, over asyncio.

Knows the protocol (``renderer.service.server``), nothing of screens. A lost engine ends the
stream of messages; the caller decides whether to try again (``follow`` does).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.engine.events import Event, Note, RenderFailed, RenderFinished, from_json
from renderer.engine.preview import Preview
from renderer.engine.state import RenderState
from renderer.errors import ProjectError
from renderer.project import registry
from renderer.project.session_record import engine, read_session, supervisor
from renderer.service.protocol import LONGEST_SNAPSHOT, PROTOCOL

RETRY = 0.2
"""Seconds between two attempts to reach an engine that is being started."""
_ATTEMPTS = 10
"""Attempts once the engine holds its project: it listens a moment later, or never."""


class NotRunning(Exception):
    """No engine listens for the project."""


class Refused(ProjectError):
    """The engine says no; the text is its reason, in one line."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state: the first message, and again whenever this viewer was too slow."""

    state: RenderState
    pid: int


@dataclass(frozen=True, slots=True)
class Told:
    """One event, and the Unix time at which the engine said it."""

    event: Event
    at: float


Message = Snapshot | Told


class Client:
    """One connection. Use ``connect``; read ``messages`` all the time, or replies don't come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._ended = False

    @classmethod
    async def connect(cls, folder: Path) -> Client:
        """To the engine that renders the project at ``folder``. Raises NotRunning."""
        try:
            reader, writer = await asyncio.open_unix_connection(
                registry.socket_path(folder), limit=LONGEST_SNAPSHOT
            )
        except OSError:
            raise NotRunning(f"no engine renders {folder}") from None
        return cls(reader, writer)

    async def messages(self) -> AsyncIterator[Message]:
        """Until the engine, or this side, ends the connection.

        Raises Refused when the engine's words can't be understood: it is of another version.
        """
        try:
            with contextlib.suppress(OSError):
                while line := await self._reader.readline():
                    message = self._understand(line)
                    if message is not None:
                        yield message
        finally:
            self._ended = True
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(NotRunning("the engine has gone"))

    async def preview(self) -> Preview:
        """The keyframe in the making, when its painter can show it: at the end of a step, or never.

        One at a time. Raises Refused, or NotRunning when the engine goes.
        """
        answer = await self.command("preview")
        try:
            return Preview.from_json(answer["preview"])
        except (KeyError, AttributeError, ValueError) as error:
            raise Refused(f"the engine's picture can't be used: {error}") from None

    async def command(self, name: str, **details: Any) -> Mapping[str, Any]:
        """Ask, and wait for the answer. Raises Refused, or NotRunning when the engine goes."""
        if self._ended:
            raise NotRunning("the engine has gone")
        number = next(self._numbers)
        self._waiting[number] = reply = asyncio.get_running_loop().create_future()
        try:
            asked = {"id": number, "command": name, **details}
            self._writer.write(json.dumps(asked).encode() + b"\n")
            await self._writer.drain()
            answer: Mapping[str, Any] = await reply
            return answer
        except OSError:
            raise NotRunning("the engine has gone") from None
        finally:
            del self._waiting[number]

    def watch(self) -> None:
        """Count as a viewer from now on; a client that only asks, or glances, does not."""
        self._writer.write(b'{"command":"watch"}\n')

    def close(self) -> None:
        self._writer.close()

    def _understand(self, line: bytes) -> Message | None:
        try:
            message = json.loads(line)
            match message["type"]:
                case "snapshot" if message["protocol"] == PROTOCOL:
                    return Snapshot(RenderState.from_json(message["state"]), message["pid"])
                case "event":
                    values = {k: v for k, v in message.items() if k not in ("type", "seq", "at")}
                    return Told(from_json(values), message["at"])
                case "reply":
                    self._settle(message)
                    return None
        except (ValueError, KeyError, TypeError):
            pass  # treated as another protocol
        raise Refused("the engine is of another version of zoomtui; use that version")

    def _settle(self, reply: Mapping[str, Any]) -> None:
        waiting = self._waiting.get(reply["id"])
        if waiting is None or waiting.done():
            return
        if reply["ok"]:
            waiting.set_result(reply)
        else:
            waiting.set_exception(Refused(reply["error"]))


async def reach(folder: Path) -> Client:
    """Connect, also to an engine that is just being started, or started again after a crash.

    Waits for it as long as its parent is there. Raises NotRunning.
    """
    attempts = _ATTEMPTS
    while True:
        try:
            return await Client.connect(folder)
        except NotRunning:
            attempts -= engine(folder) is not None
            if supervisor(folder) is None or not attempts:
                raise
        await asyncio.sleep(RETRY)


async def follow(folder: Path) -> AsyncGenerator[Message, None]:
    """All that the engine of ``folder`` says, and then each one that takes its place after a crash.

    Where the engine is not restarted any more, the reason comes as the RenderFailed that it could
    not send itself. Raises NotRunning when no engine is there, or the last one is gone without a
    word and is not restarted; Refused as ``Client.messages``.
    """
    pid = 0
    while True:
        try:
            client = await reach(folder)
        except NotRunning:
            last = read_session(folder)
            if not last.failure:
                raise
            yield Told(RenderFailed(last.failure, last.exit_code), last.at)
            return
        client.watch()
        with contextlib.closing(client):
            async for message in client.messages():
                yield message
                if isinstance(message, Snapshot):
                    if pid not in (0, message.pid):
                        for note in _missed(folder, message):
                            yield note
                    pid = message.pid
                elif isinstance(message.event, RenderFinished | RenderFailed):
                    return


def _missed(folder: Path, snapshot: Snapshot) -> list[Told]:
    """What a new engine has said of its restart before a viewer could hear it."""
    news = read_session(folder).news
    return [Told(Note(line.text), line.at) for line in snapshot.state.log if line.text == news]


async def ask(folder: Path, command: str, **details: Any) -> None:
    """One command to the engine of ``folder``, without watching. Raises NotRunning, Refused."""
    client = await reach(folder)
    listening = asyncio.create_task(_drain(client))
    try:
        await client.command(command, **details)
    finally:
        client.close()
        listening.cancel()


async def _drain(client: Client) -> None:
    async for _ in client.messages():
        pass
