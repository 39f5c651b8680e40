"""Colours over many keyframes of a known world, with a painter that changes them every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting.colour_match import Correction, Reference, fit, guard
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import first_picture, outpaint, picture_of
from renderer.painting.painters import Painter
from renderer.settings.painting import Method
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings
from tests.lossless import luma_of, psnr
from tests.painting.jobs import ignore
from tests.worlds import Scene, TrueBorder, VaeLike, Vivid, World, hard, natural, true_canvas

Pixels = NDArray[np.uint8]
LUMA = np.array([0.2126, 0.7152, 0.0722])


def chroma_of(picture: Pixels) -> NDArray[np.float64]:
    values: NDArray[np.float64] = picture.astype(float)
    return values - (values @ LUMA)[:, :, None]


def saturated(picture: Pixels, by: float, noise: float = 0.0) -> Pixels:
    chroma = chroma_of(picture)
    grain = np.random.default_rng(5).normal(0, noise, picture.shape)
    changed = picture - chroma + by * chroma + grain
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def chain(
    painter: Painter, world: World, settings: RenderSettings, count: int
) -> list[tuple[Pixels, Pixels]]:
    """(canvas, true canvas) of every keyframe."""
    picture, geometry = first_picture(painter, settings, ignore), Geometry.of(settings)
    reference, pairs = Reference.of(picture), [(picture, picture)]
    for keyframe in range(1, count + 1):
        canvas = outpaint(
            painter, picture, settings, keyframe=keyframe, reference=reference, on_step=ignore
        ).canvas
        pairs.append((canvas, true_canvas(world, geometry, keyframe)))
        picture = picture_of(canvas, settings)
    return pairs


def settings_for(size: Size, factor: float, method: Method = "direct") -> RenderSettings:
    return RenderSettings(
        keyframe_size=size, zoom_factor=factor, method=method, size_multiple=4, steps=1, seed=7
    )


@pytest.mark.parametrize("by", [0.88, 1.12])
@pytest.mark.parametrize("world", [natural(900), hard(900), Scene(2)], ids=["nature", "fur", "1/f"])
def test_a_change_of_saturation_is_undone_and_leaves_luma_alone(world: World, by: float) -> None:
    picture = world.view(1, (256, 192))
    found = fit(picture, saturated(picture, by, noise=1.5))
    assert found.gain == pytest.approx(1, abs=0.002)
    assert found.chroma * by == pytest.approx(1, abs=0.01)


def test_a_grey_picture_tells_nothing_about_saturation() -> None:
    grey = np.repeat(Scene(1).view(1, (192, 128))[:, :, :1], 3, axis=2)
    answer = saturated(grey, 1.0, noise=1.5)
    found = fit(grey, answer)
    assert found.chroma == pytest.approx(1, abs=0.02)
    assert found.gain == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("method", ["direct", "sequential"])
@pytest.mark.parametrize(
    ("make", "size", "count", "least"),
    [
        (lambda: natural(3700), (320, 320), 6, 44),
        pytest.param(lambda: hard(3700), (320, 320), 6, 42, marks=pytest.mark.slow),
        (lambda: Scene(7), (192, 128), 6, 44),
    ],
    ids=["natural", "hard", "scene"],
)
def test_six_keyframes_of_a_painter_that_is_too_colourful_stay_true(
    make: Callable[[], World], size: Size, count: int, least: float, method: Method
) -> None:
    settings, world = settings_for(size, 1.5, method), make()
    pairs = chain(Vivid(TrueBorder(world, settings)), world, settings, count)
    found = []
    for canvas, truth in pairs[1:]:
        found.append(psnr(luma_of(canvas), luma_of(truth)))
        assert abs(canvas.mean() - truth.mean()) < 0.3
    canvas, truth = pairs[-1]
    colour = chroma_of(canvas).std() / chroma_of(truth).std()
    print(f"luma at least {min(found):.1f} dB, chroma {100 * (colour - 1):+.2f} %")  # noqa: T201
    assert colour == pytest.approx(1, abs=0.01)
    assert min(found) >= least


@pytest.mark.soak
@pytest.mark.parametrize(
    ("make", "size", "factor"),
    [
        # Chance adds up where it paints in the look that it is given: as 1 / side, as √ keyframes.
        (Vivid, (192, 192), 1.5),
        (VaeLike, (96, 96), 1.5),
        (VaeLike, (144, 96), 2.0),
    ],
)
def test_colours_are_where_they_belong_after_hundreds_of_keyframes(
    make: Callable[[TrueBorder], Painter], size: Size, factor: float
) -> None:
    settings, world = settings_for(size, factor), Scene(7)
    worst = np.zeros(3)
    for canvas, truth in chain(make(TrueBorder(world, settings)), world, settings, 400):
        found, true = Reference.of(canvas), Reference.of(truth)
        off = [
            np.abs(np.subtract(found.mean, true.mean)).max(),
            abs(found.spread / true.spread - 1),
            abs(found.saturation / true.saturation - 1),
        ]
        worst = np.maximum(worst, off)
    print(f"mean {worst[0]:.2f}, contrast {worst[1]:.3f}, saturation {worst[2]:.3f}")  # noqa: T201
    assert worst[0] <= 2
    assert worst[1] <= 0.05
    assert worst[2] <= 0.05


def test_the_guard_holds_saturation_by_itself() -> None:
    scene = Scene(1, contrast=60).view(1, (192, 192))
    reference = Reference.of(scene)
    for by, sign in ((2.4, -1), (0.25, 1)):
        change = guard(Correction(1.0, (0.0, 0.0, 0.0)), saturated(scene, by), reference)
        assert sign * (change.chroma - 1) > 0.005
        assert change.gain == pytest.approx(1, abs=0.05)
    within = Correction(1.0, (0.0, 0.0, 0.0))
    assert guard(within, saturated(scene, 1.3), reference) == within
