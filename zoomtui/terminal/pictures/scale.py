"""Pictures to the sizes that cells give them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from zoomtui.terminal.capabilities import DEFAULT_CELL
from zoomtui.terminal.pictures.request import Pixels


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
