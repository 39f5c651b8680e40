"""The inner loops of joining, against numpy and Pillow, which take longer."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Area
from renderer.painting.kernels import (
    add_between,
    box_differences,
    box_sums,
    quad_sums,
    round_up_by,
)

_RNG = np.random.default_rng(8)


def test_box_sums_are_exact() -> None:
    picture = _RNG.integers(0, 256, (37, 50, 3), np.uint8)
    tops, lefts = np.array([0, 9, 10, 37]), np.array([0, 20, 50])
    sums = np.empty((3, 2, 3), np.int64)
    box_sums(picture.reshape(37, -1), tops, lefts, sums)
    for i in range(3):
        for j in range(2):
            box = picture[tops[i] : tops[i + 1], lefts[j] : lefts[j + 1]]
            assert np.array_equal(sums[i, j], box.sum(axis=(0, 1)))


@pytest.mark.parametrize("hole", [Area(0, 0, 0, 0), Area(9, 7, 20, 13), Area(6, 5, 26, 16)])
def test_box_differences_count_what_is_known_and_in_no_hole(hole: Area) -> None:
    known, side = Area(6, 5, 26, 16), 4
    found = _RNG.uniform(0, 255, (22, 30, 3)).astype(np.float32)
    picture = _RNG.integers(0, 256, (11, 20, 3), np.uint8)
    sums = np.empty((6, 8, 4), np.float32)
    box_differences(picture, found, known, hole, side, sums)
    counted = np.zeros((24, 32, 4))
    inside = counted[known.rows, known.columns]
    inside[:, :, :3] = picture - found[known.rows, known.columns]
    inside[:, :, 3] = 1
    counted[hole.rows, hole.columns] = 0
    expected = counted.reshape(6, side, 8, side, 4).sum(axis=(1, 3))
    np.testing.assert_allclose(sums, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(6, 8), (7, 5), (1, 1)])
def test_quads_are_summed_as_far_as_there_are_cells(shape: tuple[int, int]) -> None:
    cells = _RNG.uniform(0, 1, (*shape, 4)).astype(np.float32)
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)
    sums = np.zeros((rows, columns, 4), np.float32)
    quad_sums(cells, sums)
    padded = np.pad(cells, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)))
    expected = padded.reshape(rows, 2, columns, 2, 4).sum(axis=(1, 3))
    np.testing.assert_allclose(sums, expected, atol=1e-6)


@pytest.mark.parametrize("side", [2, 4])
def test_cells_are_added_as_a_bilinear_filter_has_them(side: int) -> None:
    cells = _RNG.uniform(-9, 9, (5, 7, 4)).astype(np.float32)
    share = _RNG.uniform(0, 1, (5 * side - 3, 7 * side - 1)).astype(np.float32)
    out = np.full((*share.shape, 3), 100, np.float32)
    add_between(cells, side, 1, 3, share, out)
    for channel in range(3):
        plane = Image.fromarray(np.ascontiguousarray(cells[:, :, channel]))
        full = np.asarray(plane.resize((7 * side, 5 * side), Image.Resampling.BILINEAR))
        expected = 100 + share * full[3:, 1:]
        np.testing.assert_allclose(out[:, :, channel], expected, atol=1e-4)


def test_rounding_by_a_pattern_keeps_whole_values_means_and_limits() -> None:
    across = ((np.arange(300) * 0.7549) % 1).astype(np.float32)
    down = ((np.arange(200) * 0.5698) % 1).astype(np.float32)
    for value, mean in ((7.0, 7), (40.3, 40.3), (-3.5, 0), (300.0, 255)):
        out = np.empty((200, 300), np.uint8)
        round_up_by(np.full((200, 300), value, np.float32), across, down, out)
        assert out.mean() == pytest.approx(mean, abs=0.01)
        assert out.max() - out.min() == (value == 40.3)


def test_pictures_may_be_read_only_and_parts_of_others() -> None:
    picture = _RNG.integers(0, 256, (80, 90, 3), np.uint8)
    part = picture[5:75, 10:80]
    whole = part.copy()
    whole.flags.writeable = False
    assert Reference.of(part) == Reference.of(whole) == Reference.of(whole.copy())
