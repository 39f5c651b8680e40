"""Antialiased Lanczos-3 resampling of a real-numbered box of one plane, on one core.

Separable: first across, then down. Both passes are the same operation, a weighted sum of
neighbouring rows that lie contiguous in memory, which runs at the speed of the vector units; a
pass along a row would gather its taps one by one and takes ten times as long. That is why planes
come transposed, and why the picture is made in strips of some output columns: a strip is resampled
across, turned, and resampled down while it is still in the core's cache. What lies outside the
box and its filter's reach is never read. Knows nothing of colours, frames or cameras.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.kernels import kernel

FRACTION = 256
"""Planes are 8.8 fixed point: a sample is stored as value x FRACTION."""

_LOBES = 3.0
_GROUP = 4
"""Taps summed at a time; weights are padded with zeros to a multiple."""
_STRIP = 64
"""Output columns made at a time: 64 float32 wide, a strip of a 4K canvas stays in a 1 MiB cache."""

Taps = tuple[NDArray[np.int64], NDArray[np.float32]]
"""(n,) first sample and (n, taps) weights, each row summing to 1, of n output samples."""


@kernel
def lanczos_taps(start: float, stop: float, outputs: int, samples: int) -> Taps:
    """The taps that resample the part ``start`` … ``stop`` of a line of ``samples`` to ``outputs``.

    Coordinates are edges: sample i spans i to i + 1. Where the line shrinks, the filter is widened
    by the same factor; where it ends within the filter's reach, the weights that are left are
    normalised. L(x) = sinc(x) sinc(x/3) for |x| < 3 (Duchon 1979, "Lanczos filtering in one and two
    dimensions"), which is s² (3 - 4 s²) / (3 a²) with a = πx/3 and s = sin a. The sines of a row
    come from one rotation a tap.
    """
    scale = (stop - start) / outputs
    stretch = max(scale, 1.0)
    reach = _LOBES * stretch
    taps = (math.ceil(2 * reach) + _GROUP - 1) // _GROUP * _GROUP
    step = math.pi / (_LOBES * stretch)
    step_sin, step_cos = math.sin(step), math.cos(step)
    first = np.empty(outputs, np.int64)
    weights = np.zeros((outputs, taps), np.float32)
    row = np.empty(taps, np.float64)
    for i in range(outputs):
        centre = start + (i + 0.5) * scale
        begin = min(max(math.ceil(centre - reach - 0.5), 0), samples - 1)
        count = min(max(math.ceil(centre + reach - 0.5), begin + 1), samples) - begin
        angle = (begin + 0.5 - centre) * step
        sine, cosine = math.sin(angle), math.cos(angle)
        total = 0.0
        for k in range(count):
            square = sine * sine
            near_zero = abs(angle) < 1e-9
            row[k] = 1.0 if near_zero else square * (3 - 4 * square) / (3 * angle * angle)
            total += row[k]
            sine, cosine = sine * step_cos + cosine * step_sin, cosine * step_cos - sine * step_sin
            angle += step
        first[i] = begin
        for k in range(count):
            weights[i, k] = row[k] / total
    return first, weights


@kernel
def resample(
    plane: NDArray[np.uint16],
    across: Taps,
    down: Taps,
    low: int,
    high: int,
    out: NDArray[np.uint8] | NDArray[np.uint16],
    bits: int = 8,
) -> None:
    """Fill ``out`` (height, width), rounded and held within ``low`` … ``high``.

    ``plane`` is transposed, (plane width, plane height), in 8.8 fixed point; ``across`` has the
    taps of ``out``'s columns on the plane's columns and ``down`` those of its rows on the rows.
    """
    top = down[0][0]
    bottom = min(down[0][-1] + down[1].shape[1], plane.shape[1])
    rows = bottom - top
    turned = np.empty((_STRIP, rows), np.float32)
    strip = np.empty((rows, _STRIP), np.float32)
    for left in range(0, out.shape[1], _STRIP):
        columns = min(_STRIP, out.shape[1] - left)
        for j in range(columns):
            _sum_rows(plane, top, across[0][left + j], across[1][left + j], turned[j])
        for y in range(rows):
            for j in range(columns):
                strip[y, j] = turned[j, y]
        _resample_down(strip, top, down, low, high, bits, out[:, left : left + columns])


@kernel
def _resample_down(
    strip: NDArray[np.float32],
    top: int,
    down: Taps,
    low: int,
    high: int,
    bits: int,
    out: NDArray[np.uint8] | NDArray[np.uint16],
) -> None:
    """Fill a strip of the output from the plane's rows from ``top`` on, resampled across."""
    sums = np.empty(_STRIP, np.float32)
    steps = 1 << (bits - 8)
    half, unit = np.float32(0.5), np.float32(steps / FRACTION)
    floor, ceiling = np.float32(low * steps), np.float32(high * steps)
    for y in range(out.shape[0]):
        _sum_rows(strip, 0, down[0][y] - top, down[1][y], sums)
        for x in range(out.shape[1]):
            value = min(max(sums[x] * unit, floor), ceiling)
            out[y, x] = np.int32(value + half)


@kernel
def _sum_rows(
    plane: NDArray[np.uint16] | NDArray[np.float32],
    offset: int,
    first: int,
    weights: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    """sums = Σ weights[k] · plane[first + k], each row from column ``offset`` on."""
    last = plane.shape[0] - 1  # rows past the end have no weight, but must exist
    end = offset + sums.shape[0]
    for k in range(0, weights.shape[0], _GROUP):
        row = first + k
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        p0, p1 = plane[min(row, last), offset:end], plane[min(row + 1, last), offset:end]
        p2, p3 = plane[min(row + 2, last), offset:end], plane[min(row + 3, last), offset:end]
        if k == 0:
            for x in range(sums.shape[0]):
                sums[x] = w0 * np.float32(p0[x]) + w1 * np.float32(p1[x])
                sums[x] += w2 * np.float32(p2[x]) + w3 * np.float32(p3[x])
        else:
            for x in range(sums.shape[0]):
                sums[x] += w0 * np.float32(p0[x]) + w1 * np.float32(p1[x])
                sums[x] += w2 * np.float32(p2[x]) + w3 * np.float32(p3[x])
