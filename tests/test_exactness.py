"""Painting and film together: the lossless film of a known world against the world itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.film.camera import Camera
from renderer.film.zoom import CanvasPlanes, Frame, closing_frame, interval_frames
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import first_picture, outpaint, picture_of
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.upscale import RIM, Upscaled
from renderer.settings.painting import Method
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings
from tests.lossless import PEAK, Luma, decoded, luma_of, psnr, without_loss
from tests.marks import first_of
from tests.worlds import (
    Scene,
    SmallTruth,
    TrueBorder,
    VaeLike,
    World,
    hard,
    natural,
    true_canvas,
    true_frame,
)

Pixels = NDArray[np.uint8]

_FRAMES, _FEW_FRAMES = 8, 4
"""Frames of an interval: few, since every one is compared."""

_METHODS = pytest.mark.parametrize("method", first_of(["direct", "sequential"]))
_SIZES = pytest.mark.parametrize("size", first_of([(320, 180), (320, 320)]), ids=["wide", "square"])


def _canvases(
    painter: Painter, settings: RenderSettings, placed: World | None = None
) -> Iterator[Pixels]:
    """C(1), C(2), …: all that the film is made of, since C(1) holds keyframe 0.

    ``placed``: the true canvases of that world are put in for every second one.
    """
    geometry = Geometry.of(settings)
    picture = first_picture(painter, settings, lambda done, total: None)
    reference = Reference.of(picture)
    for keyframe in range(1, settings.keyframes or 0):
        canvas = outpaint(
            painter,
            picture,
            settings,
            keyframe=keyframe,
            reference=reference,
            on_step=lambda done, total: None,
            placed=true_canvas(placed, geometry, keyframe) if placed and keyframe % 2 else None,
        ).canvas
        yield canvas
        picture = picture_of(canvas, settings)


def _film(painter: Painter, settings: RenderSettings, placed: World | None = None) -> list[Luma]:
    """The luma of every frame of the whole film, encoded without loss and decoded again."""
    camera = Camera.of(settings)

    def segments() -> Iterator[list[Frame]]:
        for index, canvas in enumerate(_canvases(painter, settings, placed)):
            planes = CanvasPlanes.from_rgb(canvas)
            frames = list(interval_frames(planes, camera, settings.frames_per_keyframe))
            if index + 2 == settings.keyframes:
                frames.append(closing_frame(planes, camera))
            yield frames

    return decoded(segments(), settings)


@functools.lru_cache(maxsize=170)
def _truth(world: World, geometry: Geometry, time: float, size: Size) -> Luma:
    return luma_of(true_frame(world, geometry, time, size))


@_METHODS
@_SIZES
@pytest.mark.parametrize(("factor", "keyframes"), [(2.0, 4), (1.5, 6)])
@pytest.mark.parametrize(
    ("make", "mean", "low"), [(natural, 52, 48), (hard, 46, 37)], ids=["natural", "hard"]
)
def test_the_film_of_a_known_world_is_its_true_view(
    make: Callable[[int], World],
    mean: float,
    low: float,
    factor: float,
    keyframes: int,
    size: Size,
    method: Method,
) -> None:
    settings = without_loss(size, factor, method, keyframes)
    world, geometry = make(2700), Geometry.of(settings)
    film = _film(TrueBorder(world, settings), settings)
    assert len(film) == settings.film_frames
    found = [psnr(luma, _truth(world, geometry, i / _FRAMES, size)) for i, luma in enumerate(film)]
    print(f"mean {np.mean(found):.1f} dB, 5th percentile {np.percentile(found, 5):.1f}")  # noqa: T201
    assert np.mean(found) >= mean
    assert np.percentile(found, 5) >= low


@dataclass
class _AskedFor:
    """Knows which keyframes ``painter`` was asked to paint."""

    painter: Painter
    keyframes: list[int] = field(default_factory=list)

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.keyframes.append(job.keyframe)
        return self.painter.paint(job, on_step)


@_SIZES
@pytest.mark.parametrize(("factor", "keyframes"), [(2.0, 4), (1.5, 6)])
def test_true_pictures_that_are_placed_make_the_true_film_and_nothing_is_painted_for_them(
    factor: float, keyframes: int, size: Size
) -> None:
    settings = without_loss(size, factor, "direct", keyframes)
    world, geometry = natural(2700), Geometry.of(settings)
    painter = _AskedFor(TrueBorder(world, settings))
    film = _film(painter, settings, placed=world)
    assert painter.keyframes == [0, *range(2, keyframes, 2)]
    found = [psnr(luma, _truth(world, geometry, i / _FRAMES, size)) for i, luma in enumerate(film)]
    print(f"mean {np.mean(found):.1f} dB, 5th percentile {np.percentile(found, 5):.1f}")  # noqa: T201
    assert np.mean(found) >= 52
    assert np.percentile(found, 5) >= 48


@_METHODS
@pytest.mark.parametrize("upscale", first_of([2, 4]))
@pytest.mark.parametrize(("factor", "keyframes"), [(2.0, 4), (1.5, 6)])
@pytest.mark.parametrize(
    ("make", "mean", "low"), [(natural, 52, 48), (hard, 46, 37)], ids=["natural", "hard"]
)
def test_a_film_painted_smaller_is_the_true_view_if_the_upscaler_tells_the_truth(
    make: Callable[[int], World],
    mean: float,
    low: float,
    factor: float,
    keyframes: int,
    upscale: int,
    method: Method,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("renderer.painting.upscale.TILE", 80)  # several, of so small a film
    settings = replace(without_loss((320, 320), factor, method, keyframes), upscale=upscale)
    world, geometry = make(2700), Geometry.of(settings)
    true = SmallTruth(world, settings, RIM)
    film = _film(Upscaled(true, true.enlarge, upscale), settings)
    assert true.enlarged > keyframes
    found = [
        psnr(luma, _truth(world, geometry, i / _FRAMES, settings.size))
        for i, luma in enumerate(film)
    ]
    print(f"mean {np.mean(found):.1f} dB, 5th percentile {np.percentile(found, 5):.1f}")  # noqa: T201
    assert np.mean(found) >= mean
    assert np.percentile(found, 5) >= low


@functools.cache
def _vae_film(size: Size, factor: float, method: Method, keyframes: int) -> tuple[Luma, Luma]:
    """Frames (n, h, w) of the film that a VAE-like painter made, and of the truth."""
    settings = without_loss(size, factor, method, keyframes, _FEW_FRAMES)
    # Dark, so that the painter's +4 shows: at the middle of the scale its gain would undo it.
    world, geometry = Scene(settings.seed, level=60, contrast=22), Geometry.of(settings)
    film = np.stack(_film(VaeLike(TrueBorder(world, settings)), settings))
    truth = np.stack([_truth(world, geometry, i / _FEW_FRAMES, size) for i in range(len(film))])
    return film, truth


_VAES = pytest.mark.parametrize(
    ("size", "factor", "keyframes"),
    [
        ((96, 96), 2.0, 7),
        pytest.param((128, 72), 1.5, 7, marks=pytest.mark.slow),
        pytest.param((80, 80), 1.5, 41, marks=pytest.mark.soak),
        pytest.param((128, 72), 2.0, 41, marks=pytest.mark.soak),
    ],
)


@_METHODS
@_VAES
def test_a_vae_hardly_changes_the_films_mean_brightness(
    size: Size, factor: float, keyframes: int, method: Method
) -> None:
    film, truth = _vae_film(size, factor, method, keyframes)
    off = np.abs((film - truth).mean(axis=(1, 2))) * 255 / PEAK
    six = off[: 6 * _FEW_FRAMES + 1]
    print(f"at most {six.max():.2f}, then {off.max():.2f}")  # noqa: T201
    assert six.max() <= 0.3
    assert off.max() <= 1


@_METHODS
@_VAES
def test_a_vae_leaves_no_square_in_the_film(
    size: Size, factor: float, keyframes: int, method: Method
) -> None:
    """The paste border is followed as it shrinks: neither its gradient nor a step gives it away."""
    film, truth = _vae_film(size, factor, method, keyframes)
    seen = range(_FEW_FRAMES // 2, len(film) - 1)  # not while the border leaves the frame
    shrunk = {i: factor ** (-(i % _FEW_FRAMES) / _FEW_FRAMES) for i in seen if i % _FEW_FRAMES}
    shown, true = (
        np.mean([_gradient(frames[i], part) for i, part in shrunk.items()])
        for frames in (film, truth)
    )
    # The largest, not the mean: once all that is known is off, so is what a true painter adds.
    step = max(abs(_step(film[i] - truth[i], part)) for i, part in shrunk.items())
    print(f"gradient {shown:.3f}, in the true view {true:.3f}; step {step:.2f}")  # noqa: T201
    assert shown == pytest.approx(true, abs=0.05)
    assert step < 0.4


def _square(height: int, width: int, part: float) -> tuple[slice, slice]:
    """Rows and columns of what is known, ``part`` of the frame."""
    rows, columns = (
        slice(round(n * (1 - part) / 2), round(n * (1 + part) / 2)) for n in (height, width)
    )
    return rows, columns


def _gradient(frame: Luma, part: float) -> float:
    """Gradient across the paste border ÷ around it."""
    across, around = 0.0, 0.0
    for turned in (frame, frame.T):
        rows, columns = _square(*turned.shape, part)
        steps = np.abs(np.diff(turned[:, columns], axis=0)).mean(axis=1)
        for at in (rows.start - 1, rows.stop - 1):
            near = steps[max(at - 5, 0) : at + 6]
            across += steps[at] * turned.shape[1]
            around += near.mean() * turned.shape[1]
    return across / around


def _step(off: Luma, part: float, ring: int = 4) -> float:
    """How much brighter what differs from the truth is just outside the border than inside."""
    rows, columns = _square(*off.shape, part)
    inside, outside = np.zeros(off.shape, np.bool_), np.zeros(off.shape, np.bool_)
    inside[rows, columns] = True
    outside[_grown(rows, ring), _grown(columns, ring)] = True
    outside &= ~inside
    inside[_grown(rows, -ring), _grown(columns, -ring)] = False
    return float(off[outside].mean() - off[inside].mean())


def _grown(span: slice, by: int) -> slice:
    return slice(max(span.start - by, 0), span.stop + by)
