"""From a picture to lines of character cells for Textual, and to the PNG for a terminal that draws.

Runs in a thread: it takes some 10 to 40 ms, and nothing here touches a widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from zoomtui.terminal.capabilities import Colours, Pictures
from zoomtui.terminal.pictures import ascii as ascii_art
from zoomtui.terminal.pictures import blocks, kitty, palette
from zoomtui.terminal.pictures.blocks import Cells
from zoomtui.terminal.pictures.fit import Pixels, Source, fit, load, shrink

_RESET = len("\x1b[m\x1b[0m")
_COLOUR_BYTES = {"truecolor": 16, "256": 9, "16": 3, "none": 0}

SMALL = 80
"""Pixels of the longer side of what is kept of a picture for a thumbnail."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What to make, for a box of `box` cells (columns, rows) of `cell` pixels each."""

    source: Source
    box: tuple[int, int]
    cell: tuple[int, int]
    pictures: Pictures
    colours: Colours
    dark: bool = True


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


def prepare(request: Request) -> Prepared:
    """Size the picture to the box, keeping its aspect, and make cells of it.

    Raises UnreadablePicture for a file that can't be read.
    """
    cell_width, cell_height = request.cell
    wanted = (request.box[0] * cell_width, request.box[1] * cell_height)
    picture = load(request.source, wanted)
    columns, rows = fit(picture.size, request.box, request.cell)
    cells = to_cells(picture, (columns, rows), request.pictures, request.colours, request.dark)
    lines, cost = to_lines(cells, request.colours)
    png = None
    if request.pictures == "kitty":
        half = (max(1, columns * cell_width // 2), max(1, rows * cell_height // 2))
        small_enough = picture.width <= half[0] and picture.height <= half[1]
        png = kitty.png(shrink(picture, picture.size if small_enough else half))
    of_file = small(picture) if request.source.path is not None else None
    return Prepared(columns, rows, lines, cost, png, of_file)


def small(picture: Image.Image) -> Pixels:
    """As much of the picture as a thumbnail needs: the longer side is :data:`SMALL` pixels."""
    scale = SMALL / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return shrink(picture, (width, height))


def small_of(path: Path) -> Pixels:
    """The same of a file. Raises UnreadablePicture."""
    return small(load(Source(path=path), (SMALL, SMALL)))


def thumbnail(
    pixels: Pixels, size: tuple[int, int], pictures: Pictures, colours: Colours, dark: bool
) -> list[Strip]:
    """Lines of exactly `size` (columns, rows) that show what :func:`small` has made."""
    picture = Image.fromarray(pixels)
    return to_lines(to_cells(picture, size, pictures, colours, dark), colours)[0]


def to_cells(
    picture: Image.Image,
    size: tuple[int, int],
    pictures: Pictures,
    colours: Colours,
    dark: bool,
) -> Cells:
    """The picture in `size` (columns, rows) character cells: blocks, or signs for ``ascii``."""
    columns, rows = size
    if pictures == "ascii":
        coloured = colours in {"truecolor", "256"}
        return ascii_art.ramp(shrink(picture, (columns, rows)), coloured=coloured, dark=dark)
    make = palette.quadrants if colours == "256" else blocks.quadrants
    return make(shrink(picture, (columns * 2, rows * 2)))


def to_lines(cells: Cells, colours: Colours) -> tuple[list[Strip], int]:
    """One line a row, neighbours of the same colours in one segment; and their cost in bytes."""
    rows, columns = cells.glyphs.shape
    front = cells.front.tolist() if cells.front is not None else None
    back = cells.back.tolist() if cells.back is not None else None
    lines, runs = [], 0
    for row in range(rows):
        segments: list[Segment] = []
        text, style, current = "", Style.null(), None
        for column, glyph in enumerate(cells.glyphs[row].tolist()):
            key = (
                tuple(front[row][column]) if front is not None and glyph else None,
                tuple(back[row][column]) if back is not None else None,
            )
            if key != current:
                if text:
                    segments.append(Segment(text, style))
                text, style, current = "", _style(*key), key
            text += cells.alphabet[glyph]
        segments.append(Segment(text, style))
        lines.append(Strip(segments, columns))
        runs += len(segments)
    per_run = _RESET + _COLOUR_BYTES[colours] * ((front is not None) + (back is not None))
    return lines, runs * per_run + rows * columns * len(cells.alphabet[-1].encode())


def _style(front: tuple[int, ...] | None, back: tuple[int, ...] | None) -> Style:
    return Style.from_color(  # several times as fast as Style(), and there are thousands
        Color.from_rgb(*front) if front is not None else None,
        Color.from_rgb(*back) if back is not None else None,
    )


def placeholder_lines(image: int, columns: int, rows: int) -> list[Strip]:
    """The lines that show picture `image` where kitty's placeholders are understood."""
    style = Style(color=Color.from_rgb(*kitty.id_colour(image)))
    return [
        Strip([Segment(kitty.placeholder_row(row, columns), style)], columns) for row in range(rows)
    ]
