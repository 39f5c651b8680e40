"""One viewer of a render, as the engine sees it: the messages that wait for it, and sending them.

Knows the protocol's messages as lines, not what is in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

_BACKLOG = 256
"""Messages that may wait for a viewer."""


class Viewer:
    """The messages that wait for one viewer, and sending them."""

    def __init__(self, writer: asyncio.StreamWriter, snapshot: Callable[[], bytes]) -> None:
        self._writer = writer
        self._snapshot = snapshot
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.watching = False
        """It has said that it will stay; until then it may only glance, or send a command."""
        self._looks: tuple[Any, ...] = ()
        """Id of the command by which it waits for a preview; empty: it has not asked for one."""

    def tell(self, line: bytes) -> None:
        """Never waits: when too much has piled up, all of it gives way to one snapshot."""
        if self._waiting.qsize() >= _BACKLOG:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            line = self._snapshot()
        self._waiting.put_nowait(line)

    def look(self, number: Any) -> None:
        """It waits for a preview from now on. Raises ValueError where it does already."""
        if self._looks:
            raise ValueError("a preview was asked for already and is still to come")
        self._looks = (number,)

    def show(self, preview: Mapping[str, Any]) -> None:
        """Answer what it has asked for, if it has."""
        if self._looks:
            self.tell(reply(self._looks[0], None, preview=preview))
            self._looks = ()

    async def send(self) -> None:
        while (line := await self._waiting.get()) is not None:
            self._writer.write(line)
            await self._writer.drain()

    async def dismiss(self) -> None:
        """Send what waits, for a second at most, then end the connection."""
        self._waiting.put_nowait(None)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(1):
                while not self._waiting.empty():
                    await asyncio.sleep(0)
                await self._writer.drain()
        self._writer.close()


def reply(number: Any, error: str | None, **more: Any) -> bytes:
    """The answer to the command of that id; ``error``: why it was not obeyed."""
    answer: dict[str, Any] = {"type": "reply", "id": number, "ok": error is None, **more}
    return to_line(answer if error is None else {**answer, "error": error})


def to_line(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the socket."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
