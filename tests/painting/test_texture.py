"""The texture painter: what it promises of every picture, and that stars stay stars."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from renderer.errors import Cancelled, SettingsError
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.painters.texture import quilting
from renderer.painting.painters.texture.exemplar import read_exemplar, shipped_picture
from renderer.painting.painters.texture.painter import TexturePainter, create
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Ring = tuple[Picture, Mask]
"""A canvas whose border is new, and where that is."""

KEYFRAMES = 30
SIDE = 160
RHO = 1.5
PAD = 40


@pytest.fixture(scope="module")
def stars() -> TexturePainter:
    return TexturePainter(None)


def paint(
    painter: TexturePainter,
    canvas: Picture,
    mask: Mask,
    seed: int = 1,
    keyframe: int = 1,
    on_step: OnStep = ignore,
) -> Picture:
    job = PaintJob(canvas, mask, "", "", seed, keyframe)
    return painter.paint(job, on_step)


def first(painter: TexturePainter, width: int, height: int, seed: int = 1) -> Picture:
    blank = np.zeros((height, width, 3), np.uint8)
    return paint(painter, blank, np.ones((height, width), bool), seed, keyframe=0)


def widened(picture: Picture, top: int, left: int, bottom: int, right: int) -> Ring:
    pads = (top, bottom), (left, right)
    canvas = np.pad(picture, (*pads, (0, 0)), mode="symmetric")
    return canvas, np.pad(np.zeros(picture.shape[:2], bool), pads, constant_values=True)


def photograph(height: int, width: int) -> Picture:
    """A stand-in for any picture with an up and a down: a gradient, a horizon, some grain."""
    rows = np.linspace(40, 220, height)[:, None] + np.zeros(width)
    grain = np.random.default_rng(5).integers(-20, 20, (height, width))
    grey = np.clip(rows + grain - 60 * (np.arange(height) > height // 2)[:, None], 0, 255)
    return np.stack([grey, grey * 0.8, grey * 0.6], axis=-1).astype(np.uint8)


# --- promises of every picture


def test_the_same_job_gives_the_same_bytes_whatever_was_painted_before(
    stars: TexturePainter,
) -> None:
    canvas, mask = widened(first(stars, 96, 96), 24, 24, 24, 24)
    once = paint(stars, canvas, mask, seed=7)
    paint(stars, canvas, mask, seed=8)
    assert np.array_equal(once, paint(stars, canvas, mask, seed=7))
    assert np.array_equal(once, paint(TexturePainter(None), canvas, mask, seed=7))


def test_a_dive_gets_detail_that_its_picture_lacks(stars: TexturePainter) -> None:
    picture = Image.fromarray(first(stars, 96, 72))
    canvas = np.asarray(picture.resize((192, 144), Image.Resampling.LANCZOS))
    mask, steps = np.ones((144, 192), bool), []

    def dive(seed: int) -> Picture:
        job = PaintJob(canvas.copy(), mask, "", "", seed, 1, refine=2.0)
        return stars.paint(job, lambda done, total: steps.append((done, total)))

    once = dive(1)
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))
    assert np.array_equal(dive(1), once)
    assert not np.array_equal(dive(2), once)
    sharp = [np.abs(np.diff(each.astype(int), axis=1)).mean() for each in (canvas, once)]
    assert sharp[1] > 1.2 * sharp[0]
    assert abs(once.mean() - canvas.mean()) < 2
    job = PaintJob(canvas.copy(), mask, "", "", 1, 1, refine=2.0)
    with pytest.raises(Cancelled):
        stars.paint(job, cancel)


def cancel(done: int, total: int) -> None:
    raise Cancelled


def test_another_seed_gives_another_picture(stars: TexturePainter) -> None:
    canvas, mask = widened(first(stars, 96, 96), 24, 24, 24, 24)
    one, other = (paint(stars, canvas, mask, seed=seed) for seed in (1, 2))
    assert (one[mask] != other[mask]).mean() > 0.5


@pytest.mark.parametrize(
    "pads",
    [(24, 24, 24, 24), (0, 24, 0, 0), (24, 0, 0, 0), (0, 0, 0, 24), (0, 0, 24, 0), (3, 5, 1, 40)],
    ids=["ring", "left", "top", "right", "bottom", "uneven"],
)
def test_any_border_is_painted_and_the_known_area_is_left_as_it_is(
    stars: TexturePainter, pads: tuple[int, int, int, int]
) -> None:
    canvas, mask = widened(first(stars, 96, 64), *pads)
    given = canvas.copy()
    painted = paint(stars, canvas, mask, keyframe=2)
    assert painted.shape == canvas.shape
    assert painted.dtype == np.uint8
    assert np.array_equal(painted[~mask], given[~mask])
    assert np.array_equal(canvas, given)
    assert (painted[mask] != given[mask]).mean() > 0.3


def test_a_hole_and_a_round_mask_are_painted_too(stars: TexturePainter) -> None:
    picture = first(stars, 128, 128)
    y, x = np.mgrid[:128, :128] - 64
    for mask in (y**2 + x**2 > 50**2, y**2 + x**2 < 30**2):
        painted = paint(stars, np.where(mask[..., None], 255, picture).astype(np.uint8), mask)
        assert np.array_equal(painted[~mask], picture[~mask])
        assert painted[mask].mean() < 60


def test_nothing_to_paint_gives_the_canvas_back(stars: TexturePainter) -> None:
    picture = first(stars, 64, 64)
    assert np.array_equal(paint(stars, picture, np.zeros((64, 64), bool)), picture)


@pytest.mark.parametrize("size", [(64, 64), (64, 200), (333, 127), (1200, 96)])
def test_a_first_picture_of_any_size_is_painted_whole(
    stars: TexturePainter, size: tuple[int, int]
) -> None:
    picture = first(stars, *size)
    assert picture.shape == (size[1], size[0], 3)
    assert 10 < picture.mean() < 30
    assert (picture.max(axis=2) == 0).mean() < 0.05  # no place left blank


@pytest.mark.parametrize("side", [16, 40, 300])
def test_an_exemplar_smaller_than_its_patches_will_do(side: int) -> None:
    painter = TexturePainter(photograph(side, side))
    canvas, mask = widened(first(painter, 200, 120), 60, 60, 60, 60)
    painted = paint(painter, canvas, mask, keyframe=2)
    assert np.array_equal(painted[~mask], canvas[~mask])
    assert abs(painted[mask].mean() - photograph(side, side).mean()) < 40


def test_a_plain_exemplar_gives_a_plain_picture() -> None:
    painter = TexturePainter(np.full((50, 50, 3), 90, np.uint8))
    canvas, mask = widened(first(painter, 64, 64), 16, 16, 16, 16)
    assert (paint(painter, canvas, mask) == 90).all()


def test_progress_rises_by_one_to_the_total(stars: TexturePainter) -> None:
    steps: list[tuple[int, int]] = []
    canvas, mask = widened(first(stars, 96, 96), 24, 24, 24, 24)
    paint(stars, canvas, mask, on_step=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    assert {total for _, total in steps} == {len(steps)}


def test_a_cancel_passes_through_at_the_next_patch(stars: TexturePainter) -> None:
    steps = []

    def cancel_at_third(done: int, total: int) -> None:
        steps.append(done)
        if done == 3:
            raise Cancelled

    blank, everywhere = np.zeros((128, 128, 3), np.uint8), np.ones((128, 128), bool)
    with pytest.raises(Cancelled):
        paint(stars, blank, everywhere, on_step=cancel_at_third)
    assert steps == [1, 2, 3]


# --- the seam


def test_the_cut_is_the_cheapest_of_all() -> None:
    rows, columns = 6, 4
    difference = np.random.default_rng(3).integers(0, 1000, (rows, columns))

    def cost(path: tuple[int, ...]) -> int:
        """Squared differences on both sides of a cut that keeps path[r] old pixels in row r."""
        sides = ((r, max(p - 1, 0), min(p, columns - 1)) for r, p in enumerate(path))
        return int(sum(difference[r, left] + difference[r, right] for r, left, right in sides))

    def is_one_line(path: tuple[int, ...]) -> bool:
        return all(abs(p - q) <= 1 for p, q in itertools.pairwise(path))

    paths = filter(is_one_line, itertools.product(range(columns + 1), repeat=rows))
    state = np.full((rows, columns), quilting.PAINTED, np.uint8)
    found, places = quilting.cut(difference, state, 0)
    assert found == min(map(cost, paths)) == cost(tuple(places))


def test_the_cut_hides_no_fixed_pixel_and_keeps_no_empty_one() -> None:
    difference = np.full((5, 6), 10)
    state = np.full((5, 6), quilting.PAINTED, np.uint8)
    state[:, :2], state[:, 4:] = quilting.FIXED, quilting.EMPTY
    _, places = quilting.cut(difference, state, 0)
    assert all(2 <= p <= 4 for p in places)


def test_a_guess_is_kept_only_where_something_would_be_cut_through() -> None:
    difference = np.zeros((40, 8), np.int64)
    difference[15:25, :6] = 5000  # a thing on the edge, six pixels deep
    state = np.full((40, 8), quilting.GUESSED, np.uint8)
    _, places = quilting.cut(difference, state, 50)
    assert (places[[0, -1]] == 0).all()
    assert places[20] >= 6


# --- stars stay stars


def grey(picture: Picture) -> NDArray[np.float64]:
    return np.asarray(picture.astype(np.float64).mean(axis=2))


def sharpness(picture: Picture, mask: Mask) -> float:
    """Mean difference of neighbours where the picture is new."""
    return float(np.abs(np.diff(grey(picture), axis=1))[mask[:, 1:]].mean())


def repetition(picture: Picture) -> float:
    """The highest autocorrelation of the four border strips along themselves, beyond 8 pixels."""
    lines = grey(picture)
    highest = 0.0
    for strip in (lines[:PAD], lines[-PAD:], lines[:, :PAD].T, lines[:, -PAD:].T):
        level = strip - strip.mean()
        for lag in range(8, strip.shape[1] // 2):
            a, b = level[:, lag:], level[:, :-lag]
            highest = max(highest, float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())))
    return highest


def seam(picture: Picture) -> float:
    """Median difference across the join ÷ that across the lines beside it; 1 = invisible.

    The median, because most of a sky is ground, and that is where a join shows.
    """
    lines = grey(picture)
    across, beside = [], []
    for view in (lines, lines[::-1], lines.T, lines.T[::-1]):
        steps = np.abs(np.diff(view, axis=0))[:, PAD:-PAD]
        across.append(steps[PAD - 1])
        beside += [steps[PAD - 1 + i] for i in (-6, -5, -4, 4, 5, 6)]
    return float(np.median(across) / np.median(beside))


@pytest.fixture(scope="module")
def rings(stars: TexturePainter) -> list[Ring]:
    """The canvases of a zoom of 30 keyframes."""
    picture, found = first(stars, SIDE, SIDE, seed=100), []
    for keyframe in range(1, KEYFRAMES):
        canvas, mask = widened(picture, PAD, PAD, PAD, PAD)
        painted = paint(stars, canvas, mask, seed=100 + keyframe, keyframe=keyframe)
        found.append((painted, mask))
        small = Image.fromarray(painted).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture = np.asarray(small)
    return found


def smeared(picture: Picture, mask: Mask) -> Picture:
    soft = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1.5)))
    return np.where(mask[..., None], soft, picture)


def tiled(picture: Picture, mask: Mask) -> Picture:
    tile = shipped_picture()[100:140, 300:340]
    tiles = np.tile(tile, (len(picture) // 40 + 1, picture.shape[1] // 40 + 1, 1))
    return np.where(mask[..., None], tiles[: len(picture), : picture.shape[1]], picture)


def brightened(picture: Picture, mask: Mask) -> Picture:
    lighter = np.clip(picture.astype(np.int16) + 10, 0, 255).astype(np.uint8)
    return np.where(mask[..., None], lighter, picture)


def median_of(figure: Callable[[Picture, Mask], float], rings: list[Ring]) -> float:
    return float(np.median([figure(picture, mask) for picture, mask in rings]))


@pytest.mark.slow
def test_thirty_keyframes_keep_the_brightness_of_the_sky(rings: list[Ring]) -> None:
    sky = grey(shipped_picture())
    means = [grey(picture)[mask].mean() for picture, mask in rings]
    spreads = [grey(picture)[mask].std() for picture, mask in rings]
    assert abs(float(np.mean(means)) - sky.mean()) < 4
    assert abs(float(np.mean(means[-10:])) - float(np.mean(means[:10]))) < 1.5
    assert 0.6 < float(np.mean(spreads)) / sky.std() < 1.2


@pytest.mark.slow
def test_thirty_keyframes_stay_as_sharp_as_the_exemplar(rings: list[Ring]) -> None:
    whole = shipped_picture()
    least = 0.7 * sharpness(whole, np.ones(whole.shape[:2], bool))
    assert min(sharpness(*ring) for ring in rings) > least
    faked = [(smeared(*ring), ring[1]) for ring in rings]
    assert max(sharpness(*ring) for ring in faked) < least


@pytest.mark.slow
def test_thirty_keyframes_show_no_tiles(rings: list[Ring]) -> None:
    assert max(repetition(picture) for picture, _ in rings) < 0.6
    assert min(repetition(tiled(*ring)) for ring in rings) > 0.9


@pytest.mark.slow
def test_thirty_keyframes_show_no_square_at_the_join(rings: list[Ring]) -> None:
    assert 0.7 < median_of(lambda picture, _: seam(picture), rings) < 1.2
    assert median_of(lambda picture, mask: seam(brightened(picture, mask)), rings) > 1.8


# --- exemplar files


def settings_with(exemplar: Path) -> RenderSettings:
    return RenderSettings(exemplar=str(exemplar))


def test_without_an_exemplar_the_stars_are_shipped() -> None:
    assert first(create(RenderSettings()), 64, 64).mean() < 40


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_an_exemplar_of_any_kind_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(photograph(80, 70))
    if mode == "I;16":
        Image.fromarray(np.full((80, 70), 30000, np.uint16)).save(tmp_path / "x.png")
    else:
        picture.convert(mode).save(tmp_path / "x.png")
    assert read_exemplar(tmp_path / "x.png").shape == (80, 70, 3)
    assert first(create(settings_with(tmp_path / "x.png")), 64, 64).shape == (64, 64, 3)


def test_an_exemplar_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90°
    Image.fromarray(photograph(70, 90)).save(tmp_path / "x.jpg", exif=exif)
    assert read_exemplar(tmp_path / "x.jpg").shape == (90, 70, 3)


def test_a_large_exemplar_is_scaled_down(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 1000)).save(tmp_path / "x.png")
    assert read_exemplar(tmp_path / "x.png").shape == (384, 1536, 3)


def test_an_unusable_exemplar_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (15, 400)).save(tmp_path / "small.png")
    Image.new("RGB", (9000, 64)).save(tmp_path / "thread.png")
    whole = tmp_path / "whole.png"
    Image.fromarray(photograph(90, 90)).save(whole)
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:900])
    reasons = {
        "missing.png": "does not exist",
        "text.png": "not a recognised image format",
        "small.png": "is 15x400; both sides",
        "thread.png": "too narrow",
        "torn.png": "can't be read",
        ".": "can't be read",
    }
    for name, reason in reasons.items():
        with pytest.raises(SettingsError, match=reason) as caught:
            create(settings_with(tmp_path / name))
        assert "\n" not in str(caught.value)
