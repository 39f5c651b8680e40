"""From any picture to pixels of the wanted size. All it knows of a terminal is a cell's shape."""

from __future__ import annotations

import warnings

import numpy as np
from PIL import Image

from renderer.images import FAULTS
from zoomtui.terminal.pictures.request import Pixels, Source, UnreadablePicture

_FORMATS = ("PNG", "JPEG")
"""Those that renders write."""


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
    size: tuple[int, int], box: tuple[int, int], cell: tuple[int, int] = (10, 20)
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
