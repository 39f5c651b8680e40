"""Keys one after another: each is looked at only when all that the one before caused is done.

Textual gives a key to the widget with the focus, and the next key too, before the first has found
its way up to the app, where most keys do something. When keys come in one go, as over a slow
line, a later one would then reach a screen that an earlier one has closed. Knows no screen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Any

from textual.app import App
from textual.events import Key, Paste
from textual.message_pump import MessagePump

Pressed = Key | Paste

_ROUNDS = 2
"""The key's own way up to the app, and that of the message which a widget may send because of it
(a chosen option, a line that was entered)."""


class KeyOrder:
    """What was typed and has yet to be handled by an app."""

    def __init__(self, app: App[Any], handle: Callable[[Pressed], Awaitable[None]]) -> None:
        """``handle`` does with one of them what Textual does."""
        self._app = app
        self._handle = handle
        self._typed: deque[Pressed] = deque()

    async def press(self, pressed: Pressed) -> None:
        """Handle it at once, or after those that came before."""
        self._typed.append(pressed)
        if len(self._typed) == 1:
            await self._begin()

    async def _begin(self) -> None:
        way: list[MessagePump] = list((self._app.focused or self._app.screen).ancestors_with_self)
        await self._handle(self._typed[0])
        await self._follow(chain.from_iterable([way] * _ROUNDS))

    async def _follow(self, way: Iterator[MessagePump]) -> None:
        """Wait until each of ``way`` has handled all that it was sent until now; then the next key.

        One that is closed takes nothing any more.
        """
        for pump in way:
            if pump.call_later(self._follow, way):
                return
        self._typed.popleft()
        if self._typed:
            await self._begin()
