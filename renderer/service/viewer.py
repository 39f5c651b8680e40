"""One viewer of a render, as the engine sees it: the messages that wait for it, and sending them.

Knows the protocol's messages as lines, not what is in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

_BACKLOG = 256
"""Events, and also replies, that may wait for a viewer."""


class Viewer:
    """The messages that wait for one viewer, and sending them."""

    def __init__(self, writer: asyncio.StreamWriter, snapshot: Callable[[], bytes]) -> None:
        self._writer = writer
        self._snapshot = snapshot
        self._waiting: deque[tuple[bytes, bool]] = deque()
        """(line, whether it is a reply), in the order in which they are sent."""
        self._replies = 0
        self._some = asyncio.Event()
        """Something waits."""
        self._nothing = asyncio.Event()
        """Nothing does: all is with the kernel, or soon will be."""
        self._room = asyncio.Event()
        """Not too many replies wait."""
        self._room.set()
        self._answered = asyncio.Event()
        """No reply waits."""
        self._answered.set()
        self.watching = False
        """It has said that it will stay; until then it may only glance, or send a command."""
        self._looks: tuple[Any, ...] = ()
        """Id of the command by which it waits for a preview; empty: it has not asked for one."""

    def tell(self, line: bytes) -> None:
        """Never waits: when too many events have piled up, all give way to one snapshot."""
        if len(self._waiting) - self._replies >= _BACKLOG:
            self._waiting = deque(message for message in self._waiting if message[1])
            line = self._snapshot()
        self._put(line, is_reply=False)

    def answer(self, line: bytes) -> None:
        """Never waits, and no reply gives way: see ``ready``."""
        self._replies += 1
        self._answered.clear()
        if self._replies >= _BACKLOG:
            self._room.clear()
        self._put(line, is_reply=True)

    def _put(self, line: bytes, *, is_reply: bool) -> None:
        self._waiting.append((line, is_reply))
        self._nothing.clear()
        self._some.set()

    async def ready(self) -> None:
        """Until it has read enough of its replies to be listened to again."""
        await self._room.wait()

    async def answered(self) -> None:
        """Until all its replies are with the kernel, however long it takes to read them."""
        await self._answered.wait()

    def look(self, number: Any) -> None:
        """It waits for a preview from now on. Raises ValueError where it does already."""
        if self._looks:
            raise ValueError("a preview was asked for already and is still to come")
        self._looks = (number,)

    def show(self, preview: Mapping[str, Any]) -> None:
        """Answer what it has asked for, if it has."""
        if self._looks:
            self.answer(reply(self._looks[0], None, preview=preview))
            self._looks = ()

    async def send(self) -> None:
        """Send what waits, for as long as the connection lasts."""
        while True:
            await self._some.wait()
            while self._waiting:
                line, is_reply = self._waiting.popleft()
                self._replies -= is_reply
                if self._replies < _BACKLOG:
                    self._room.set()
                self._writer.write(line)
                await self._writer.drain()
                if not self._replies:
                    self._answered.set()
            self._some.clear()
            self._nothing.set()

    async def dismiss(self) -> None:
        """Send what waits, until nothing of it was read for a second, then end the connection."""
        left = len(self._waiting) + 1
        while not self._nothing.is_set() and len(self._waiting) < left:
            left = len(self._waiting)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._nothing.wait()
        self._writer.close()


def reply(number: Any, error: str | None, **more: Any) -> bytes:
    """The answer to the command of that id; ``error``: why it was not obeyed."""
    answer: dict[str, Any] = {"type": "reply", "id": number, "ok": error is None, **more}
    return to_line(answer if error is None else {**answer, "error": error})


def to_line(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the socket."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
