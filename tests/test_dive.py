"""Dives into known worlds: the lossless film against the world itself, and chains of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.film.camera import Box, Camera, Way
from renderer.film.zoom import CanvasPlanes, zoom_frame
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings
from tests.dives import Dive, VaeLikeDive, dived
from tests.lossless import PEAK, Luma, psnr, without_loss
from tests.marks import first_of, slower
from tests.worlds import Scene, World, hard, natural

FRAMES = 4
"""Frames of an interval: few, since every one is compared."""
FOCUSES = pytest.mark.parametrize(
    "focuses",
    [("0.5,0.5",), *slower([("0.3,0.6",)]), ("0.3,0.6", "0.9,0.2", "0.5,0.9", "0,0", "1,0.4")],
)


def settings(size: Size, factor: float, keyframes: int, frames: int = FRAMES) -> RenderSettings:
    return without_loss(size, factor, "refine", keyframes, frames)


@FOCUSES
@pytest.mark.parametrize("size", first_of([(320, 180), (320, 320)]), ids=["wide", "square"])
@pytest.mark.parametrize(("factor", "keyframes"), [(2.0, 4), (1.5, 6)])
@pytest.mark.parametrize(
    ("make", "mean", "low"), [(natural, 52, 48), (hard, 46, 37)], ids=["natural", "hard"]
)
def test_the_film_of_a_dive_is_the_true_view(
    make: Callable[[int], World],
    mean: float,
    low: float,
    factor: float,
    keyframes: int,
    size: Size,
    focuses: Sequence[str],
) -> None:
    how = settings(size, factor, keyframes)
    dive = Dive(make(2700), how, factor ** (keyframes - 1), focuses=focuses)
    film = dive.film()
    assert len(film) == how.film_frames
    found = [psnr(luma, dive.true_frame(number)) for number, luma in enumerate(film)]
    print(f"mean {np.mean(found):.1f} dB, 5th percentile {np.percentile(found, 5):.1f}")  # noqa: T201
    assert np.mean(found) >= mean
    assert np.percentile(found, 5) >= low
    assert max(done.residue for done in dive.keyframes) < 0.5


def view(done: Outpainted, how: RenderSettings, t: float) -> Luma:
    """The film's frame at ``t`` of a keyframe's interval."""
    planes = CanvasPlanes.from_rgb(done.canvas)
    box = Camera.of(how).view(planes.size, t, Way(done.dives_to))
    return zoom_frame(planes, box, how.size)[: how.size[1]].astype(np.float64)


def contrast(luma: Luma) -> float:
    """Mean difference of neighbouring pixels: how sharp a picture looks."""
    return float(sum(np.abs(np.diff(luma, axis=axis)).mean() for axis in (0, 1)))


@pytest.mark.parametrize("factor", first_of([1.5, 2.0]))
@pytest.mark.parametrize("noise", first_of([1.5, 0.0]))
def test_intervals_meet_and_stay_as_sharp_whatever_a_painter_does(
    factor: float, noise: float
) -> None:
    how = settings((192, 192), factor, 10)
    dive = Dive(Scene(3), how, 1.0)
    last: Luma | None = None
    for done in dive.run(VaeLikeDive(dive, noise=noise)):
        first = view(done, how, 0.0)
        if last is not None:
            assert psnr(first, last) >= 50
            assert abs(contrast(first) / contrast(last) - 1) <= 0.03
        last = view(done, how, 1.0)


@pytest.mark.parametrize(
    ("contrast", "keyframes"),
    [(0.0, 9), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((4.0, 9), (0.0, 41)))],
)
def test_neither_brightness_nor_grain_builds_up(contrast: float, keyframes: int) -> None:
    """In a dim sky, where both are seen; VAE-like changes at every keyframe."""
    how = settings((192, 192), 1.5, keyframes)
    # 85 is a whole number of film levels, so that the film's own rounding is no error here.
    dive = Dive(Scene(3, level=85, contrast=contrast), how, 1.0)
    off, grain = [], []
    for number, done in enumerate(dive.run(VaeLikeDive(dive)), start=1):
        away = view(done, how, 1.0) - dive.true_frame(number * FRAMES)
        off.append(abs(float(away.mean())) * 255 / PEAK)
        grain.append(float(np.diff(np.diff(away, axis=0), axis=1).std()) / 2)
    assert max(off[:6]) <= 0.3
    assert max(off) <= 1
    assert max(grain[6:]) <= 1.25 * max(grain[:3])


MOVING = ("0.4,0.6", "0.55,0.45", "0.5,0.6", "0.6,0.5")


@pytest.mark.parametrize("ease", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("focuses", [("0.5,0.5",), ("0.3,0.9",), MOVING])
def test_the_camera_keeps_its_speed_and_goes_on_from_keyframe_to_keyframe(
    focuses: Sequence[str], ease: float
) -> None:
    how = settings((320, 180), 1.5, 6, frames=200).changed({"focus_ease": ease})
    camera, geometry = Camera.of(how), Geometry.of(how)
    dive = Dive(natural(900), how, 1.0, focuses=focuses)
    list(dive.run())
    last: NDArray[np.float64] | None = None
    for number, done in enumerate(dive.keyframes):
        way = dive.way(number)
        boxes = [camera.view(geometry.canvas_size, i / 200, way) for i in range(201)]
        widths = np.array([box.width for box in boxes])
        assert np.ptp(widths[1:] / widths[:-1]) <= 1e-12
        assert np.allclose(edges(boxes[0]), geometry.view)
        assert done.dives_to is not None
        assert np.allclose(edges(boxes[-1])[:2], done.dives_to, atol=1e-9)
        drift = drifts(boxes)
        steady = drift[round(200 * ease) :] if last is not None else drift
        assert np.ptp(steady, axis=0).max() <= 1e-3 * max(1e-6, np.abs(drift).max())
        if last is not None and ease:
            assert np.abs(drift[0] - last).max() <= 0.02
        assert np.abs(np.diff(drift, axis=0)).max() <= (0.03 if ease else 1e-3)
        last = drift[-1]


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def drifts(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """(N - 1, 2): how fast the middle moves across and down, in views for an interval."""
    middles = np.array([[box.left + box.right, box.top + box.bottom] for box in boxes]) / 2
    sizes = np.array([[box.width, box.height] for box in boxes])
    return np.diff(middles, axis=0) / np.sqrt(sizes[1:] * sizes[:-1]) * (len(boxes) - 1)


def test_a_film_that_turns_comes_to_rest_and_starts_from_it() -> None:
    how = settings((320, 180), 2.0, 7)
    camera, geometry = Camera.of(how), Geometry.of(how)
    place = (100, 40)
    canvases = [
        dived(None),
        dived(None, stops=True),
        dived(place),
        dived(place, stops=True),
        dived(None, stops=True),
        dived(place),
    ]
    speeds = []
    for canvas, way in zip(canvases, camera.ways(geometry.canvas_size, canvases), strict=True):
        boxes = [camera.view(geometry.canvas_size, i / 400, way) for i in range(401)]
        zoom = np.diff(np.log([box.width for box in boxes])) * 400 / np.log(2)
        assert np.all(zoom < 0 if canvas.dives_to else zoom > 0)
        speeds.append(np.abs(zoom))
    whole = np.concatenate(speeds)
    assert np.abs(np.diff(whole)).max() <= 0.02  # nowhere a jolt
    assert [speed[0] > 0.98 for speed in speeds] == [True, True, False, True, False, False]
    assert [speed[-1] < 0.02 for speed in speeds] == [False, True, False, True, True, False]
    assert whole.max() <= 1.5


def test_no_curve_leaves_the_canvas() -> None:
    """From one corner to the other, keyframe after keyframe: a curve then overshoots the most."""
    how = settings((320, 180), 3.0, 9).changed({"focus_ease": 0.5})
    camera, geometry = Camera.of(how), Geometry.of(how)
    right, bottom = (geometry.canvas_size[i] - geometry.keyframe_size[i] for i in (0, 1))
    canvases = [dived((0, 0)), dived((right, bottom))] * 4
    for way in camera.ways(geometry.canvas_size, canvases):
        for i in range(101):
            box = camera.view(geometry.canvas_size, i / 100, way)
            assert -1e-9 <= box.left < box.right <= geometry.canvas_size[0] + 1e-9
            assert -1e-9 <= box.top < box.bottom <= geometry.canvas_size[1] + 1e-9


def test_auto_brings_what_there_is_to_see_into_the_middle() -> None:
    how = settings((256, 256), 1.5, 8).changed({"focus": "auto"})
    speck = Speck((52.0, -60.0))
    dive = Dive(speck, how, 1.0)
    away = []
    for number, _ in enumerate(dive.run(), start=1):
        x, y = dive.centres[number]
        away.append(np.hypot(speck.at[0] - x, speck.at[1] - y) / dive.pixel_of(number) / 256)
    assert away[0] < np.hypot(*speck.at) / 256
    assert max(away[2:]) < 0.12
    moves = np.abs(np.diff(away, prepend=np.hypot(*speck.at) / 256))
    assert moves.max() < 0.25


class Speck:
    """A fine pattern around one place, on plain grey."""

    def __init__(self, at: tuple[float, float]) -> None:
        self.at = at

    def view(
        self, pixel: float, size: Size, centre: tuple[float, float] = (0.0, 0.0)
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        x, y = (
            middle + (np.arange(n) + 0.5 - n / 2) * pixel - at
            for n, middle, at in zip(size, centre, self.at, strict=True)
        )
        radius = np.hypot(x[None, :], y[:, None]) + 1e-9
        rings = np.cos(12 * np.log(radius)) * np.exp(-((radius / 18) ** 2))
        grey = np.clip(110 + 70 * rings, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
