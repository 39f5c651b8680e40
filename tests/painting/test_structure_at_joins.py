"""Things that cross the join: a trunk begins or ends there as it was painted, and casts no halo."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from renderer.painting.colour_match import Joining, Reference, match, rejoin, seam
from renderer.painting.geometry import Area
from tests.worlds import Scene

Pixels = NDArray[np.uint8]
Share = NDArray[np.float64]

SIDE, EDGE = 384, 320
KNOWN, INNER = Area(64, 64, EDGE, EDGE), Area(80, 80, EDGE - 16, EDGE - 16)
BAND = Joining(inner=INNER)
BARK = 35.0


def sky() -> NDArray[np.float64]:
    """Lighter above, and blue."""
    rows = np.linspace(212, 196, SIDE)[:, None, None]
    return rows + np.zeros((1, SIDE, 1)) + np.array([-14.0, -4.0, 8.0])


def trunk(left: int, right: int) -> Share:
    """(H, W): how much of each pixel is trunk, with edges as soft as a photograph's."""
    drawing = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(drawing).rectangle((left, 0, right - 1, SIDE), fill=255)
    share: Share = np.asarray(drawing.filter(ImageFilter.GaussianBlur(0.7)), float) / 255
    return share


def seen(*shares: Share, level: float = BARK) -> NDArray[np.float64]:
    """The sky, with trunks before it."""
    picture = sky()
    for share in shares:
        picture += share[:, :, None] * (level - picture)
    return picture


def whole(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def given_back(picture: NDArray[np.float64]) -> Pixels:
    """What a painter makes of it: greyer, with a little grain."""
    grain = np.random.default_rng(3).normal(0, 0.5, picture.shape)
    return whole(0.97 * picture + 6 + grain)


def inside(picture: NDArray[np.float64]) -> Pixels:
    return np.ascontiguousarray(whole(picture)[KNOWN.rows, KNOWN.columns])


def below(inner: NDArray[np.float64], outer: NDArray[np.float64]) -> NDArray[np.float64]:
    """``inner`` as far as the painter is shown it, and ``outer`` around that."""
    picture = outer.copy()
    picture[INNER.rows, INNER.columns] = inner[INNER.rows, INNER.columns]
    return picture


NONE = np.zeros((SIDE, SIDE))
MIDDLE, ASIDE, WIDE = trunk(180, 210), trunk(185, 215), trunk(150, 240)
CASES = pytest.mark.parametrize(
    ("before", "after"),
    [(NONE, MIDDLE), (MIDDLE, NONE), (MIDDLE, ASIDE), (NONE, WIDE), (WIDE, MIDDLE)],
    ids=["begins", "ends", "moves aside", "wide", "narrows"],
)


def check(canvas: Pixels, after: Share, rows: slice) -> None:
    """Below the join all is as it was painted: the sky within 6 levels, the trunk within 15."""
    off = canvas[rows].astype(float) - seen(after)[rows]
    air, bark = after[rows] < 0.004, after[rows] > 0.996
    print(f"sky {np.abs(off[air]).max():.1f}", end="")  # noqa: T201
    assert np.abs(off[air]).max() <= 6
    if bark.any():
        print(f", trunk {np.abs(off[bark]).max():.1f}")  # noqa: T201
        # What is lost of contrast can't be told by a flat sky, so the bark stays somewhat greyer.
        assert np.abs(off[bark]).max() <= 15


@CASES
def test_a_trunk_at_the_join_casts_no_halo_and_stays_as_it_was_painted(
    before: Share, after: Share
) -> None:
    picture = seen(before)
    painted = given_back(below(picture, seen(after)))
    canvas = match(painted, inside(picture), KNOWN, Reference.of(inside(picture)), BAND)
    assert np.array_equal(canvas[KNOWN.rows, KNOWN.columns], inside(picture))
    check(canvas, after, np.s_[EDGE:])


@CASES
def test_a_seam_pass_casts_none_either(before: Share, after: Share) -> None:
    picture = seen(before)
    old = whole(below(picture, seen(after)))
    old[KNOWN.rows, KNOWN.columns] = inside(picture)
    again = given_back(below(picture, seen(after)))
    check(rejoin(again, old, KNOWN, 16, BAND), after, np.s_[EDGE:])


@pytest.mark.parametrize("more", [12, 24, 40])
def test_a_whole_side_of_another_shade_fades_as_ever(more: int) -> None:
    """It is no structure: nothing beside it says what its colour should be."""
    picture = Scene(1, level=100).view(1, (SIDE, SIDE)).astype(float)
    shaded = picture + more * (np.arange(SIDE) >= INNER.right)[None, :, None]
    how = Joining(inner=INNER, guard=0)
    canvas = match(whole(shaded), inside(picture), KNOWN, Reference.of(inside(picture)), how)
    off = (canvas.astype(float) - picture)[KNOWN.rows, KNOWN.right :].mean(axis=(0, 2))
    assert abs(off[0]) < 5
    assert np.all(np.diff(off[:48]) > -1.5)
    assert off[-1] == pytest.approx(more, abs=2)
    assert seam(canvas, KNOWN) == pytest.approx(seam(whole(picture), KNOWN), abs=0.1)
