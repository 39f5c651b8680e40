"""Textual's driver for a real terminal, made fit for slow lines and for terminals that go away.

Seven things differ from the driver that ships with Textual 8: replies of the terminal never become
key presses; bytes that are no UTF-8 (the mouse reports of a re-attached VS Code) neither end the
program nor press keys; a terminal that is gone ends the app instead of spinning on it; a process
that is stopped and continued from outside goes on as it was; writing to a slow line never blocks
the event loop; there can be last words before the screen is given back; and pictures can lie over
the cells.
Use it as ``App(driver_class=TerminalDriver)``.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Event
from time import monotonic
from typing import Any

from textual import constants
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from zoomtui.terminal.pictures.layer import Layer
from zoomtui.terminal.replies import ReplyFilter

_TICK = 0.1
"""Seconds between looks at what was held back; Textual's own interval."""


def backlog(app: App[Any]) -> int:
    """How many writes to the terminal still wait for it; 0 where that is unknown (no real driver).

    A frame is three writes. While more than that wait, another frame would only come later.
    """
    writer = getattr(app._driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue.qsize() if queue is not None else 0


def typed(fileno: int, ended: Event, clock: Callable[[], float] = monotonic) -> Iterator[str]:
    """What is typed at the terminal `fileno`, without its replies; now and then an empty text.

    Ends when `ended` is set, and when the terminal is gone. `clock` gives seconds.
    """
    replies = ReplyFilter(constants.ESCAPE_DELAY)
    decode = getincrementaldecoder("utf-8")("replace").decode
    with selectors.SelectSelector() as selector:
        selector.register(fileno, selectors.EVENT_READ)
        while not ended.is_set():
            if not selector.select(_TICK):
                yield replies.overdue(clock())
                continue
            # What has arrived is read before anything held back is given up: this thread may
            # have had to wait for the processor, which says nothing about the terminal.
            try:
                received = os.read(fileno, 4096)
            except OSError:
                return
            if not received:
                return
            yield decode(replies.feed(received.decode("latin-1"), clock()).encode("latin-1"))


class TerminalDriver(LinuxDriver):
    """See the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.farewells: dict[int, str] = {}
        """Escape sequences still to be written before the screen is given back, at the end or for a
        while, by a number that their writer chose. Afterwards they would reach another screen:
        terminals keep the pictures of each apart."""
        self.layer = Layer()

    def write(self, data: str) -> None:
        """As in Textual, with the pictures that lie over the cells which are painted."""
        super().write(self.layer.paint(data, self._app.size))

    def stop_application_mode(self) -> None:
        """As in Textual, after the farewells."""
        for sequence in self.farewells.values():
            self.write(sequence)
        self.farewells.clear()
        self.layer.clear()
        super().stop_application_mode()

    def start_application_mode(self) -> None:
        """As in Textual, and the queue of writes gets no limit.

        Textual's holds 30 and then blocks the event loop until the terminal has read one. A
        caller that writes much asks :func:`backlog` first.
        """
        super().start_application_mode()  # type: ignore[no-untyped-call]
        queue = getattr(self._writer_thread, "_queue", None)
        if queue is not None:
            queue.maxsize = 0

    def _sigcont_application(self, *_: object) -> None:
        """The process continues, after Ctrl-Z or after a stop from outside.

        Textual starts its application mode again either way. After a stop that the app did not
        see coming (``kill -STOP``, a frozen container) that mode never ended, and a second thread
        that reads the keyboard would hold up the end of the program: then the app only repaints.
        """
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            self.layer.forget()
            self._loop.call_soon_threadsafe(partial(self._app.refresh, layout=True))

    def run_input_thread(self) -> None:
        """Read the keyboard until told to stop or until the terminal is gone."""
        parser = XTermParser(self._debug)
        for text in typed(self.fileno, self.exit_event):
            if text:  # to the parser an empty text is the end
                for message in parser.feed(text):
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
        if not self.exit_event.is_set():
            self._loop.call_soon_threadsafe(self._app.exit)
            return
        with suppress(EOFError, ParseError):
            list(parser.feed(""))  # the end; what it still makes of half a sequence is dropped
