"""From a picture to lines of character cells for Textual, and to the PNG for a terminal that draws.

Runs in a thread: it takes some 10 to 40 ms, and nothing here touches a widget.
"""

from __future__ import annotations

import io
import warnings
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from renderer.images import FAULTS
from zoomtui.terminal.capabilities import DEFAULT_CELL, Colours, Pictures, Terminal
from zoomtui.terminal.pictures import ascii as ascii_art
from zoomtui.terminal.pictures import blocks, palette
from zoomtui.terminal.pictures.blocks import Cells
from zoomtui.terminal.pictures.request import Pixels, Prepared, Source, UnreadablePicture

_FORMATS = ("PNG", "JPEG")
"""Those that renders write."""
_RESET = len("\x1b[m\x1b[0m")
_COLOUR_BYTES = {"truecolor": 16, "256": 9, "16": 3, "none": 0}

_PALETTE = 256
"""Colours of a PNG: a third of the bytes, and at preview sizes next to no loss."""

SMALL = 80
"""Pixels of the longer side of what is kept of a picture for a thumbnail."""


def prepare(
    source: Source, box: tuple[int, int], pictures: Pictures, terminal: Terminal
) -> Prepared:
    """Size the picture to `box` cells (columns, rows), keeping its aspect, and make cells of it.

    Raises UnreadablePicture for a file that can't be read.
    """
    cell_width, cell_height = terminal.cell
    picture = load(source, (box[0] * cell_width, box[1] * cell_height))
    columns, rows = fit(picture.size, box, terminal.cell)
    cells = to_cells(picture, (columns, rows), pictures, terminal)
    lines, cost = to_lines(cells, terminal.colours)
    png = None
    if pictures == "kitty":
        half = (max(1, columns * cell_width // 2), max(1, rows * cell_height // 2))
        small_enough = picture.width <= half[0] and picture.height <= half[1]
        png = to_png(shrink(picture, picture.size if small_enough else half))
    of_file = small(picture) if source.path is not None else None
    return Prepared(columns, rows, lines, cost, png, of_file)


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


def fit(
    size: tuple[int, int], box: tuple[int, int], cell: tuple[int, int] = DEFAULT_CELL
) -> tuple[int, int]:
    """The largest (columns, rows) within `box` of the aspect of `size`, cells being `cell` pixels.

    At least one by one; `size` in pixels, width first.
    """
    aspect = (size[0] / cell[0]) / (size[1] / cell[1])
    columns = min(box[0], box[1] * aspect)
    return max(1, round(columns)), max(1, min(box[1], round(columns / aspect)))


def shrink(picture: Image.Image, size: tuple[int, int]) -> Pixels:
    """The picture at `size` (width, height), antialiased (Lanczos-3)."""
    scaled = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(scaled)


def to_png(pixels: Pixels) -> bytes:
    """(H, W, 3) pixels as a PNG with a palette of its own; dithering would only make it larger."""
    picture = Image.fromarray(pixels).quantize(_PALETTE, method=Image.Quantize.FASTOCTREE)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


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
    cells = to_cells(Image.fromarray(pixels), size, pictures, terminal)
    return to_lines(cells, terminal.colours)[0]


def to_cells(
    picture: Image.Image, size: tuple[int, int], pictures: Pictures, terminal: Terminal
) -> Cells:
    """The picture in `size` (columns, rows) character cells: blocks, or signs for ``ascii``."""
    columns, rows = size
    if pictures == "ascii":
        coloured = terminal.colours in {"truecolor", "256"}
        return ascii_art.ramp(shrink(picture, size), coloured=coloured, dark=terminal.dark)
    make = palette.quadrants if terminal.colours == "256" else blocks.quadrants
    return make(shrink(picture, (columns * 2, rows * 2)))


def to_lines(cells: Cells, colours: Colours) -> tuple[list[Strip], int]:
    """One line a row, neighbours of the same colours in one segment; and their cost in bytes."""
    rows, columns = cells.glyphs.shape
    plain = [[None] * columns] * rows
    front = plain if cells.front is None else cells.front.tolist()
    back = plain if cells.back is None else cells.back.tolist()
    lines, runs = [], 0
    for glyphs, in_front, behind in zip(cells.glyphs.tolist(), front, back, strict=True):
        seen = [colour if glyph else None for glyph, colour in zip(glyphs, in_front, strict=True)]
        segments = [
            Segment("".join(cells.alphabet[glyph] for _, _, glyph in run), _style(*look))
            for look, run in groupby(zip(seen, behind, glyphs, strict=True), itemgetter(0, 1))
        ]
        lines.append(Strip(segments, columns))
        runs += len(segments)
    per_run = _RESET + _COLOUR_BYTES[colours] * ((front is not plain) + (back is not plain))
    return lines, runs * per_run + rows * columns * len(cells.alphabet[-1].encode())


def _style(front: list[int] | None, back: list[int] | None) -> Style:
    return Style.from_color(  # several times as fast as Style(), and there are thousands
        Color.from_rgb(*front) if front is not None else None,
        Color.from_rgb(*back) if back is not None else None,
    )
