"""The resampler against a slow, straightforward one in float64."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.numeric.resample import FRACTION, lanczos_taps, resample
from tests.numeric.textbook import lanczos_matrix

BOXES = [
    (0.0, 97.0, 97),  # 1:1
    (7.3, 88.1, 30),  # down
    (0.0, 97.0, 8),  # far down, filter wider than half the line
    (20.25, 52.5, 70),  # enlarged, more than one strip wide
    (-0.9, 97.6, 41),  # a little over both edges
    (1.2, 95.3, 1),
]


@pytest.mark.parametrize(("start", "stop", "outputs"), BOXES)
def test_taps_are_those_of_the_textbook(start: float, stop: float, outputs: int) -> None:
    first, weights = lanczos_taps(start, stop, outputs, 97)
    dense = np.zeros((outputs, 97 + weights.shape[1]))
    for row, begin, values in zip(dense, first, weights, strict=True):
        row[begin : begin + len(values)] += values
    assert not dense[:, 97:].any()
    np.testing.assert_allclose(dense[:, :97], lanczos_matrix(start, stop, outputs, 97), atol=1e-7)


@pytest.mark.parametrize("across", BOXES)
@pytest.mark.parametrize("down", BOXES[:4])
def test_a_plane_is_resampled_to_within_one_code(
    across: tuple[float, float, int], down: tuple[float, float, int]
) -> None:
    rows, columns = 97, 97
    values = np.random.default_rng(3).uniform(0, 255, (rows, columns))
    plane = np.ascontiguousarray((values.T * FRACTION).round().astype(np.uint16))
    out = np.empty((down[2], across[2]), np.uint8)
    resample(plane, lanczos_taps(*across, columns), lanczos_taps(*down, rows), 16, 235, out)
    exact = lanczos_matrix(*down, rows) @ values @ lanczos_matrix(*across, columns).T
    difference = out - exact.clip(16, 235)
    assert np.abs(difference).max() < 0.51  # half a code is rounding


def test_what_the_filter_does_not_reach_is_not_read() -> None:
    plane = np.full((200, 160), 100 * FRACTION, np.uint16)
    plane[:50], plane[150:], plane[:, :30], plane[:, 130:] = (9 * FRACTION,) * 4
    out = np.empty((80, 80), np.uint8)
    resample(plane, lanczos_taps(60, 140, 80, 200), lanczos_taps(40, 120, 80, 160), 0, 255, out)
    assert (out == 100).all()
