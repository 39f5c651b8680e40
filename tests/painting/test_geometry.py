"""Canvases, pads and known areas."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.errors import SettingsError
from renderer.painting.geometry import Area, Geometry, Growth, zoom_factor_from_pixels
from renderer.settings.painting import Method
from renderer.settings.render import RenderSettings

_WIDE = RenderSettings(keyframe_size=(960, 540), zoom_factor=1.5, size_multiple=4)


@st.composite
def settings(draw: st.DrawFn) -> RenderSettings:
    multiple = draw(st.sampled_from([1, 4, 8, 16, 64]))
    sides = st.integers(math.ceil(64 / multiple), 2048 // multiple).map(lambda n: n * multiple)
    return RenderSettings(
        keyframe_size=(draw(sides), draw(sides)),
        zoom_factor=draw(st.floats(1.001, 4)),
        size_multiple=multiple,
    )


@given(settings())
def test_canvases_reach_the_zoom_factor_with_the_least_pads_in_multiples(s: RenderSettings) -> None:
    geometry = Geometry.of(s)
    for side, canvas, pad in zip(s.keyframe_size, geometry.canvas_size, geometry.pad, strict=True):
        assert canvas == side + 2 * pad
        assert pad % s.size_multiple == 0
        assert canvas >= s.zoom_factor * side - 1e-3
        assert pad == s.size_multiple or canvas - 2 * s.size_multiple < s.zoom_factor * side


@given(settings())
def test_the_view_is_the_zoom_factor_wide_central_and_inside_the_canvas(s: RenderSettings) -> None:
    geometry = Geometry.of(s)
    left, top, right, bottom = geometry.view
    width, height = geometry.canvas_size
    assert right - left == pytest.approx(s.zoom_factor * s.keyframe_size[0], abs=1e-3)
    assert bottom - top == pytest.approx(s.zoom_factor * s.keyframe_size[1], abs=1e-3)
    assert (left + right, top + bottom) == pytest.approx((width, height))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@pytest.mark.parametrize(
    ("side", "factor", "pad"), [(640, 1.1, 32), (512, 1.5, 128), (512, 2.0, 256), (480, 1.2, 48)]
)
def test_rounding_noise_of_the_zoom_factor_adds_no_pixels(
    side: int, factor: float, pad: int
) -> None:
    chosen = RenderSettings(keyframe_size=(side, side), zoom_factor=factor, size_multiple=8)
    assert Geometry.of(chosen).pad == (pad, pad)


def test_direct_grows_on_all_sides_at_once() -> None:
    geometry = Geometry.of(_WIDE)
    assert geometry.calls("direct") == (Growth((1440, 812), Area(240, 136, 1200, 676)),)
    assert geometry.direct[0].pads == ((136, 136), (240, 240))


@pytest.mark.parametrize(
    ("method", "window", "count"),
    [
        ("direct", 0, 1),
        ("direct", 64, 1),
        ("refine", 0, 1),
        ("sequential", 0, 4),
        ("sequential", 191, 1),
        ("sequential", 192, 4),
    ],
)
def test_only_what_fits_a_window_grows_side_after_side(
    method: Method, window: int, count: int
) -> None:
    geometry = Geometry.of(
        RenderSettings(keyframe_size=(128, 96), zoom_factor=1.5, size_multiple=8)
    )
    assert geometry.canvas_size == (192, 144)
    calls = geometry.calls(method, window)
    assert len(calls) == count
    assert calls[-1].canvas_size == geometry.canvas_size


def test_sequential_grows_left_top_right_bottom_and_ends_as_direct() -> None:
    geometry = Geometry.of(_WIDE)
    calls = geometry.calls("sequential")
    assert [call.pads for call in calls] == [
        ((0, 0), (240, 0)),
        ((136, 0), (0, 0)),
        ((0, 0), (0, 240)),
        ((0, 136), (0, 0)),
    ]
    size = geometry.keyframe_size
    for call in calls:
        left, top, right, bottom = call.known
        assert (right - left, bottom - top) == size
        size = call.canvas_size
    assert size == geometry.canvas_size


@pytest.mark.parametrize(
    ("pixels", "size", "factor"),
    [
        (128, (512, 512), 1.5),
        (256, (512, 512), 2.0),
        (135, (960, 540), 1.5),
        (1, (64, 96), 66 / 64),
    ],
)
def test_a_border_in_pixels_is_on_every_side_of_the_shorter_edge(
    pixels: int, size: tuple[int, int], factor: float
) -> None:
    assert zoom_factor_from_pixels(pixels, size) == factor
    assert zoom_factor_from_pixels(pixels, (size[1], size[0])) == factor


@pytest.mark.parametrize("pixels", [0, -8])
def test_a_border_of_no_pixels_is_refused(pixels: int) -> None:
    with pytest.raises(
        SettingsError, match=f"outpaint size must be at least 1 pixel, not {pixels}"
    ):
        zoom_factor_from_pixels(pixels, (512, 512))
