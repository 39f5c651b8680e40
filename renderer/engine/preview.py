"""A picture that is not finished yet, on its way from the painter to a viewer.

A plain frozen value that can be turned into a JSON message and read back. Its pixels are raw, so
that no image codec is needed. It is no event: it is not kept, logged or counted. Knows no painter
and no socket.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from renderer.journal import Count

LONGEST_SIDE = 256
"""Pixels; a viewer takes nothing larger."""
Side = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_SIDE)]


@dataclass(frozen=True, slots=True)
class Preview:
    """One moment of a keyframe in the making."""

    keyframe: Count
    step: Count
    steps: Count
    """Of how many; ``step`` is 0 before the first is done."""
    width: Side
    height: Side
    rgb: bytes
    """height × width × 3 bytes, sRGB, rows from the top."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` takes them back."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preview:
        """The inverse of ``to_json``. Raises ValueError for what is no preview."""
        try:
            preview = msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise ValueError(f"no preview: {error}") from None
        size, rows, columns = len(preview.rgb), preview.height, preview.width
        if size != rows * columns * 3:
            raise ValueError(f"no preview: {size} bytes for {columns}x{rows} pixels")
        return preview


class PreviewRequests:
    """Between a painter that could show its unfinished picture and viewers that ask to see it.

    A request is answered once, at the painter's next step; where no viewer asks, nothing is made.
    All methods may be called from any thread.
    """

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
