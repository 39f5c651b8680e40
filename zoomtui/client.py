"""A viewer's side of the control socket: messages in, commands out, over asyncio.

Knows the protocol (``renderer.engine.control``), nothing of screens. A lost engine ends the
stream of messages; whoever reads them decides whether to try again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.engine import places
from renderer.events import Event, from_json
from renderer.state import RenderState

PROTOCOL = 1
_LONGEST_LINE = 8 << 20
"""Bytes; a snapshot with a full log and long prompts stays far below."""


class NotRunning(Exception):
    """No engine listens for the project."""


class Refused(Exception):
    """The engine says no; the text is its reason, in one line."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state: first of all messages, and again whenever this viewer was too slow."""

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
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._ended = False

    @classmethod
    async def connect(cls, folder: Path) -> Client:
        """To the engine that renders the project at ``folder``. Raises NotRunning."""
        try:
            reader, writer = await asyncio.open_unix_connection(
                places.socket_path(folder), limit=_LONGEST_LINE
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

    async def command(self, name: str, **details: Any) -> None:
        """Ask, and wait for the answer. Raises Refused, or NotRunning when the engine goes."""
        if self._ended:
            raise NotRunning("the engine has gone")
        number = next(self._numbers)
        self._waiting[number] = reply = asyncio.get_running_loop().create_future()
        try:
            asked = {"id": number, "command": name, **details}
            self._writer.write(json.dumps(asked).encode() + b"\n")
            await self._writer.drain()
            await reply
        except OSError:
            raise NotRunning("the engine has gone") from None
        finally:
            del self._waiting[number]

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
            pass  # as good as another protocol
        raise Refused("the engine is of another version of zoomtui; use that version")

    def _settle(self, reply: Mapping[str, Any]) -> None:
        waiting = self._waiting.get(reply["id"])
        if waiting is None or waiting.done():
            return
        if reply["ok"]:
            waiting.set_result(None)
        else:
            waiting.set_exception(Refused(reply["error"]))


async def ask(folder: Path, command: str, **details: Any) -> None:
    """One command to the engine of ``folder``, without watching. Raises NotRunning, Refused."""
    client = await Client.connect(folder)
    listening = asyncio.create_task(_drain(client))
    try:
        await client.command(command, **details)
    finally:
        client.close()
        listening.cancel()


async def _drain(client: Client) -> None:
    async for _ in client.messages():
        pass
