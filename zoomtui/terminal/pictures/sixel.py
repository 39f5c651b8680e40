"""Pictures as sixels: bands six pixels high, each painted colour after colour.

A sixel is a column of six pixels, any of which it paints in the colour in hand. Form: "VT330/VT340
Programmer Reference Manual", volume 2, chapter 14. It has pixels of the terminal's own, so the size
of a cell must be known, and it can't be enlarged: a slow line gets fewer colours, then larger
pixels.
"""

from __future__ import annotations

from functools import partial
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures.cells import shrink
from zoomtui.terminal.pictures.layer import first_within, over_cells
from zoomtui.terminal.pictures.request import Drawing, Part, Pixels

_RUNGS = (
    (256, True, 1),
    (64, True, 1),
    (32, True, 1),
    (32, False, 1),
    (16, False, 1),
    (16, False, 2),
)
"""Colours, whether dithered, and the side of what a pixel is shown as: from the best to the
cheapest. Each takes some three quarters of the bytes of the one before."""

_BAND = 6
_BLANK = ord("?")
"""A sixel of no pixels; the six bits of others are counted from there."""
_COUNTS = np.array(["", "", "", "", *(f"!{n}" for n in range(4, 10_000))], "S5")
"""How a repetition begins; up to three are cheaper written out."""
_NAMES = np.array([f"#{n}" for n in range(256)], "S4")

Indexes = NDArray[np.uint8]
"""(H, W): which colour of a palette."""


def draw(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int
) -> Drawing | None:
    """In as many colours as the terminal has, and a sequence of `limit` bytes, allow."""
    cell, graphic = terminal.cell, terminal.graphic
    whole = Image.fromarray(shrink(picture, (size[0] * cell[0], size[1] * cell[1])))
    most = (max(1, graphic[0] // cell[0]), max(1, graphic[1] // cell[1]))

    def drawing(colours: int, dithered: bool, scale: int) -> Drawing:
        side = (ceil(whole.width / scale), ceil(whole.height / scale))
        pixels = shrink(whole, side) if scale > 1 else np.asarray(whole)
        indexes, palette = quantised(pixels, min(colours, terminal.registers), dithered=dithered)
        indexes = indexes.repeat(scale, axis=0).repeat(scale, axis=1)
        return over_cells(partial(_part, indexes, palette, cell), size, most)

    return first_within(limit, (drawing(*rung) for rung in _RUNGS))


def _part(indexes: Indexes, palette: Pixels, cell: tuple[int, int], part: Part) -> str:
    rows = slice(part.top * cell[1], part.bottom * cell[1])
    return encode(indexes[rows, part.left * cell[0] : part.right * cell[0]], palette)


def quantised(pixels: Pixels, colours: int, *, dithered: bool) -> tuple[Indexes, Pixels]:
    """(H, W, 3) pixels in at most `colours` of their own: indexes, and the palette (N, 3)."""
    picture = Image.fromarray(pixels)
    reduced = picture.quantize(colours, method=Image.Quantize.FASTOCTREE)
    if dithered:
        reduced = picture.quantize(palette=reduced, dither=Image.Dither.FLOYDSTEINBERG)
    palette = np.array(reduced.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return np.asarray(reduced), palette


def encode(indexes: Indexes, palette: Pixels) -> str:
    """The sequence that paints (H, W) `indexes` of at most 256 colours; W below 10,000.

    Every pixel is painted. Each band goes through its colours in order, each as runs of equal
    sixels; the bytes of all runs are laid out as rows of one array whose gaps are zeros.
    """
    height, width = indexes.shape
    y, x = np.arange(height)[:, None], np.arange(width)
    lines = y // _BAND * 256 + indexes  # a colour of a band
    found = np.sort(((lines * width + x) << _BAND | 1 << y % _BAND).ravel())
    cells, bits = found >> _BAND, found & (1 << _BAND) - 1
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    sixels = np.add.reduceat(bits, starts)
    line, column = np.divmod(cells[starts], width)
    begins = np.flatnonzero(
        (np.diff(cells[starts], prepend=-2) != 1)
        | (np.diff(line, prepend=-1) != 0)
        | (np.diff(sixels, prepend=-1) != 0)
    )
    length = np.diff(begins, append=len(starts))
    line, column, sixels = line[begins], column[begins], sixels[begins]
    fresh = np.diff(line, prepend=-1) != 0
    gap = column - np.where(fresh, 0, np.roll(column + length, 1))
    turns = np.where(np.diff(line // 256, prepend=0) != 0, b"-", b"$")
    turns[0] = b""
    names = np.where(fresh, _NAMES[line % 256], b"")
    starts_anew = (_bytes(np.where(fresh, turns, b"")), _bytes(names))
    rows = (*starts_anew, *_repeated(gap, _BLANK), *_repeated(length, sixels + _BLANK))
    body = np.concatenate(rows, axis=1)
    used = np.unique(indexes)
    percents = np.rint(palette[used] / 255 * 100).astype(int).tolist()
    colours = [f"#{n};2;{r};{g};{b}" for n, (r, g, b) in zip(used, percents, strict=True)]
    painted = body[body > 0].tobytes().decode("ascii")
    return f'\x1bP0;1;0q"1;1;{width};{height}{"".join(colours)}{painted}\x1b\\'


def _repeated(
    times: NDArray[np.intp], sign: NDArray[np.int64] | int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The bytes for `sign` so many times."""
    written = np.where(times > 3, 1, times)[:, None] > np.arange(3)
    return _bytes(_COUNTS[times]), written * np.asarray(sign, np.uint8).reshape(-1, 1)


def _bytes(texts: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    return texts.view(np.uint8).reshape(len(texts), -1)
