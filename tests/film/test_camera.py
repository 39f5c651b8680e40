"""The camera's path: arithmetic only."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from renderer.errors import ProjectError
from renderer.film.camera import Box, Camera
from renderer.settings.render import RenderSettings


def test_it_takes_its_sizes_and_factor_from_the_settings() -> None:
    settings = RenderSettings(size=(1280, 720), keyframe_size=(768, 512), zoom_factor=1.7)
    assert Camera.of(settings) == Camera((1280, 720), (768, 512), 1.7, ease=0.25)


@pytest.mark.parametrize("canvas", [(768, 768), (776, 784)])
def test_an_interval_starts_with_the_picture_in_the_canvas_s_middle(
    canvas: tuple[int, int],
) -> None:
    box = Camera((512, 512), (512, 512), 1.5).view(canvas, 0)
    pads = (canvas[0] - 512) / 2, (canvas[1] - 512) / 2
    assert box == Box(pads[0], pads[1], pads[0] + 512, pads[1] + 512)


def test_it_ends_with_the_whole_canvas_when_that_is_no_larger_than_it_must_be() -> None:
    assert Camera((512, 512), (512, 512), 1.5).view((768, 768), 1) == Box(0, 0, 768, 768)


def test_a_padded_canvas_shows_no_more_than_an_exact_one() -> None:
    camera = Camera((512, 512), (512, 512), 1.1)  # 563.2 pixels, held by 568
    box = camera.view((568, 568), 1)
    assert box.width == pytest.approx(563.2)
    assert (box.left + box.right, box.top + box.bottom) == pytest.approx((568, 568))


@pytest.mark.parametrize("zoom_factor", [1.25, 1.5, 2.0, 4.0])
def test_the_view_grows_by_the_same_ratio_from_frame_to_frame(zoom_factor: float) -> None:
    camera = Camera((640, 360), (640, 360), zoom_factor)
    canvas = math.ceil(640 * zoom_factor), math.ceil(360 * zoom_factor)
    widths = [camera.view(canvas, i / 24).width for i in range(25)]
    ratios = [b / a for a, b in pairwise(widths)]
    assert ratios == pytest.approx([zoom_factor ** (1 / 24)] * 24, abs=1e-12)


@pytest.mark.parametrize(
    ("film", "picture", "view"),
    [
        ((1920, 1080), (512, 512), (512, 288)),
        ((1080, 1920), (512, 512), (288, 512)),
        ((1024, 1024), (768, 512), (512, 512)),
        ((1920, 1080), (1024, 576), (1024, 576)),
    ],
)
def test_a_film_of_another_aspect_sees_the_largest_box_that_fits(
    film: tuple[int, int], picture: tuple[int, int], view: tuple[int, int]
) -> None:
    box = Camera(film, picture, 1.5).view((picture[0] * 2, picture[1] * 2), 0)
    assert (box.width, box.height) == view
    assert (box.left + box.right, box.top + box.bottom) == (picture[0] * 2, picture[1] * 2)


def test_a_film_larger_than_the_picture_is_known_to_be_enlarged() -> None:
    assert Camera((1920, 1080), (960, 540), 1.5).enlargement == 2
    assert Camera((1920, 1080), (512, 512), 1.5).enlargement == 3.75
    assert Camera((512, 512), (512, 512), 1.5).enlargement == 1
    assert Camera((256, 256), (512, 512), 1.5).enlargement == 0.5


def test_a_canvas_too_small_for_the_film_is_refused_with_its_size() -> None:
    with pytest.raises(ProjectError, match=r"keyframe of 512x512 .*768\.0x768\.0"):
        Camera((512, 512), (512, 512), 1.5).view((512, 512), 1)


def test_a_canvas_as_large_as_rounding_left_it_is_accepted() -> None:
    camera = Camera((168, 168), (168, 168), 184 / 168)
    assert 168 * camera.zoom_factor > 184  # by the last bit
    assert camera.view((184, 184), 1).width == pytest.approx(184)
