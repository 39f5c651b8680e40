"""Between a painter that could show its unfinished picture and viewers that ask to see it.

A viewer's request is answered once, at the painter's next step; where no viewer asks, nothing is
made. Knows no painter and no socket. All methods may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from renderer.engine.preview import Preview


class PreviewRequests:
    """Whether a preview is asked for, and the listener that gets it."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._listener: Callable[[Preview], None] = lambda preview: None

    def listen(self, listener: Callable[[Preview], None]) -> None:
        """Hand each preview to ``listener``, on the painter's thread: it must be quick."""
        self._listener = listener

    def ask(self) -> None:
        """Ask the painter to show its picture, once."""
        self._asked.set()

    def wanted(self) -> bool:
        return self._asked.is_set()

    def show(self, preview: Preview) -> None:
        """Answer all requests made so far."""
        self._asked.clear()
        self._listener(preview)
