"""Quadrant blocks in the 256 colours of xterm, with a dithering of their own.

A cell is shown in whichever is nearer of two ways: its best split with either colour replaced by
the nearest of the palette; or a mixture, one, two or three quarters of the cell in one colour of
the palette and the rest in another, such that their light adds up to the cell's mean. The second is
ordered dithering after the idea of Yliluoma's: no error travels from cell to cell, so a still part
of a picture stays still from one picture to the next.

Nearness is measured in OKLab (Björn Ottosson, 2020), mixing is done in linear light. The colours of
the cells are 24-bit ones that Rich, as it downgrades them behind our back, turns into the very
entries that were chosen here (its own arithmetic is off by one for the lighter greys).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorSystem

from zoomtui.terminal.pictures.blocks import GLYPHS, SPLITS, by_cell, group_means
from zoomtui.terminal.pictures.cells import Cells
from zoomtui.terminal.pictures.request import Pixels

Floats = NDArray[np.float32]

_LEVELS = 32
"""Steps a channel of the table of nearest colours."""

_QUARTERS = np.array([0.25, 0.5, 0.75], np.float32)
_MIXED_GLYPHS = np.array([1, 6, 7], np.uint8)  # ▘ ▞ ▛: a quarter, a half, three quarters in front

_MEAN_WEIGHT = 1.5
"""How much the mean of a cell counts: from afar it is all that is seen."""
_DETAIL_WEIGHTS = np.array([1.0, 2.5, 2.5], np.float32)
"""How much each of its pixels counts, by lightness and by either axis of colour: a pattern of light
and dark passes for a tone, a pattern of pink and green for nothing but noise."""


def _linear(colours: Pixels | Floats) -> Floats:
    """sRGB of 0 to 255 as linear light of 0 to 1 (IEC 61966-2-1)."""
    x = np.asarray(colours, np.float32) / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(light: Floats) -> Floats:
    """Linear light (…, 3) as OKLab; L from 0 to 1."""
    return (np.cbrt(np.maximum(light, 0) @ _TO_LMS.T) @ _TO_LAB.T).astype(np.float32)


@cache
def _entries() -> dict[int, tuple[int, int, int]]:
    """Number of an entry: the 24-bit colour that Rich downgrades to it, its own where possible."""
    greys = [(level, level, level) for level in range(256)]
    own = [tuple(Color.from_ansi(number).get_truecolor()) for number in range(16, 256)]
    found: dict[int, tuple[int, int, int]] = {}
    for red, green, blue in [*own, *greys]:
        number = Color.from_rgb(red, green, blue).downgrade(ColorSystem.EIGHT_BIT).number
        if number is None or number < 16:
            continue
        exact = (red, green, blue) == tuple(Color.from_ansi(number).get_truecolor())
        if exact or number not in found:
            found[number] = (red, green, blue)
    return dict(sorted(found.items()))


@cache
def colours() -> Pixels:
    """(P, 3): the colours in use, as the terminal shows them."""
    shown = [tuple(Color.from_ansi(number).get_truecolor()) for number in _entries()]
    return np.array(shown, np.uint8)


@cache
def codes() -> Pixels:
    """(P, 3): the 24-bit colours that Rich turns into them."""
    return np.array(list(_entries().values()), np.uint8)


@cache
def _nearest_table() -> NDArray[np.uint8]:
    """(32, 32, 32): for every colour, in steps of the cube root of light, the nearest in use.

    The cube root gives dark colours their share of the steps; they are what a night sky is made of.
    """
    steps = np.linspace(0, 1, _LEVELS, dtype=np.float32) ** np.float32(3)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    wanted = oklab(grid.reshape(-1, 3))
    have = oklab(_linear(colours()))
    distance = (have**2).sum(axis=1) - 2 * (wanted @ have.T)  # the rest is the same for all
    table: NDArray[np.uint8] = distance.argmin(axis=1).astype(np.uint8)
    return table.reshape(_LEVELS, _LEVELS, _LEVELS)


def nearest(light: Floats) -> NDArray[np.uint8]:
    """Index into :func:`colours` of the nearest to linear light (…, 3)."""
    steps = np.rint(np.cbrt(np.clip(light, 0, 1)) * (_LEVELS - 1)).astype(np.intp)
    found: NDArray[np.uint8] = _nearest_table()[steps[..., 0], steps[..., 1], steps[..., 2]]
    return found


def quadrants(pixels: Pixels) -> Cells:
    """Quadrant blocks for (2R, 2C, 3) pixels, every colour one of :func:`codes`."""
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    light = _linear(by_cell(pixels))
    candidates = [*_split(light), *_mixed(light)]
    errors = np.stack([_error(light, candidate) for candidate in candidates])
    best = errors.argmin(axis=0)
    each = np.arange(len(light))
    glyph, front, back = (
        np.stack([candidate[part] for candidate in candidates])[best, each] for part in range(3)
    )
    return Cells(
        glyph.astype(np.uint8).reshape(rows, columns),
        GLYPHS,
        codes()[front].reshape(rows, columns, 3),
        codes()[back].reshape(rows, columns, 3),
    )


Candidate = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""(N,) each: the glyph, and the indexes of the colours in front and behind."""


def _split(light: Floats) -> list[Candidate]:
    """Every split, with the palette's nearest to its two colours."""
    front, back = group_means(light)
    number = len(light)
    return [
        (np.full(number, split, np.uint8), nearest(front[:, split]), nearest(back[:, split]))
        for split in range(len(GLYPHS))
    ]


def _mixed(light: Floats) -> list[Candidate]:
    """Mixtures: the nearest colour, and the one that best makes up for what it lacks."""
    palette = _linear(colours())
    mean = light.mean(axis=1)
    base = nearest(mean)
    found: list[Candidate] = []
    for share, glyph in zip(_QUARTERS, _MIXED_GLYPHS, strict=True):
        lacking = (mean - (1 - share) * palette[base]) / share
        found.append((np.full(len(light), glyph, np.uint8), nearest(lacking), base))
    return found


def _error(light: Floats, candidate: Candidate) -> Floats:
    """(N,): how far a candidate is from the cells, in squared OKLab."""
    glyph, front, back = candidate
    palette = _linear(colours())
    in_front = SPLITS[glyph][..., None] > 0
    shown = np.where(in_front, palette[front][:, None], palette[back][:, None])
    detail = (((oklab(shown) - oklab(light)) * _DETAIL_WEIGHTS) ** 2).sum(axis=2)
    mean = ((oklab(shown.mean(axis=1)) - oklab(light.mean(axis=1))) ** 2).sum(axis=1)
    error: Floats = detail.mean(axis=1) + _MEAN_WEIGHT * mean
    return error
