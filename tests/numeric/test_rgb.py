"""Parts of RGB pictures, against a slow, straightforward resampler and against Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from renderer.numeric.rgb import RgbPlanes
from tests.numeric.textbook import lanczos_matrix
from tests.worlds import Scene

BOXES = [(0.0, 0.0, 120.0, 96.0), (3.2, 1.5, 116.8, 94.5)]
Edges = tuple[float, float, float, float]


@pytest.mark.parametrize("box", BOXES)
def test_a_view_is_exact_to_half_a_level(box: Edges) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (96, 120, 3), np.uint8)
    view = RgbPlanes.from_rgb(picture).view(box, (80, 64))
    left, top, right, bottom = box
    down, across = lanczos_matrix(top, bottom, 64, 96), lanczos_matrix(left, right, 80, 120)
    exact = np.einsum("yh,hwc,xw->yxc", down, picture, across, optimize=True).clip(0, 255)
    assert np.abs(view - exact).max() < 0.51
    assert view.flags.c_contiguous


@pytest.mark.parametrize("box", BOXES)
def test_a_view_is_pillows_but_that_it_is_rounded_only_once(box: Edges) -> None:
    picture = Scene(1).view(1, (120, 96))
    view = RgbPlanes.from_rgb(picture).view(box, (80, 64))
    pillows = Image.fromarray(picture).resize((80, 64), Image.Resampling.LANCZOS, box=box)
    assert np.abs(view.astype(int) - np.asarray(pillows)).max() <= 1
