"""The colour fit, the drift guard, and the figures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.colour_match import (
    Correction,
    Joining,
    Reference,
    drift,
    fit,
    guard,
    match,
    rejoin,
    seam,
)
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


def test_what_is_switched_off_is_not_done() -> None:
    truth = Scene(1).view(1, _SIZE)
    painted = _changed(truth, 0.9, 12, 2)
    far_away, border = Reference((250.0, 250.0, 250.0), 1.0), _border(truth)
    nothing = Joining(feather=0, fit=False, guard=0)

    def off(how: Joining) -> float:
        canvas = match(painted, _inside(truth), _KNOWN, far_away, how)
        assert np.array_equal(_inside(canvas), _inside(truth))
        return float(np.abs(canvas[border].astype(float) - painted[border]).mean())

    assert off(nothing) == 0
    for changed in (Joining(feather=0, guard=0), Joining(feather=0, fit=False), Joining()):
        assert off(changed) > 0.5
    assert 0 < off(Joining(fit=False, guard=0)) < 2  # along the join only


def test_a_longer_feather_reaches_further() -> None:
    truth = Scene(1).view(1, _SIZE)
    painted = _changed(truth, 1, 20, 1)
    reach = []
    for feather in (0, 8, 24, 48):
        how = Joining(feather=feather, fit=False, guard=0)
        canvas = match(painted, _inside(truth), _KNOWN, Reference.of(truth), how)
        changed = np.any(canvas[_KNOWN.rows, _KNOWN.right :] != painted[_KNOWN.rows, 256:], (0, 2))
        reach.append(int(changed.sum()))
    assert reach[0] == 0
    assert reach == sorted(reach)
    assert all(wide <= feather for wide, feather in zip(reach, (0, 8, 24, 48), strict=True))
    assert reach[3] > 40


_INNER = Area(72, 56, 248, 184)


def test_colours_are_fitted_where_the_painter_was_shown_them() -> None:
    """What it made of a band that it could not see says nothing about its colours."""
    truth = Scene(1).view(1, _SIZE)
    painted = _changed(truth, 0.94, 6, 1)
    band = ~_border(truth)
    band[_INNER.rows, _INNER.columns] = False
    painted[band] = 255
    how = Joining(feather=0, guard=0, inner=_INNER)
    canvas = match(painted, _inside(truth), _KNOWN, Reference.of(truth), how)
    off = canvas[_border(truth)].astype(float) - truth[_border(truth)]
    assert np.abs(off.mean(axis=0)).max() < 0.3


def test_a_border_that_goes_on_from_its_own_band_is_bent_to_meet_the_picture() -> None:
    truth, other = (Scene(seed).view(1, _SIZE) for seed in (1, 2))
    painted = other.copy()  # all that the painter was shown comes back, the rest is another place
    painted[_INNER.rows, _INNER.columns] = truth[_INNER.rows, _INNER.columns]
    reference = Reference.of(truth)
    hard = match(painted, _inside(truth), _KNOWN, reference, Joining(feather=0, inner=_INNER))
    soft = match(painted, _inside(truth), _KNOWN, reference, Joining(inner=_INNER))
    assert np.array_equal(_inside(soft), _inside(truth))
    assert np.array_equal(hard[_border(truth)], other[_border(truth)])
    assert seam(hard, _KNOWN) > 2.2
    assert seam(soft, _KNOWN) < 1.4
    assert np.array_equal(soft[:10, :10], other[:10, :10])  # beyond the feather


def test_a_band_painted_once_more_changes_nothing_but_its_outer_half() -> None:
    truth = Scene(1).view(1, _SIZE)
    stepped = truth.copy()
    stepped[_border(truth)] = _changed(truth, 1, 14, 0)[_border(truth)]
    again = _changed(truth, 0.95, 5, 1)  # the painter finds the join, and changes colours
    canvas = rejoin(again, stepped, _KNOWN, 16, Joining(inner=Area(80, 64, 240, 176)))
    assert np.array_equal(_inside(canvas), _inside(truth))
    band = np.zeros(truth.shape[:2], np.bool_)
    band[32:208, 48:272] = True
    assert np.array_equal(canvas[~band], stepped[~band])
    assert seam(stepped, _KNOWN) > 1.3
    assert seam(canvas, _KNOWN) == pytest.approx(seam(truth, _KNOWN), abs=0.1)


@pytest.mark.parametrize("feather", [16, 48, 64, 200])
def test_a_difference_fades_evenly_over_the_whole_feather(feather: int) -> None:
    """A fade that broke off halfway would draw a frame there."""
    flat, known = np.full((500, 500, 3), 100, np.uint8), Area(220, 220, 280, 280)
    picture = np.full((60, 60, 3), 60, np.uint8)
    how = Joining(feather=feather, fit=False, guard=0)
    canvas = match(flat, picture, known, Reference.of(flat), how)
    along = canvas[240:260, 280:].mean(axis=(0, 2))
    steps = np.diff(along[:feather])
    assert along[0] < 63
    assert steps.min() > -1.5  # the dither's pattern goes up and down a little
    assert steps.max() < 2.5 * 40 / feather + 1
    assert along[feather // 2] == pytest.approx(80, abs=3)
    assert np.all(along[feather:] == 100)


def test_the_guard_leaves_scenes_alone_that_change_within_reason() -> None:
    scene = Scene(1).view(1, (192, 192))
    change = Correction(1.02, (3.0, -2.0, 1.0))
    reference = Reference.of(_changed(scene, 0.8, 40, 0))
    assert guard(change, scene, reference) == change


_TRENDS = [(1.0, 2.0), (1.02, 0.0)]
_OPPOSITE = [pytest.param(*trend, marks=pytest.mark.slow) for trend in [(1.0, -2.0), (0.98, 0.0)]]


@pytest.mark.parametrize(("gain", "offset"), [*_TRENDS, *_OPPOSITE])
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
    assert drift(picture, reference) < 46
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
