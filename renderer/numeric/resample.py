"""Antialiased Lanczos-3 resampling of a real-numbered box of one plane, on one core.

Separable: first across, then down. Both passes are the same operation, a weighted sum of
neighbouring rows that lie contiguous in memory, which runs at the speed of the vector units; a
pass along a row would gather its taps one by one and takes ten times as long. That is why planes
come transposed, and why the picture is made in strips of some output columns: a strip is resampled
across, turned, and resampled down while it is still in the core's cache. What lies outside the
box and its filter's reach has no part in it.

The sums are of integers: processors multiply 16-bit numbers two by two and add both products to a
32-bit sum in one instruction, where float32 takes six. So rows lie in pairs, interleaved. Weights,
and samples between the passes, fill their 16 bits; what that costs is a few thousandths of a code.
Knows nothing of colours, frames or cameras.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from renderer.numeric.kernels import kernel

FRACTION = 256
"""Planes are 8.8 fixed point: a sample is stored as value x FRACTION."""

_LOBES = 3.0
_MIDDLE = 128
"""The value that is zero in int16."""
_FULL = 32700
"""What int16 is filled to: a little less than it holds, so that rounding can't overflow."""
_LANES = 64
"""Sums made at a time, in registers: four of 512 bits. Also the output columns of a strip."""
_ROWS = 256
"""Rows resampled across at a time, so that what a strip reaches of them stays in the cache."""

Taps = tuple[NDArray[np.int64], NDArray[np.float32]]
"""(n,) first sample and (n, taps) weights, each row summing to 1, of n output samples."""

_Pairs = NDArray[np.int32]
"""Each two int16, of one column and two neighbouring rows."""
_PairTaps = tuple[NDArray[np.int64], _Pairs, NDArray[np.float32]]
"""(n,) first pair, (n, pairs) weights and (n,) factors of the sums, of n output samples."""


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
    taps = math.ceil(2 * reach)
    step = math.pi / (_LOBES * stretch)
    step_sin, step_cos = math.sin(step), math.cos(step)
    first = np.empty(outputs, np.int64)
    weights = np.zeros((outputs, taps), np.float32)
    row = np.empty(taps, np.float64)
    for i in range(outputs):
        centre = start + (i + 0.5) * scale
        begin = min(max(math.ceil(centre - reach - 0.5), 0), samples - 1)
        end = max(math.ceil(centre + reach - 0.5), begin + 1)
        count = min(end, begin + taps, samples) - begin
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
    Limits are in 8 bits; with more ``bits`` there are finer steps between them.
    """
    (first, weights, factors), overshoot = _in_pairs(across)
    rows, _ = _in_pairs(down)
    halfway = np.float32(_FULL / (_MIDDLE * overshoot))  # FRACTION of samples between the passes
    begin, end = rows[0][0], rows[0][-1] + rows[1].shape[1]
    most = 0
    for left in range(0, out.shape[1], _LANES):
        most = max(most, first[left : left + _LANES][-1] - first[left])
    block = np.empty((most + weights.shape[1], _ROWS), np.int32)
    turned = np.empty((_LANES, _ROWS), np.int16)
    strip = np.empty((end - begin, _LANES), np.int32)
    for left in range(0, out.shape[1], _LANES):
        right = left + _LANES
        columns = first[left:right], weights[left:right], factors[left:right]
        for pair in range(begin, end, _ROWS // 2):
            count = min(_ROWS, 2 * (end - pair), plane.shape[1] - 2 * pair)
            _pair_columns(plane, 2 * pair, count, columns, block)
            _resample_across(block, count, columns, halfway, turned)
            lines = turned.view(np.int32)
            for y in range((count + 1) // 2):
                for x in range(_LANES):
                    strip[pair - begin + y, x] = lines[x, y]
        _resample_down(strip, rows, halfway, low, high, bits, out[:, left:right])


@kernel
def _in_pairs(taps: Taps) -> tuple[_PairTaps, float]:
    """The taps on pairs of samples, and by how much the filter can enlarge a value.

    Weights are scaled by as much as they and 32-bit sums of products have room for. The factors
    that undo it are one by the sum of each row's weights, so that what is flat stays as it is.
    """
    first, weights = taps
    outputs, count = weights.shape
    largest = overshoot = 0.0
    for i in range(outputs):
        total = 0.0
        for k in range(count):
            largest = max(largest, abs(weights[i, k]))
            total += abs(weights[i, k])
        overshoot = max(overshoot, total)
    scale = min(_FULL / largest, 2 * _FULL / overshoot)
    pair = np.empty(outputs, np.int64)
    whole = np.zeros((outputs, count // 2 * 2 + 2), np.int16)
    factors = np.empty(outputs, np.float32)
    for i in range(outputs):
        pair[i], odd = divmod(first[i], 2)
        total = 0.0
        for k in range(count):
            whole[i, odd + k] = np.int16(np.rint(weights[i, k] * scale))
            total += whole[i, odd + k]
        factors[i] = 1 / total
    return (pair, whole.view(np.int32), factors), overshoot


@kernel
def _pair_columns(
    plane: NDArray[np.uint16], top: int, rows: int, columns: _PairTaps, block: _Pairs
) -> None:
    """Fill ``block`` (pairs of columns, _ROWS) with what a strip reaches, from row ``top`` on.

    Where the plane has no column or row it keeps what it held: no weight falls on it.
    """
    first, weights, _ = columns
    last = plane.shape[0] - 1
    count = min(first[-1] + weights.shape[1], last // 2 + 1) - first[0]
    halves = block.view(np.int16)
    for i in range(count):
        x = 2 * (first[0] + i)
        even, odd, pairs = plane[x, top:], plane[min(x + 1, last), top:], halves[i]
        for y in range(rows):
            pairs[2 * y] = np.int16(even[y] ^ 0x8000)
            pairs[2 * y + 1] = np.int16(odd[y] ^ 0x8000)


@kernel
def _resample_across(
    block: _Pairs, rows: int, columns: _PairTaps, halfway: np.float32, turned: NDArray[np.int16]
) -> None:
    """Fill ``turned`` (output columns, _ROWS) from the block of a strip."""
    first, weights, factors = columns
    sums = np.empty(_ROWS, np.int32)
    for j in range(first.shape[0]):
        factor = factors[j] * halfway / np.float32(FRACTION)
        for y in range(0, rows, _LANES):
            _sum_pairs(block[first[j] - first[0] :, y:], weights[j], sums[y:])
        for y in range(rows):
            turned[j, y] = np.int16(np.rint(np.float32(sums[y]) * factor))


@kernel
def _resample_down(
    strip: _Pairs,
    rows: _PairTaps,
    halfway: np.float32,
    low: int,
    high: int,
    bits: int,
    out: NDArray[np.uint8] | NDArray[np.uint16],
) -> None:
    """Fill some columns of the output from a strip (pairs of rows, _LANES), resampled across."""
    first, weights, factors = rows
    sums = np.empty(_LANES, np.int32)
    half, middle, steps = np.float32(0.5), np.float32(_MIDDLE), np.float32(2 ** (bits - 8))
    floor, ceiling = np.float32(low), np.float32(high)
    for y in range(out.shape[0]):
        _sum_pairs(strip[first[y] - first[0] :], weights[y], sums)
        factor = factors[y] / halfway
        for x in range(out.shape[1]):
            value = min(max(np.float32(sums[x]) * factor + middle, floor), ceiling)
            out[y, x] = np.int32(value * steps + half)


def _write_sum(_: Any, pairs: Any, weights: Any, sums: Any) -> Any:
    """sums[x] = Σ weights[k] · pairs[k, x], each the sum of two products, for _LANES of x.

    Written in LLVM's language, which it translates for any machine: in a loop over numbers it
    doesn't see that there is one instruction for this (x86's pmaddwd and vpdpwssd), and it doesn't
    keep the sums in registers from one k to the next.
    """

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        int32, lanes = ir.IntType(32), ir.VectorType(ir.IntType(32), _LANES)
        halves = ir.VectorType(ir.IntType(16), 2 * _LANES)
        products = ir.VectorType(int32, 2 * _LANES)
        kinds = zip(signature.args, arguments, strict=True)
        pairs, weights, sums = (context.make_array(k)(context, builder, v) for k, v in kinds)
        stride, _ = cgutils.unpack_tuple(builder, pairs.strides)  # in bytes
        stride = builder.udiv(stride, stride.type(4))
        total = cgutils.alloca_once_value(builder, ir.Constant(lanes, None))
        (count,) = cgutils.unpack_tuple(builder, weights.shape)
        with cgutils.for_range(builder, count) as loop:
            row = builder.gep(pairs.data, [builder.mul(loop.index, stride)])
            row = builder.load(builder.bitcast(row, halves.as_pointer()), align=4)
            weight = builder.load(builder.gep(weights.data, [loop.index]))
            weight = builder.insert_element(ir.Constant(lanes, ir.Undefined), weight, int32(0))
            weight = builder.shuffle_vector(weight, weight, ir.Constant(lanes, None))
            weight = builder.sext(builder.bitcast(weight, halves), products)
            both = builder.mul(builder.sext(row, products), weight)
            for half in range(2):
                every_other = ir.Constant(lanes, list(range(half, 2 * _LANES, 2)))
                part = builder.shuffle_vector(both, both, every_other)
                builder.store(builder.add(builder.load(total), part), total)
        place = builder.bitcast(sums.data, lanes.as_pointer())
        builder.store(builder.load(total), place, align=4)
        return context.get_dummy_value()

    return types.void(pairs, weights, sums), write


_sum_pairs: Any = intrinsic(_write_sum)
