"""What is new, told to browsers as server-sent events: one source, however many look.

A browser is told what has changed since it was told last, of the newest state alone: one that
reads slowly skips what came between, and costs nothing. The source runs only while a browser looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

Parts = Mapping[str, Any]
"""Plain JSON values by name; only those that have changed are told again."""

_QUIET = 15.0
"""Seconds without news after which a word is sent all the same: is the browser still there?"""


class Feed:
    """One source and those that follow it. Belongs to one event loop."""

    def __init__(self, source: Callable[[], AsyncIterator[Parts]]) -> None:
        """``source``: each value replaces the one before."""
        self._source = source
        self._parts: Parts = {}
        self._news = asyncio.Event()
        self._followers = 0
        self._running: asyncio.Task[None] | None = None
        self._over = False

    async def follow(self) -> AsyncIterator[bytes]:
        """Events as they go over the wire, until the server ends."""
        told: dict[str, Any] = {}
        self._begin()
        try:
            yield b"retry: 2000\n\n"
            while not self._over:
                news = self._news
                changed = {k: v for k, v in self._parts.items() if k not in told or told[k] != v}
                if changed:
                    told |= changed
                    yield b"data: " + json.dumps(changed, separators=(",", ":")).encode() + b"\n\n"
                    continue
                if self._running is not None and self._running.done():
                    self._running.result()  # a bug: it never ends by itself
                try:
                    async with asyncio.timeout(_QUIET):
                        await news.wait()
                except TimeoutError:
                    yield b":\n\n"
        finally:
            self._leave()

    def end(self) -> None:
        """Let all go."""
        self._over = True
        self._tell()

    def _begin(self) -> None:
        self._followers += 1
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(lambda _: self._tell())

    def _leave(self) -> None:
        self._followers -= 1
        if not self._followers and self._running is not None:
            self._running.cancel()
            self._running, self._parts = None, {}

    async def _run(self) -> None:
        async with contextlib.aclosing(self._source()) as values:  # type: ignore[type-var]
            async for self._parts in values:
                self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
