"""Which picture lies in which, how much smaller and where exactly: for chains made elsewhere.

First roughly, every picture against every other at many zoom factors, about the middle; then each
neighbouring pair to a small part of a pixel (Lucas & Kanade, IJCAI 1981, with gain and offset,
since painters shift colours). Pictures are grey float32 of 0 … 255. Knows no files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.float32]
"""(H, W), 0 … 255."""

THUMB = 192
"""Longer side of the pictures that ``find_order`` takes."""
LIKE = 0.75
"""Least correlation at which a picture is taken to lie in another; strangers reach 0.5 at most."""

_LEAST, _MOST = 1.04, 4.0
_FACTORS = np.geomspace(_LEAST, _MOST, 110)
_SIDE = 40
"""Longer side at which all pairs are compared: a step in the factor moves its edge by 0.25 px."""
_FINE = 400
"""Longer side at which a pair is measured, where there are as many pixels."""
_STEPS = 12
_SETTLED = 1e-5


@dataclass(frozen=True, slots=True)
class Order:
    """Pictures from the innermost one outwards."""

    indices: tuple[int, ...]
    factors: tuple[float, ...]
    """Rough zoom factor of each pair."""
    likeness: tuple[float, ...]
    """Correlation of each pair, roughly; below ``LIKE``: they don't belong together."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How one picture lies in the next: inner(x) = outer(x / zoom_factor + shift), from middles."""

    zoom_factor: float
    shift: tuple[float, float]
    """Pixels of the outer picture."""
    misfit: float
    """Root mean square of what differs, of 255, colours matched."""
    likeness: float
    """Correlation."""


def find_order(thumbs: Sequence[Grey]) -> Order:
    """The order in which pictures most likely form a chain.

    ``thumbs`` are the pictures, at least two and of one shape, shrunk to ``THUMB``.
    """
    shape = _scaled(thumbs[0].shape, _SIDE)
    inner = np.stack([_normal(_view(thumb, 1.0, (0.0, 0.0), shape)) for thumb in thumbs])
    scores = np.stack([_scores(inner, thumbs, factor, shape) for factor in _FACTORS])
    # The factor that most links agree on; from here on every link must be near it.
    best = np.sort(scores.max(axis=2), axis=1)[:, 1:].sum(axis=1)
    common = int(np.argmax(best))
    near = slice(max(0, common - 3), common + 4)
    links = _chain(scores[near].max(axis=0))
    order = _follow(links, len(thumbs))
    pairs = list(pairwise(order))
    at = [int(np.argmax(scores[near, i, j])) for i, j in pairs]
    return Order(
        tuple(order),
        tuple(float(_FACTORS[near][n]) for n in at),
        tuple(float(scores[near, i, j].max()) for i, j in pairs),
    )


def fit(inner: Grey, outer: Grey, guess: float) -> Fit:
    """Measure how ``inner`` lies in ``outer``, both of one shape, starting at ``guess``."""
    height, width = inner.shape
    shape = _scaled(inner.shape, min(_FINE, round(max(inner.shape) / guess)))
    wanted = _view(inner, 1.0, (0.0, 0.0), shape)
    to_view = shape[1] / width  # pixels of the view for one of the inner picture
    factor, dx, dy = guess, 0.0, 0.0
    y, x = (np.arange(n, dtype=np.float32) + 0.5 - n / 2 for n in shape)
    for _ in range(_STEPS):
        seen = _view(outer, factor, (dx, dy), shape)
        down, across = np.gradient(seen)
        columns = [
            -(across * x[None, :] + down * y[:, None]),  # by ln factor
            across * (to_view * factor),
            down * (to_view * factor),
        ]
        rest = [seen, np.ones_like(seen)]
        inside = (slice(2, -2), slice(2, -2))
        matrix = np.stack([c[inside].ravel() for c in (*columns, *rest)], axis=1)
        solved = np.linalg.lstsq(matrix, wanted[inside].ravel(), rcond=None)[0]
        gain = solved[3] if abs(solved[3]) > 0.1 else 1.0
        step, move_x, move_y = (float(v / gain) for v in solved[:3])
        factor = min(max(factor * math.exp(min(max(step, -0.05), 0.05)), 1.001), 2 * _MOST)
        limit = max(width, height) / 50
        dx += min(max(move_x, -limit), limit)
        dy += min(max(move_y, -limit), limit)
        if max(abs(step), abs(move_x) / width, abs(move_y) / height) < _SETTLED:
            break
    seen = _view(outer, factor, (dx, dy), shape)
    return Fit(factor, (dx, dy), _misfit(seen, wanted), _likeness(seen, wanted))


def _scores(
    inner: NDArray[np.float32], thumbs: Sequence[Grey], factor: float, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """[i, j]: correlation of picture i with the middle of picture j."""
    outer = np.stack([_normal(_view(thumb, factor, (0.0, 0.0), shape)) for thumb in thumbs])
    scores = inner @ outer.T
    np.fill_diagonal(scores, -1)
    return scores


def _chain(scores: NDArray[np.float32]) -> dict[int, int]:
    """inner → outer: the best links first, no picture twice in a role, no ring."""
    links: dict[int, int] = {}
    taken: set[int] = set()
    count = len(scores)
    for flat in np.argsort(scores, axis=None)[::-1]:
        inner, outer = divmod(int(flat), count)
        if inner == outer or inner in links or outer in taken or _end(links, outer) == inner:
            continue
        links[inner] = outer
        taken.add(outer)
    return links


def _end(links: dict[int, int], start: int) -> int:
    while start in links:
        start = links[start]
    return start


def _follow(links: dict[int, int], count: int) -> list[int]:
    (at,) = set(range(count)) - set(links.values())
    order = [at]
    while at in links:
        at = links[at]
        order.append(at)
    return order


def _view(picture: Grey, factor: float, shift: tuple[float, float], shape: tuple[int, int]) -> Grey:
    """The part ``factor`` times smaller, ``shift`` from the middle, as ``shape``; antialiased."""
    height, width = picture.shape
    x, y = width / 2 + shift[0], height / 2 + shift[1]
    half_w, half_h = width / factor / 2, height / factor / 2
    x, y = min(max(x, half_w), width - half_w), min(max(y, half_h), height - half_h)
    box = (
        max(x - half_w, 0.0),
        max(y - half_h, 0.0),
        min(x + half_w, float(width)),
        min(y + half_h, float(height)),
    )
    image = Image.fromarray(picture).resize(shape[::-1], Image.Resampling.LANCZOS, box=box)
    return np.asarray(image)


def _scaled(shape: tuple[int, ...], longer: int) -> tuple[int, int]:
    height, width = shape
    scale = longer / max(shape)
    return max(8, round(height * scale)), max(8, round(width * scale))


def _normal(picture: Grey) -> NDArray[np.float32]:
    flat = picture.ravel() - picture.mean()
    normal: NDArray[np.float32] = flat / max(float(np.linalg.norm(flat)), 1e-3)
    return normal


def _likeness(one: Grey, other: Grey) -> float:
    return float(_normal(one) @ _normal(other))


def _misfit(seen: Grey, wanted: Grey) -> float:
    """What no gain and no offset explains."""
    return float(wanted.std() * math.sqrt(max(0.0, 1 - _likeness(seen, wanted) ** 2)))
