"""The kinds of pictures, each a module of its own that is named as the word for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from zoomtui.terminal.capabilities import Pictures, Terminal
from zoomtui.terminal.pictures.request import Drawing

if TYPE_CHECKING:
    from PIL import Image


class Kind(Protocol):
    """What such a module has."""

    def draw(
        self, picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int
    ) -> Drawing | None:
        """The RGB picture, of any size, in `size` (columns, rows) cells. Runs in a thread.

        None where graphics would take more than `limit` bytes; characters are always drawn.
        """


def kind(pictures: Pictures) -> Kind:
    """That of the word, which is not ``off``."""
    return cast("Kind", import_module(f"zoomtui.terminal.pictures.{pictures}"))
