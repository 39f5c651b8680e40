"""Image quilting, the arithmetic alone: how well a patch fits, where to cut, how to join.

After A. A. Efros and W. T. Freeman, "Image Quilting for Texture Synthesis and Transfer",
SIGGRAPH 2001. Integers throughout, so a seed gives the same bytes on every machine. Knows windows
of pixels; nothing of exemplars, keyframes or chance.

A window of the picture is described by its pixels and by what each of them is worth:
``EMPTY`` (nothing there yet), ``GUESSED`` (merely better than a hard edge), ``PAINTED`` (a
patch may replace it) or ``FIXED`` (never touched).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.kernels import kernel

EMPTY, GUESSED, PAINTED, FIXED = 0, 1, 2, 3

FLIP_X, FLIP_Y, TURN = 1, 2, 4
"""Bits of a pose: mirror the block left-right, top-bottom, then swap its axes; 0 … 7 in all."""

Pixels = NDArray[np.uint8]
"""(H, W, 3) sRGB."""
State = NDArray[np.uint8]
"""(H, W) of EMPTY, GUESSED, PAINTED and FIXED."""
Numbers = NDArray[np.int64]

_FORBIDDEN = 1 << 40
"""Cost of a cut where none can go; far above any sum of real ones, so a remainder undoes it."""


@kernel
def misfits(
    source: Pixels, ys: Numbers, xs: Numbers, poses: Numbers, old: Pixels, state: State, cap: int
) -> Numbers:
    """How badly each candidate block of ``source`` fits a window; looks at a quarter of its pixels.

    Candidate i is the block whose top left corner is (ys[i], xs[i]), in pose poses[i]. Returns the
    mean squared difference on what the window holds already; differences above ``cap`` count as
    ``cap``: a bright speck on one side is something a cut can go around, a wrong ground is not.
    """
    height, width = state.shape
    costs = np.zeros(len(ys), np.int64)
    for i in range(len(ys)):
        pose = poses[i]
        block_h, block_w = (width, height) if pose & TURN else (height, width)
        total, count = np.int64(0), 0
        for y in range(i & 1, height, 2):
            for x in range(i >> 1 & 1, width, 2):
                if state[y, x] < PAINTED:
                    continue
                b, a = (y, x) if pose & TURN else (x, y)
                a = ys[i] + (block_h - 1 - a if pose & FLIP_Y else a)
                b = xs[i] + (block_w - 1 - b if pose & FLIP_X else b)
                square = np.int64(0)
                for c in range(3):
                    d = np.int64(old[y, x, c]) - np.int64(source[a, b, c])
                    square += d * d
                total += min(square, np.int64(cap))
                count += 1
        costs[i] = total // max(count, 1)
    return costs


def posed(source: Pixels, y: int, x: int, shape: tuple[int, int], pose: int) -> Pixels:
    """The (height, width, 3) block of ``source`` at (y, x) in a pose, contiguous."""
    height, width = shape[::-1] if pose & TURN else shape
    block = source[y : y + height, x : x + width]
    if pose & FLIP_Y:
        block = block[::-1]
    if pose & FLIP_X:
        block = block[:, ::-1]
    if pose & TURN:
        block = block.swapaxes(0, 1)
    return np.ascontiguousarray(block)


@kernel
def _differences(old: Pixels, new: Pixels) -> Numbers:
    """Squared distance of two windows, (H, W)."""
    height, width = old.shape[:2]
    result = np.empty((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            square = np.int64(0)
            for c in range(3):
                d = np.int64(old[y, x, c]) - np.int64(new[y, x, c])
                square += d * d
            result[y, x] = square
    return result


@kernel
def cut(difference: Numbers, state: State, guess_cost: int) -> tuple[int, Numbers]:
    """The cheapest cut down a band whose old side is its left one.

    ``difference`` and ``state`` are (rows, columns). Returns the cost of the cut, and its place in
    each row: columns left of it keep the old picture. Found by dynamic programming; from one row
    to the next the cut moves by a column at most.
    """
    rows, columns = difference.shape
    best = np.zeros((rows, columns + 1), np.int64)
    for r in range(rows):
        first, last = columns, 0  # the cut's place is in last … first
        for c in range(columns - 1, -1, -1):
            if state[r, c] == EMPTY:
                first = c
        for c in range(columns):
            if state[r, c] == FIXED:
                last = c + 1
        guessed = 0
        for p in range(columns + 1):
            if p > 0 and state[r, p - 1] == GUESSED:
                guessed += 1
            cost = np.int64(0)
            if first > 0:
                left = difference[r, max(p - 1, 0)]
                right = difference[r, min(p, columns - 1)]
                cost = left + right if p < first else 2 * left
                cost += guessed * guess_cost
            if p > first or p < last:
                cost = np.int64(_FORBIDDEN)
            if r > 0:
                before = best[r - 1, p]
                if p > 0:
                    before = min(before, best[r - 1, p - 1])
                if p < columns:
                    before = min(before, best[r - 1, p + 1])
                cost += before
            best[r, p] = cost
    places = np.empty(rows, np.int64)
    p = int(np.argmin(best[rows - 1]))
    total = best[rows - 1, p] % _FORBIDDEN
    places[rows - 1] = p
    for r in range(rows - 2, -1, -1):
        low = max(p - 1, 0)
        p = low + int(np.argmin(best[r, low : min(p + 2, columns + 1)]))
        places[r] = p
    return total, places


def cuts(
    old: Pixels, new: Pixels, state: State, band: int, guess_cost: int
) -> tuple[int, NDArray[np.bool_]]:
    """Minimum-error boundary cuts of a patch laid over a window, on all its sides that need one.

    ``band``: how deep from the window's edge a cut may wander, pixels. ``guess_cost``: what each
    GUESSED pixel that is kept adds, in squared differences, so that guesses stay only where
    something would be cut through. Returns the cost of the cuts (the squared differences along
    them, and the guesses) and where the patch shows, (H, W).
    """
    difference = _differences(old, new)
    total, shows = 0, np.ones(state.shape, np.bool_)
    for turns in range(4):  # each side in turn is brought to the left
        side_state = np.rot90(state, turns)[:, :band]
        if not side_state.any():
            continue
        side = np.ascontiguousarray(np.rot90(difference, turns)[:, :band])
        cost, places = cut(side, np.ascontiguousarray(side_state), guess_cost)
        total += int(cost)
        np.rot90(shows, turns)[:, :band] &= np.arange(side.shape[1]) >= places[:, None]
    return total, shows


@kernel
def join(old: Pixels, new: Pixels, state: State, shows: NDArray[np.bool_]) -> None:
    """Lay ``new`` into the window ``old`` where it shows, in place, and mark it PAINTED.

    The cut is softened over a pixel to either side (a 3×3 binomial); where there is nothing yet the
    patch always shows, and FIXED pixels stay as they are.
    """
    height, width = state.shape
    share = np.empty((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            total = 0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    v = min(max(y + dy, 0), height - 1)
                    u = min(max(x + dx, 0), width - 1)
                    if shows[v, u] or state[v, u] == EMPTY:
                        total += (2 - abs(dy)) * (2 - abs(dx))
            share[y, x] = total
    for y in range(height):
        for x in range(width):
            if state[y, x] == FIXED:
                continue
            weight = 16 if state[y, x] == EMPTY else share[y, x]
            for c in range(3):
                mixed = weight * np.int64(new[y, x, c]) + (16 - weight) * np.int64(old[y, x, c])
                old[y, x, c] = (mixed + 8) >> 4
            state[y, x] = PAINTED
