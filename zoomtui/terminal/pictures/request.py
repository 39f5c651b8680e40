"""What is asked of ``prepare``, and what that makes. Loads neither NumPy nor Pillow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from textual.strip import Strip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pixels: TypeAlias = "NDArray[np.uint8]"
"""(H, W, 3) uint8 sRGB."""


class UnreadablePicture(Exception):
    """The file holds no picture that can be read; the message is one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A picture before it is sized: `rgb` (height × width × 3 bytes, sRGB), or a file."""

    rgb: bytes = b""
    width: int = 0
    height: int = 0
    path: Path | None = None

    def __post_init__(self) -> None:
        if self.path is None and len(self.rgb) != self.width * self.height * 3:
            raise ValueError(
                f"{len(self.rgb)} bytes are no RGB picture of {self.width}×{self.height}"
            )


class Part(NamedTuple):
    """Cells of a picture: from `left` and `top` up to, and without, `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


class Over(NamedTuple):
    """How a picture is drawn over its cells, whenever they are painted."""

    draw: Callable[[Part], str]
    """The sequence that draws so much of it, from the cursor on."""
    most: tuple[int, int]
    """Columns and rows that the terminal takes at once."""


class Ahead(NamedTuple):
    """What the terminal must be sent before cells can show a picture that it keeps."""

    pieces: list[str]
    """In order, and with no other graphics in between; text may be."""
    abandon: str
    """Ends it half-way, and frees what came."""
    delete: str
    """Frees the whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A picture as one kind shows it, at one size."""

    lines: list[Strip]
    """What is painted: its cells."""
    cost: int = 0
    """About how many bytes painting `lines` sends to the terminal."""
    image: int = 0
    """By which it is kept: by the terminal, or, below 0, by the ``layer``; 0: it isn't."""
    ahead: Ahead | None = None
    over: Over | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready to be put on the screen."""

    drawing: Drawing
    covered: list[Strip]
    """The same in characters, for where the terminal's graphics can't be."""
    small: Pixels | None = None
    """The picture of a file once more, as ``prepare.small`` makes it: it was decoded anyway."""
