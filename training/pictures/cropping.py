"""A source picture's usable part. Arrays in, arrays out; knows no files and no names.

Stellarium's photographs fade to black at their rims, so that the sky shows through between them.
A picture that fills its frame must lose that rim, or a model would learn to paint it. A thing
alone in the dark keeps its darkness, but not more of it than the thing needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_SMOOTH = 32
"""Profiles are smoothed over a 32nd of their length, so that no single star decides."""
_FADED = 0.5
"""The rim ends where a row or column is this bright, measured by the darker rows inside."""
_INSIDE = 0.25
"""Rows and columns further in than this are inside."""
_STEP_IN = 0.02
"""What is cut off further in, of a side: a fade is longest where it is faintest."""
_GLOW = 10.0
"""Light of a thing alone, of 255: what is fainter in every place is the dark around it."""
_GROUND = 8
"""Side of the places in which that light is measured, pixels."""
_AROUND = 0.06
"""Dark kept around a thing alone, of the side."""
_VEIL = 24
"""A veil at most so bright, of 255, lies over the dark between the stars and is taken off."""


def mosaic(tiles: list[Pixels]) -> Pixels:
    """A square of tiles in reading order, (H, W, 3) each and all of one size, joined."""
    columns = round(len(tiles) ** 0.5)
    rows = [np.concatenate(tiles[at : at + columns], 1) for at in range(0, len(tiles), columns)]
    return np.concatenate(rows, 0)


def cut(pixels: Pixels, part: tuple[float, float, float, float]) -> Pixels:
    """The ``(left, top, right, bottom)`` part, 0 to 1, of a picture (H, W, 3)."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = part
    rows = slice(round(top * height), round(bottom * height))
    return pixels[rows, round(left * width) : round(right * width)]


def without_rim(pixels: Pixels) -> Pixels:
    """A picture (H, W, 3) that fills its frame, without the rim in which it fades to black."""
    light = pixels.max(2).astype(np.float32)
    rows, columns = _lit(light.mean(1)), _lit(light.mean(0))
    rows, columns = _lit(light[:, columns].mean(1)), _lit(light[rows].mean(0))
    return pixels[rows, columns]


def _lit(profile: NDArray[np.float32]) -> slice:
    """Where a profile of brightness is inside the fade at either end."""
    length = len(profile)
    window = max(3, length // _SMOOTH)
    padded = np.pad(profile, (window // 2, window - 1 - window // 2), mode="edge")
    smooth = np.convolve(padded, np.full(window, 1 / window), "valid")
    inside = smooth[round(length * _INSIDE) : round(length * (1 - _INSIDE))]
    lit = np.flatnonzero(smooth >= _FADED * np.quantile(inside, 0.1))
    step = round(length * _STEP_IN)
    first, last = int(lit[0]), int(lit[-1]) + 1
    return slice(first + step if first else 0, last - step if last < length else length)


def around_thing(pixels: Pixels) -> Pixels:
    """A picture (H, W, 3) of one thing in the dark, cut to the thing and a little dark around.

    Where the thing leaves room, what lies evenly over it all, as grey as the night, is taken off:
    else one would see where the picture ends.
    """
    light = pixels.max(2).astype(np.float32)
    height, width = (side // _GROUND * _GROUND for side in light.shape)
    places = light[:height, :width].reshape(height // _GROUND, _GROUND, width // _GROUND, _GROUND)
    bright = places.mean((1, 3)) > _GLOW
    if not bright.any():
        return pixels
    rows = _spread(np.flatnonzero(bright.any(1)), light.shape[0])
    columns = _spread(np.flatnonzero(bright.any(0)), light.shape[1])
    return _unveiled(pixels[rows, columns])


def _unveiled(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    middle = pixels[height // 4 : height - height // 4, width // 4 : width - width // 4]
    veil = np.quantile(middle.reshape(-1, 3), 0.3, axis=0)
    if veil.max() > _VEIL:
        return pixels
    brightened = (pixels - veil) * (255 / (255 - veil))
    return np.clip(np.rint(brightened), 0, 255).astype(np.uint8)


def _spread(places: NDArray[np.intp], length: int) -> slice:
    around = round(length * _AROUND)
    first, last = int(places[0]) * _GROUND - around, (int(places[-1]) + 1) * _GROUND + around
    return slice(max(0, first), min(length, last))
