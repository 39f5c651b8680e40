"""Pictures by iTerm2's inline images protocol: a JPEG that the terminal scales to cells.

Form: "Inline Images Protocol" in iTerm2's documentation. As the terminal enlarges it, a slow line
gets fewer pixels.
"""

from __future__ import annotations

import io
from base64 import standard_b64encode
from functools import partial
from math import ceil

from PIL import Image

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures.cells import shrink
from zoomtui.terminal.pictures.layer import first_within, over_cells
from zoomtui.terminal.pictures.request import Drawing, Part, Pixels

_RUNGS = ((1, 90), (1, 75), (2, 75), (2, 50), (3, 50))
"""The side of what a pixel is shown as, and the JPEG's quality: the first that the line has room
for."""


def draw(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int
) -> Drawing | None:
    """With as many pixels as the cells have, and a sequence of `limit` bytes, allow."""
    return first_within(limit, (_drawing(picture, size, terminal, *rung) for rung in _RUNGS))


def _drawing(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, scale: int, quality: int
) -> Drawing:
    width, height = (ceil(side / scale) for side in terminal.cell)
    pixels = shrink(picture, (size[0] * width, size[1] * height))
    return over_cells(partial(_part, pixels, (width, height), quality), size)


def _part(pixels: Pixels, cell: tuple[int, int], quality: int, part: Part) -> str:
    rows = slice(part.top * cell[1], part.bottom * cell[1])
    shown, out = pixels[rows, part.left * cell[0] : part.right * cell[0]], io.BytesIO()
    Image.fromarray(shown).save(out, "JPEG", quality=quality)
    columns, lines = part.right - part.left, part.bottom - part.top
    keys = f"inline=1;size={out.tell()};width={columns};height={lines};preserveAspectRatio=0"
    return f"\x1b]1337;File={keys}:{standard_b64encode(out.getvalue()).decode('ascii')}\x07"
