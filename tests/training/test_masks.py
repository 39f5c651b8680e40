"""Training masks are those that the engine makes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from renderer.painting.geometry import Geometry, Growth
from renderer.settings.render import RenderSettings
from training.masks import draw_masks, frame, in_pixels, side


def engine_mask(growth: Growth) -> NDArray[np.bool_]:
    width, height = growth.canvas_size
    mask = np.ones((height, width), np.bool_)
    mask[growth.known.rows, growth.known.columns] = False
    return mask


@pytest.mark.parametrize(("picture", "zoom"), [(512, 1.5), (384, 2.0), (256, 1.5), (480, 1.2)])
def test_a_frame_is_what_the_engine_masks_for_direct_painting(picture: int, zoom: float) -> None:
    settings = RenderSettings(keyframe_size=(picture, picture), zoom_factor=zoom)
    geometry = Geometry.of(settings)
    canvas = geometry.canvas_size[0]
    made = in_pixels(frame(canvas // 8, canvas / picture))[0].numpy() > 0.5
    assert np.array_equal(made, engine_mask(geometry.direct[0]))


@pytest.mark.parametrize("zoom", [1.5, 2.0])
@pytest.mark.parametrize("turn", range(4))
def test_a_side_is_the_share_of_the_canvas_that_the_engine_masks(turn: int, zoom: float) -> None:
    settings = RenderSettings(keyframe_size=(512, 512), zoom_factor=zoom)
    growth = Geometry.of(settings).sequential[turn]
    engine = engine_mask(growth)
    line = engine.all(axis=0) if turn % 2 == 0 else engine.all(axis=1)
    # The engine's canvas is longer than wide, training's is a square as long as that.
    made = in_pixels(side(len(line) // 8, zoom, turn))[0].numpy() > 0.5
    assert np.array_equal(made.all(axis=0) if turn % 2 == 0 else made.all(axis=1), line)
    assert made.any(axis=0).all() or made.any(axis=1).all()


def test_every_kind_of_mask_comes() -> None:
    masks = draw_masks(200, 16, 0.12, torch.Generator().manual_seed(0))
    assert masks.shape == (200, 1, 16, 16)
    shares = masks.mean((1, 2, 3))
    assert 10 < int((shares == 1).sum()) < 45
    corners = masks[:, 0, 0, 0] + masks[:, 0, -1, 0] + masks[:, 0, 0, -1] + masks[:, 0, -1, -1]
    assert 30 < int((corners == 2).sum()) < 90, "single sides"
    assert 80 < int(((corners == 4) & (shares < 1)).sum()) < 150, "frames"


@pytest.mark.parametrize("whole", [0.0, 0.6, 1.0])
def test_a_share_of_them_is_painted_from_nothing(whole: float) -> None:
    masks = draw_masks(300, 16, whole, torch.Generator().manual_seed(0))
    found = (masks.mean((1, 2, 3)) == 1).float().mean().item()
    assert found == pytest.approx(whole, abs=0.07)


def test_in_pixels_every_cell_is_a_square_of_eight() -> None:
    masks = draw_masks(4, 16, 0.12, torch.Generator().manual_seed(0))
    cells = in_pixels(masks).unfold(2, 8, 8).unfold(3, 8, 8).flatten(4)
    assert torch.equal(cells.amin(-1), masks)
    assert torch.equal(cells.amax(-1), masks)
