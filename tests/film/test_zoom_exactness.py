"""Films of known worlds against the truth: exact, steady, of constant speed, without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from renderer.film.camera import Camera
from renderer.film.zoom import CanvasPlanes, closing_frame, interval_frames
from tests.export.panorama import Panorama, grass, leaves, psnr, ycbcr

Plane = NDArray[np.float64]
Maker = Callable[[int, int], Image.Image]
SIZES = [(320, 320), (320, 180)]
FACTORS = [(2.0, 3), (1.5, 5)]
"""ρ, and as many keyframes around the first as the world has room for."""
FRAMES = 10


@cache
def picture(make: Maker) -> Image.Image:
    return make(2560, 7)


def film(world: Panorama, keyframes: int, frames: int = FRAMES) -> Iterator[tuple[float, Plane]]:
    """(time in keyframes, luma) of each frame."""
    height = world.camera.film_size[1]
    for k, rgb in enumerate(world.canvases(keyframes)):
        canvas = CanvasPlanes.from_rgb(rgb)
        for i, frame in enumerate(interval_frames(canvas, world.camera, frames)):
            yield k + i / frames, frame[:height].astype(np.float64)


def truth(world: Panorama, time: float) -> Plane:
    view = world.true_view(world.camera.zoom_factor**time, world.camera.film_size)
    return ycbcr(np.asarray(view))[..., 0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("factor", "keyframes"), FACTORS)
@pytest.mark.parametrize(
    ("make", "mean", "fifth"),
    [
        pytest.param(leaves, 52, 48, id="leaves"),
        pytest.param(grass, 46, 37, id="grass", marks=pytest.mark.slow),
    ],
)
def test_the_film_of_a_known_world_shows_its_true_views(
    make: Maker, mean: float, fifth: float, factor: float, keyframes: int, size: tuple[int, int]
) -> None:
    world = Panorama(picture(make), Camera(size, size, factor))
    exactness = [psnr(luma, truth(world, t)) for t, luma in film(world, keyframes)]
    assert np.mean(exactness) >= mean
    assert np.percentile(exactness, 5) >= fifth  # the first frames after each keyframe


@pytest.mark.parametrize(("factor", "keyframes"), FACTORS)
def test_one_interval_ends_with_what_the_next_one_starts_with(
    factor: float, keyframes: int
) -> None:
    world = Panorama(picture(leaves), Camera((320, 180), (320, 180), factor))
    canvases = [CanvasPlanes.from_rgb(rgb) for rgb in world.canvases(keyframes)]
    for before, after in pairwise(canvases):
        end = closing_frame(before, world.camera)
        start = next(interval_frames(after, world.camera, FRAMES))
        assert psnr(end, start) > 54
        assert psnr(end[:, 1:], start[:, :-1]) < 40  # as a shift of one pixel would show


def test_the_edge_of_the_pasted_picture_is_as_exact_as_the_rest() -> None:
    size = 320
    world = Panorama(picture(leaves), Camera((size, size), (size, size), 1.5))
    at_edge, elsewhere = [], []
    for t, luma in film(world, 5):
        if not t % 1:
            continue  # the edge is the frame's
        half = size / 2 / 1.5 ** (t % 1)
        away = np.abs(np.arange(size) + 0.5 - size / 2)
        distance = np.maximum(away[:, None], away) - half
        error = np.abs(luma - truth(world, t))
        at_edge.append(error[np.abs(distance) < 2].mean())
        elsewhere.append(error[(distance < -2) & (distance > -20)].mean())
    assert np.mean(at_edge) < 1.1 * np.mean(elsewhere)


def test_an_even_canvas_gives_even_frames() -> None:
    canvas = CanvasPlanes.from_rgb(np.full((270, 480, 3), (30, 90, 200), np.uint8))
    y, blue, red = ycbcr(np.array([30, 90, 200])).round()
    for frame in interval_frames(canvas, Camera((320, 180), (320, 180), 1.5), 7):
        assert (frame[:180] == y).all()
        assert (frame[180:225] == blue).all()
        assert (frame[225:] == red).all()


SPOTS = np.array(
    [(-125, -110), (120, -125), (-110, 10), (8, -20), (125, 15), (-60, 120), (70, 110)], np.float64
)
"""Places in film pixels from the middle, at the start of the film: far enough apart to be told."""


def spotted_canvas(shrunk: float, side: int) -> NDArray[np.uint8]:
    """A square canvas on which SPOTS lie ``shrunk`` times nearer: gaussians 3 pixels wide on grey.

    Grey, because on black the filter's undershoot would be cut off; its luma is 89 exactly.
    """
    axis = np.arange(side) + 0.5 - side / 2
    x, y = SPOTS.T[..., None] / shrunk
    spots = np.exp(-((axis - y) ** 2) / 18)[:, :, None] * np.exp(-((axis - x) ** 2) / 18)[:, None]
    grey = (85 + spots.sum(axis=0) * 165).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def track(luma: Plane, places: Plane) -> Plane:
    """The centroids of the spots near ``places``, in pixels from the middle."""
    axis = np.arange(luma.shape[0]) + 0.5 - luma.shape[0] / 2
    found = []
    for x, y in places:
        rows, columns = np.abs(axis - y) < 12, np.abs(axis - x) < 12
        spot = luma[np.ix_(rows, columns)] - 89
        found.append((spot.sum(0) @ axis[columns], spot.sum(1) @ axis[rows]) / spot.sum())
    return np.array(found)


def test_nothing_shakes_and_the_speed_has_no_pulse() -> None:
    factor, frames = 1.5, 40
    camera = Camera((320, 320), (320, 320), factor)
    scales, errors = [], []
    for k in (0, 1):
        canvas = CanvasPlanes.from_rgb(spotted_canvas(factor**k, 480))
        for i, frame in enumerate(interval_frames(canvas, camera, frames)):
            ideal = SPOTS / factor ** (k + i / frames)
            found = track(frame[:320].astype(np.float64), ideal)
            errors.append(found - ideal)
            scales.append((found * SPOTS).sum() / (SPOTS**2).sum())
    shake = np.abs(np.mean(errors, axis=1)).max()
    size = np.log(scales)
    speed = (size[:-4] - size[4:]) / (4 * np.log(factor) / frames)  # of four frames at a time
    assert shake < 0.01
    assert np.abs(errors).max() < 0.05  # of one spot, in eight bits
    assert np.abs(speed - 1).max() < 0.01
