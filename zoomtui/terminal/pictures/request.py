"""What is asked of ``prepare``, and what that makes. Loads neither NumPy nor Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

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


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture ready to be put on the screen."""

    columns: int
    rows: int
    lines: list[Strip]
    """As text; what to show where `png` can't be."""
    cost: int
    """About how many bytes painting `lines` sends to the terminal."""
    png: bytes | None = None
    """For kitty: half the pixels each way that the cells have, or fewer where the picture has no
    more; the terminal enlarges it."""
    small: Pixels | None = None
    """The picture of a file once more, as :func:`small` makes it: it was decoded anyway."""
