"""RGB to Y'CbCr planes."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.numeric.resample import FRACTION
from renderer.numeric.yuv import CanvasPlanes
from tests.export.panorama import ycbcr


def test_planes_are_bt709_limited_range_to_half_a_fraction() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (75, 130, 3), dtype=np.uint8)
    planes = CanvasPlanes.from_rgb(rgb)
    assert planes.size == (130, 75)
    made = np.stack([planes.luma, planes.blue, planes.red], axis=-1).transpose(1, 0, 2)
    assert np.abs(made / FRACTION - ycbcr(rgb)).max() < 0.51 / FRACTION


def test_the_corners_of_the_rgb_cube_have_the_standard_s_codes() -> None:
    corners = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    planes = CanvasPlanes.from_rgb(np.array([corners], np.uint8))
    codes = np.stack([planes.luma, planes.blue, planes.red], axis=-1)[:, 0] / FRACTION
    standard = [(16, 128, 128), (235, 128, 128), (63, 102, 240), (173, 42, 26), (32, 240, 118)]
    assert codes.round().astype(int).tolist() == [list(code) for code in standard]


def test_any_memory_layout_will_do() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    mirrored = rgb[:, ::-1]
    frozen = mirrored.copy()
    frozen.flags.writeable = False
    a, b = CanvasPlanes.from_rgb(mirrored), CanvasPlanes.from_rgb(frozen)
    assert np.array_equal(a.luma, b.luma)
    assert np.array_equal(a.luma, CanvasPlanes.from_rgb(rgb).luma[::-1])


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 4), (0, 60, 3)])
def test_what_is_no_rgb_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        CanvasPlanes.from_rgb(np.zeros(shape, np.uint8))
