"""How a painter sends the user a line: a retry, a fallback, a download, a warm-up.

``note("…")`` from anywhere below a painter's factory or its ``paint``, on the thread that paints.
The engine decides who listens; where it sets no listener, the line goes to the log. A context
variable carries the listener, so that nothing has to be handed through every call, and two engines
in one process don't hear each other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger("renderer.painting")

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def note(text: str) -> None:
    """Say one line that is worth showing and is no error."""
    listener = _listener.get()
    if listener is None:
        log.info("%s", text)
    else:
        listener(text)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand what is noted on this thread to ``listener`` while the block runs."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
