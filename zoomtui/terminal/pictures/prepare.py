"""From a picture to what is put on the screen.

Runs in a thread: it takes some 10 to 40 ms, and nothing here touches a widget.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from PIL import Image
from textual.strip import Strip

from renderer.images import FAULTS
from zoomtui.terminal.capabilities import Pictures, Terminal, in_cells
from zoomtui.terminal.pictures.cells import fit, shrink
from zoomtui.terminal.pictures.placeholders import MOST
from zoomtui.terminal.pictures.request import Drawing, Pixels, Prepared, Source, UnreadablePicture

_FORMATS = ("PNG", "JPEG")
"""Those that renders write."""

SMALL = 80
"""Pixels of the longer side of what is kept of a picture for a thumbnail."""


class Kind(Protocol):
    """A kind of pictures: a module of its own, named as the word for it."""

    def draw(
        self, picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int
    ) -> Drawing | None:
        """The RGB picture, of any size, in `size` (columns, rows) cells. Runs in a thread.

        None where graphics would take more than `limit` bytes; characters are always drawn.
        """


def kind(pictures: Pictures) -> Kind:
    """That of the word, which is not ``off``."""
    return cast("Kind", import_module(f"zoomtui.terminal.pictures.{pictures}"))


def prepare(
    source: Source, box: tuple[int, int], pictures: Pictures, terminal: Terminal, limit: int
) -> Prepared:
    """Size the picture to `box` cells (columns, rows), keeping its aspect, and draw it.

    In characters where it would take more than `limit` bytes otherwise.
    Raises UnreadablePicture for a file that can't be read.
    """
    columns, rows = (min(side, MOST) for side in box)
    picture = load(source, (columns * terminal.cell[0], rows * terminal.cell[1]))
    size = fit(picture.size, (columns, rows), terminal.cell)
    plain = in_cells(pictures)
    drawing = covered = _in_characters(picture, size, plain, terminal)
    if pictures != plain:
        drawing = kind(pictures).draw(picture, size, terminal, limit) or covered
    return Prepared(drawing, covered.lines, small(picture) if source.path is not None else None)


def load(source: Source, wanted: tuple[int, int] | None = None) -> Image.Image:
    """The picture, RGB. A JPEG may come smaller, though no smaller than `wanted` (decodes faster).

    Raises UnreadablePicture.
    """
    if source.path is None:
        size = (source.width, source.height)
        return Image.frombuffer("RGB", size, source.rgb, "raw", "RGB", 0, 1)
    try:
        with warnings.catch_warnings(), Image.open(source.path, formats=_FORMATS) as file:
            warnings.simplefilter("ignore")
            if wanted is not None:
                file.draft("RGB", wanted)
            return file.convert("RGB")
    except FAULTS as error:
        raise UnreadablePicture(f"{source.path.name}: {error}") from None


def small(picture: Image.Image) -> Pixels:
    """As much of the picture as a thumbnail needs: the longer side is :data:`SMALL` pixels."""
    scale = SMALL / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return shrink(picture, (width, height))


def small_of(path: Path) -> Pixels:
    """The same of a file. Raises UnreadablePicture."""
    return small(load(Source(path=path), (SMALL, SMALL)))


def thumbnail(
    pixels: Pixels, size: tuple[int, int], pictures: Pictures, terminal: Terminal
) -> list[Strip]:
    """Lines of exactly `size` (columns, rows) that show what :func:`small` has made."""
    return _in_characters(Image.fromarray(pixels), size, pictures, terminal).lines


def _in_characters(
    picture: Image.Image, size: tuple[int, int], pictures: Pictures, terminal: Terminal
) -> Drawing:
    drawing = kind(pictures).draw(picture, size, terminal, 0)
    assert drawing is not None
    return drawing
