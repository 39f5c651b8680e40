"""Character cells: how many a picture takes, its pixels for them, and them as lines for Textual."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from zoomtui.terminal.capabilities import DEFAULT_CELL, Colours
from zoomtui.terminal.pictures.request import Drawing, Pixels

_RESET = len("\x1b[m\x1b[0m")
_COLOUR_BYTES = {"truecolor": 16, "256": 9, "16": 3, "none": 0}


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows × columns of character cells."""

    glyphs: NDArray[np.uint8]
    """(R, C) index into `alphabet`."""
    alphabet: str
    front: Pixels | None
    """(R, C, 3), or None for the terminal's own colour."""
    back: Pixels | None
    """(R, C, 3), or None for the widget's background."""


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


def to_lines(cells: Cells, colours: Colours) -> Drawing:
    """One line a row, neighbours of the same colours in one segment."""
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
    return Drawing(lines, runs * per_run + rows * columns * len(cells.alphabet[-1].encode()))


def _style(front: list[int] | None, back: list[int] | None) -> Style:
    return Style.from_color(  # several times as fast as Style(), and there are thousands
        Color.from_rgb(*front) if front is not None else None,
        Color.from_rgb(*back) if back is not None else None,
    )
