"""The colour fit, the drift guard, and the figures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.colour import Correction, Reference, drift, fit, guard, match, seam
from renderer.painting.geometry import Area
from tests.worlds import Scene, hard, natural

Pixels = NDArray[np.uint8]

_KNOWN = Area(64, 48, 256, 192)
_SIZE = (320, 240)


def _changed(picture: Pixels, gain: float, offset: float | list[float], noise: float) -> Pixels:
    grain = np.random.default_rng(5).normal(0, noise, picture.shape)
    return np.clip(np.rint(gain * picture + offset + grain), 0, 255).astype(np.uint8)


def _inside(canvas: Pixels) -> Pixels:
    return np.ascontiguousarray(canvas[_KNOWN.rows, _KNOWN.columns])


def _border(canvas: Pixels) -> NDArray[np.bool_]:
    mask = np.ones(canvas.shape[:2], np.bool_)
    mask[_KNOWN.rows, _KNOWN.columns] = False
    return mask


def test_a_painter_that_keeps_the_known_area_keeps_its_border_bit_for_bit() -> None:
    painted = Scene(1).view(1, _SIZE)
    far_away = Reference((250.0, 250.0, 250.0), 1.0)
    canvas = match(painted, _inside(painted), _KNOWN, far_away)
    assert np.array_equal(canvas, painted)
    assert not np.shares_memory(canvas, painted)


@pytest.mark.parametrize(("gain", "offset"), [(0.97, 4.0), (0.9, 10.0), (1.08, -6.0)])
@pytest.mark.parametrize("world", [natural(900), hard(900), Scene(2)], ids=["nature", "fur", "1/f"])
def test_the_fit_finds_a_change_of_gain_and_offset_under_grain(
    world: Scene, gain: float, offset: float
) -> None:
    picture = world.view(1, (256, 192))
    found = fit(picture, _changed(picture, gain, offset, 1.5))
    assert found.gain * gain == pytest.approx(1, abs=0.01)
    restored = found.apply(_changed(picture, gain, offset, 0))
    assert np.allclose(restored.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), atol=0.2)


def test_a_flat_picture_tells_nothing_about_gain() -> None:
    flat = np.full((96, 96, 3), 90, np.uint8)
    assert fit(flat, _changed(flat, 0.9, 3, 1.5)).gain == pytest.approx(1, abs=0.02)


def test_a_wild_painter_is_followed_only_so_far() -> None:
    picture = Scene(1).view(1, (128, 128))
    assert fit(picture, _changed(picture, 0.4, 60, 0)).gain == 1.25


def test_the_known_area_comes_back_exactly_and_the_border_corrected() -> None:
    truth = Scene(1).view(1, _SIZE)
    painted = _changed(truth, 0.92, [12.0, 6.0, 9.0], 2)
    canvas = match(painted, _inside(truth), _KNOWN, Reference.of(truth))
    assert np.array_equal(_inside(canvas), _inside(truth))
    off = canvas[_border(truth)].astype(float) - truth[_border(truth)]
    assert np.abs(off.mean(axis=0)).max() < 0.3
    assert seam(canvas, _KNOWN) == pytest.approx(seam(truth, _KNOWN), rel=0.25)


@pytest.mark.parametrize("level", [6, 11, 17])
def test_dark_skies_lose_no_light_to_rounding(level: int) -> None:
    rng = np.random.default_rng(level)
    sky = np.full((240, 320, 1), level) + rng.integers(-1, 2, (240, 320, 3))
    sky[rng.random((240, 320)) < 0.01] = 220
    truth = sky.astype(np.uint8)
    painted = _changed(truth, 0.97, 4, 1.5)
    canvas = match(painted, _inside(truth), _KNOWN, Reference.of(truth))
    border = _border(truth)
    assert canvas[border].mean() - truth[border].mean() == pytest.approx(0, abs=0.15)


def test_a_local_difference_at_the_paste_border_fades_outwards() -> None:
    truth = Scene(1).view(1, _SIZE)
    painted = truth.copy()
    painted[:, 220:] = _changed(truth, 1, 12, 0)[:, 220:]  # on the right, known area included
    canvas = match(painted, _inside(truth), _KNOWN, Reference.of(truth))
    off = canvas[_KNOWN.rows, _KNOWN.right :].astype(float) - truth[_KNOWN.rows, _KNOWN.right :]
    along = off.mean(axis=(0, 2))
    assert abs(along[0]) < 1
    assert np.all(np.diff(along) < 1)
    assert along[-1] > 8


def test_the_guard_leaves_scenes_alone_that_change_within_reason() -> None:
    scene = Scene(1).view(1, (192, 192))
    change = Correction(1.02, (3.0, -2.0, 1.0))
    reference = Reference.of(_changed(scene, 0.8, 40, 0))
    assert guard(change, scene, reference) == change


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 2.0), (1.0, -2.0), (1.02, 0.0), (0.98, 0.0)])
def test_the_guard_bounds_a_trend_over_hundreds_of_keyframes(gain: float, offset: float) -> None:
    first = Scene(1).view(1, (96, 96))
    reference, known, picture = Reference.of(first), Area(48, 48, 144, 144), first
    for _ in range(200):
        mean = picture.mean()
        border = np.pad(picture, ((48, 48), (48, 48), (0, 0)), mode="symmetric")
        painted = _changed(border, gain, offset + (1 - gain) * mean, 1)
        painted[known.rows, known.columns] = picture ^ 1  # the fit sees nothing of the trend
        canvas = match(painted, picture, known, reference)
        picture = np.array(Image.fromarray(canvas).resize((96, 96), Image.Resampling.LANCZOS))
    assert drift(picture, reference) < 45
    assert 1 / 2.2 < Reference.of(picture).spread / reference.spread < 2.2


def test_what_the_guard_adds_shows_no_step_at_the_paste_border() -> None:
    scene = Scene(1).view(1, _SIZE)
    painted = _changed(scene, 1, 1, 0)
    canvas = match(painted, _inside(scene), _KNOWN, Reference((20.0, 20.0, 20.0), 25.0))
    pulled = canvas[_border(scene)].astype(float) - scene[_border(scene)]
    assert -4 < pulled.mean() < -1.5
    assert seam(canvas, _KNOWN) == pytest.approx(seam(scene, _KNOWN), abs=0.05)


def test_the_seam_figure_is_1_where_nothing_shows_and_grows_with_a_step() -> None:
    flat = np.full((240, 320, 3), 100, np.uint8)
    assert seam(flat, _KNOWN) == 1
    scene = Scene(1).view(1, _SIZE)
    assert seam(scene, _KNOWN) == pytest.approx(1, abs=0.15)
    stepped = scene.copy()
    stepped[_border(scene)] = _changed(scene, 1, 12, 0)[_border(scene)]
    assert seam(stepped, _KNOWN) > 1.3


def test_the_drift_figure_is_the_distance_of_mean_colours() -> None:
    flat = np.full((64, 64, 3), 100, np.uint8)
    reference = Reference.of(flat)
    assert reference == Reference((100.0, 100.0, 100.0), 0.0)
    assert drift(flat + np.uint8(7), reference) == pytest.approx(7)
    assert drift(flat + np.array([6, 0, 0], np.uint8), reference) == pytest.approx(12**0.5)
