"""What happens where a picture ends: how things continue outside, and what it costs to cut them.

Things are what stands out from a ground: stars from the sky. In a picture that is full of
everything nothing stands out, and this module only mirrors. Knows rows of pixels; nothing of
canvases and patches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OUT = 4.0
"""A pixel that is this many spreads away from the ground stands out."""

Colour = NDArray[np.float64]
"""(3,) of 255."""


def cut_cost(line: NDArray[np.uint8], ground: Colour, spread: Colour) -> int:
    """What a picture's edge cuts through: squared distance from the ground of what stands out.

    ``line``: (n, 3), the pixels along the edge.
    """
    away = line.astype(np.int64) - ground.astype(np.int64)
    return int((away**2)[_stands_out(away, spread)].sum())


def continued(inner: NDArray[np.uint8], ground: Colour, spread: Colour) -> NDArray[np.uint8]:
    """A guess at what lies beyond an edge: the mirror image, with things brought to an end.

    ``inner``: (n, reach + 1, 3), the pixels inside the edge; column 0 lies on it and the others go
    inwards. Returns (n, reach, 3), going outwards. The ground is mirrored about column 0 (which is
    not shown twice: that would be a line without any grain). A thing that is cut by
    the edge continues within the half-disc that stands on the cut, by reflection where it fades
    inwards (even) and by the opposite slope where it grows inwards (odd), so that it always fades
    and never shows a second core.
    """
    whole = inner.astype(np.float64) - ground
    at_edge, away = whole[:, :1], whole[:, 1:]
    out = _stands_out(away, spread)
    texture = np.where(out[..., None], np.clip(away, -spread, spread), away)
    odd = 2 * at_edge - away
    thing = np.where(np.abs(odd) < np.abs(away), odd, away)
    strength = np.where(np.sign(thing) == np.sign(at_edge), np.abs(thing), 0)
    discs = _half_discs(_stands_out(at_edge[:, 0], spread), away.shape[1])
    fading = np.minimum.accumulate(strength, axis=1) * discs[..., None]
    thing = np.sign(at_edge) * fading
    guess = ground + np.where(np.abs(thing) > np.abs(texture), thing, texture)
    return np.clip(np.rint(guess), 0, 255).astype(np.uint8)


def _stands_out(away: NDArray[np.generic], spread: Colour) -> NDArray[np.bool_]:
    """Which pixels stand out, (…), by their distances from the ground, (…, 3)."""
    return np.asarray((np.abs(away) > _OUT * spread).any(axis=-1))


def _half_discs(out: NDArray[np.bool_], reach: int) -> NDArray[np.float64]:
    """A soft half-disc, 1 inside, on each run of True along an edge; (n, reach)."""
    depth, softness = np.zeros(len(out)), np.ones(len(out))
    turns = np.flatnonzero(np.diff(out.astype(np.int8), prepend=0, append=0))
    for start, end in turns.reshape(-1, 2):
        radius = (end - start) / 2
        along = np.arange(start, end) + 0.5 - (start + end) / 2
        depth[start:end] = np.sqrt(radius**2 - along**2)
        softness[start:end] = min(radius, reach) / 2
    outwards = np.arange(reach) + 0.5
    discs = np.clip((depth[:, None] - outwards) / softness[:, None], 0, 1)
    return np.asarray(discs * np.clip((reach - outwards) / (0.4 * reach), 0, 1))
