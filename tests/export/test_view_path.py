"""Views about any point: always inside their canvas, never jumping, the point never moving."""

from __future__ import annotations

import itertools
import math

import pytest

from renderer.export.view_path import ViewPath
from renderer.film.camera import Camera
from renderer.settings.plain_values import Size

KEYFRAME = (320, 184)
POINTS = [(0.8, 0.3), (0.0, 0.0), (1.0, 0.5), (0.5, 0.501)]
FACTORS = [1.5, 2.0, 1.01]
SIZES: list[Size] = [(320, 180), (100, 180), (184, 184)]


def view_path(factor: float, size: Size, focus: tuple[float, float], depth: int = 6) -> ViewPath:
    return ViewPath(Camera(size, KEYFRAME, factor), depth, focus)


def canvas_size(factor: float) -> Size:
    return math.ceil(KEYFRAME[0] * factor), math.ceil(KEYFRAME[1] * factor)


def world_box(of: ViewPath, depth: float) -> tuple[float, float, float, float]:
    """left, top, right, bottom in pixels of the first picture, from its middle."""
    sight = of.sight(depth)
    canvas = canvas_size(of.camera.zoom_factor)
    box = of.box(canvas, sight)
    unit = of.camera.zoom_factor**sight.interval
    x, y = canvas[0] / 2, canvas[1] / 2
    return (
        (box.left - x) * unit,
        (box.top - y) * unit,
        (box.right - x) * unit,
        (box.bottom - y) * unit,
    )


def test_about_the_middle_it_is_the_films_camera_bit_for_bit() -> None:
    plain = view_path(1.5, (320, 180), (0.5, 0.5), 3)
    for number in range(180):
        sight = plain.sight(number / 60)
        assert sight.interval == number // 60
        canvas = canvas_size(1.5)
        assert plain.box(canvas, sight) == plain.camera.view(canvas, sight.t)
    assert plain.sight(3) == (2, 1.0, (0.0, 0.0))


@pytest.mark.parametrize("focus", POINTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("factor", FACTORS)
def test_every_view_lies_in_its_canvas(
    factor: float, size: Size, focus: tuple[float, float]
) -> None:
    of = view_path(factor, size, focus)
    for number in range(601):
        sight = of.sight(6 * number / 600)
        assert 0 <= sight.interval < 6
        box = of.box(canvas_size(factor), sight)
        width, height = canvas_size(factor)
        assert min(box.left, box.top) > -1e-6
        assert box.right < width + 1e-6
        assert box.bottom < height + 1e-6
        # and no smaller than the narrowest view that is promised
        first = of.camera.view(KEYFRAME, 0.0).width
        assert box.width > first * of.sharpness * (1 - 1e-9)


@pytest.mark.parametrize("focus", POINTS)
@pytest.mark.parametrize("size", SIZES)
def test_the_focus_keeps_its_place_and_the_speed_is_constant(
    size: Size, focus: tuple[float, float]
) -> None:
    of = view_path(1.5, size, focus)
    left, top, right, bottom = world_box(of, 0.0)
    point = left + focus[0] * (right - left), top + focus[1] * (bottom - top)
    widths = []
    for number in range(601):
        left, top, right, bottom = world_box(of, 6 * number / 600)
        assert (point[0] - left) / (right - left) == pytest.approx(focus[0], abs=1e-9)
        assert (point[1] - top) / (bottom - top) == pytest.approx(focus[1], abs=1e-9)
        widths.append(right - left)
    growth = [math.log(b / a) for a, b in itertools.pairwise(widths)]
    assert max(growth) - min(growth) < 1e-9


def test_the_first_view_is_the_whole_first_picture_and_the_last_is_as_wide_as_it_can_be() -> None:
    of = view_path(1.5, (320, 184), (0.75, 0.5))
    assert world_box(of, 0.0) == pytest.approx((-160, -92, 160, 92))
    left, _, right, _ = world_box(of, 6.0)
    whole = 160 * 1.5**6
    assert left == pytest.approx(-whole)
    assert right < whole


def test_a_chain_longer_than_floating_point_can_count_has_views_too() -> None:
    of = view_path(2.0, (320, 180), (0.9, 0.1), depth=5000)
    for depth in (0.0, 0.5, 2500.25, 4999.9, 5000.0):
        sight = of.sight(depth)
        box = of.box(canvas_size(2.0), sight)
        assert min(box.left, box.top) > -1e-6
        assert box.width > 320 / 2
