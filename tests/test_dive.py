"""Dives into known worlds: the lossless film against the world itself, and chains of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from renderer.film.camera import Camera
from renderer.film.zoom import CanvasPlanes, zoom_frame
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings
from tests.dives import Dive, VaeLikeDive
from tests.lossless import PEAK, Luma, psnr
from tests.marks import first_of, slower
from tests.worlds import Scene, World, hard, natural

FRAMES = 4
"""Frames of an interval: few, since every one is compared."""
FOCUSES = pytest.mark.parametrize(
    "focuses",
    [("0.5,0.5",), *slower([("0.3,0.6",)]), ("0.3,0.6", "0.9,0.2", "0.5,0.9", "0,0", "1,0.4")],
)


def settings(size: Size, factor: float, keyframes: int, frames: int = FRAMES) -> RenderSettings:
    return RenderSettings(
        keyframe_size=size,
        size=size,
        zoom_factor=factor,
        method="refine",
        keyframes=keyframes,
        frames_per_keyframe=frames,
        size_multiple=4,
        steps=1,
        seed=11,
        encoder_options={"qp": "0"},
    )


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
    box = Camera.of(how).view(planes.size, t, done.dives_to)
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


@pytest.mark.parametrize(("contrast", "keyframes"), [(4.0, 9), (0.0, 41)])
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


@pytest.mark.parametrize("focuses", [("0.5,0.5",), ("0.2,0.7", "0.9,0.1", "0.6,0.6")])
def test_the_camera_keeps_its_speed_and_goes_on_from_keyframe_to_keyframe(
    focuses: Sequence[str],
) -> None:
    how = settings((320, 180), 1.5, 6, frames=30)
    camera, geometry = Camera.of(how), Geometry.of(how)
    dive = Dive(natural(900), how, 1.0, focuses=focuses)
    before: tuple[float, float, float, float] | None = None
    for done in dive.run():
        assert done.dives_to is not None
        boxes = [camera.view(geometry.canvas_size, i / 30, done.dives_to) for i in range(31)]
        widths = np.array([box.width for box in boxes])
        assert np.ptp(widths[1:] / widths[:-1]) <= 1e-12
        # On the screen everything moves away from one point that stays where it is.
        centre = np.array([[box.left, box.top] for box in boxes])
        moved = np.diff(centre, axis=0) / widths[:-1, None]
        assert np.ptp(moved, axis=0).max() <= 1e-9
        known = geometry.place(*done.dives_to)
        end = boxes[-1]
        assert abs(end.left - known.left) < 1e-9
        assert abs(end.top - known.top) < 1e-9
        whole = (boxes[0].left, boxes[0].top, boxes[0].right, boxes[0].bottom)
        assert before is None or whole == before
        before = whole
        assert np.allclose(whole, geometry.view)


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
