"""The way to the terminal, shared by all the pictures of an app: a budget, and one at a time.

Pictures may use so many bytes a second, and nothing while what was painted before still waits for
the terminal. A transmission of graphics has the line to itself until its last piece; text may pass
in between, so the rest of the interface never waits for more than a piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic
from typing import Any

from textual.app import App

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.driver import TerminalDriver, backlog
from zoomtui.terminal.pictures.layer import Layer
from zoomtui.terminal.pictures.request import Drawing, Over, Part
from zoomtui.terminal.probe import cell_size

BYTES_PER_SECOND = 64 * 1024
"""Over a network."""
LOCAL_BYTES_PER_SECOND = 1024 * 1024
"""To a terminal on this machine."""

_SCREEN = 2
"""The file descriptor that Textual draws on."""
_CROWD = 2
"""Writes that may wait for the terminal; with more, a picture waits too."""
_LOOK_AGAIN = 0.05
"""Seconds between looks at the writes that wait: the queue has no way to tell when it empties."""
_PLAIN = Terminal("", "truecolor", "blocks")


class Budget:
    """A token bucket that may go into debt: what is sent is sent, and then waited for."""

    def __init__(self, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._tokens = per_second
        self._then = clock()

    def spend(self, size: int) -> None:
        """So many bytes are on their way."""
        self._tokens -= size

    def wait(self) -> float:
        """Seconds until something may be sent again; 0 for now."""
        now = self._clock()
        earned = (now - self._then) * self._per_second
        self._tokens = min(self._per_second, self._tokens + earned)
        self._then = now
        return max(0.0, -self._tokens / self._per_second)


class Link:
    """One for an app; see :meth:`of`."""

    def __init__(
        self, app: App[Any], terminal: Terminal, bytes_per_second: float = BYTES_PER_SECOND
    ) -> None:
        self._app = app
        self._terminal = terminal
        self._cell = cell_size(_SCREEN)
        self.bytes_per_second = bytes_per_second
        self._budget = Budget(bytes_per_second)
        self._line = asyncio.Lock()
        self._kept: dict[int, str] = {}
        self._layer = Layer()

    @classmethod
    def of(cls, app: App[Any]) -> Link:
        """The app's own, made at the first call; it is kept as the app's `picture_link`.

        The terminal is the app's `terminal`; without one, plain blocks in 24-bit colours.
        """
        link = getattr(app, "picture_link", None)
        if not isinstance(link, cls):
            terminal = getattr(app, "terminal", _PLAIN)
            rate = BYTES_PER_SECOND if terminal.remote else LOCAL_BYTES_PER_SECOND
            link = cls(app, terminal, rate)
            app.picture_link = link  # type: ignore[attr-defined]
        return link

    @property
    def terminal(self) -> Terminal:
        """As it was found, with the size that its cells have by now: users change the font."""
        cell = cell_size(_SCREEN)
        if cell is None or cell == self._cell:
            return self._terminal
        return replace(self._terminal, cell=cell)

    async def ready(self) -> None:
        """Return when the next picture, or piece of one, may go."""
        while (wait := self._budget.wait()) > 0 or backlog(self._app) > _CROWD:
            await asyncio.sleep(max(wait, _LOOK_AGAIN))

    def spend(self, size: int) -> None:
        """So many bytes of a picture will be painted."""
        self._budget.spend(size)

    def write(self, text: str) -> None:
        """Through Textual's own queue, so that it stays in order with what Textual paints."""
        driver = self._app._driver
        if driver is not None:
            driver.write(text)

    async def put(self, drawing: Drawing, corner: Callable[[], tuple[int, int]]) -> bool:
        """Make ready what painting the drawing's lines needs; `corner` as in :class:`Layer`.

        What goes ahead of them is sent as the budget allows, and taken back when this is cancelled
        half-way. False where the screen was given back meanwhile, and the picture with it.
        """
        self.spend(drawing.cost)
        if drawing.over is not None:
            self.layer.add(drawing.image, self._spending(drawing.over), corner)
        if drawing.ahead is None:
            return True
        pieces, abandon, delete = drawing.ahead
        async with self._line:
            begun = False
            try:
                for piece in pieces:
                    await self.ready()
                    if begun and drawing.image not in self._farewells:
                        return False
                    self._farewells[drawing.image] = abandon
                    self.spend(len(piece))
                    self.write(piece)
                    begun = True
            except asyncio.CancelledError:
                self.drop([drawing.image])
                raise
            self._farewells[drawing.image] = delete
            return True

    def drop(self, images: Iterable[int]) -> None:
        """Free what the terminal keeps for these ids."""
        for image in images:
            self.layer.drop(image)
            if farewell := self._farewells.pop(image, ""):
                self.write(farewell)

    def _spending(self, over: Over) -> Over:
        def draw(part: Part) -> str:
            sequence = over.draw(part)
            self.spend(len(sequence))
            return sequence

        return Over(draw, over.most)

    @property
    def layer(self) -> Layer:
        """The driver's, or one that draws nothing where there is no such driver."""
        driver = self._app._driver
        return driver.layer if isinstance(driver, TerminalDriver) else self._layer

    @property
    def _farewells(self) -> dict[int, str]:
        """How to free each picture that the terminal keeps; the driver does it at the end."""
        driver = self._app._driver
        return driver.farewells if isinstance(driver, TerminalDriver) else self._kept
