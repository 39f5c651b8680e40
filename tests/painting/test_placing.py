"""A picture of the user's own around the last one: what stays, what is painted, how it joins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting.colour_match import Reference, seam
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted, outpaint
from renderer.painting.painters import OnStep, Painter, PaintJob, find
from renderer.painting.seeds import derive_seed
from renderer.settings.render import RenderSettings
from tests.worlds import PictureWorld, VaeLike, hard, natural, true_canvas

Pixels = NDArray[np.uint8]
SIDE = 128


def settings_for(factor: float = 2.0, **changes: object) -> RenderSettings:
    values = {"keyframe_size": (SIDE, SIDE), "size": (SIDE, SIDE), "zoom_factor": factor}
    return RenderSettings(**values | {"seed": 11, "steps": 1} | changes)  # type: ignore[arg-type]


class Mixing:
    """Paints as a good model would what leads from the one to the other, and remembers the jobs."""

    def __init__(self, world: PictureWorld, settings: RenderSettings) -> None:
        self.jobs: list[PaintJob] = []
        geometry = Geometry.of(settings)
        self._canvas = true_canvas(world, geometry, 1).astype(np.float64)
        left, top, right, bottom = geometry.known
        y, x = np.mgrid[: self._canvas.shape[0], : self._canvas.shape[1]]
        away = np.maximum.reduce([left - x, x - right, top - y, y - bottom])
        self._share = np.clip(away / (min(geometry.pad) // 2), 0, 1)[:, :, None]

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.jobs.append(job)
        on_step(1, 1)
        mixed = (1 - self._share) * self._canvas + self._share * job.canvas
        return np.where(job.mask[:, :, None], mixed, job.canvas).astype(np.uint8)


def placed_in(
    painter: Painter, settings: RenderSettings, picture: Pixels, placed: Pixels
) -> Outpainted:
    return outpaint(
        painter,
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=lambda done, total: None,
        placed=placed,
    )


@pytest.mark.parametrize("factor", [2.0, 1.5])
def test_a_foreign_picture_joins_in_a_band_and_stays_beyond_it(factor: float) -> None:
    settings = settings_for(factor)
    geometry, world = Geometry.of(settings), natural(1400)
    picture = true_canvas(world, geometry, 0)
    foreign = true_canvas(natural(1400, seed=7), geometry, 1)
    painter = Mixing(world, settings)
    made = placed_in(painter, settings, picture, foreign)
    known, band = geometry.known, min(geometry.pad) // 2
    inside = made.canvas[known.rows, known.columns]
    assert np.array_equal(inside, picture)
    (job,) = painter.jobs
    assert job.seed == derive_seed(11, 1, 0, "band")
    assert not job.mask[: known.top - band - 16].any()
    outside = np.ones(made.canvas.shape[:2], np.bool_)
    grown = known.grown(band + 16, geometry.canvas_size)
    outside[grown.rows, grown.columns] = False
    assert np.array_equal(made.canvas[outside], foreign[outside])
    pasted = foreign.copy()
    pasted[known.rows, known.columns] = picture
    print(f"seam {seam(pasted, known):.2f} pasted, {made.seam:.2f} joined")  # noqa: T201
    assert made.seam < 1.5 < seam(pasted, known)
    edge = known.grown(band, geometry.canvas_size)  # nor is there a square at the outer edge
    assert seam(made.canvas, edge) < 1.3


@pytest.mark.parametrize("name", ["texture", "vae"])
def test_whatever_paints_the_band_no_square_shows(name: str) -> None:
    settings = settings_for()
    geometry, world = Geometry.of(settings), natural(1400)
    picture = true_canvas(world, geometry, 0)
    foreign = true_canvas(natural(1400, seed=7), geometry, 1)
    painter = find("texture")(settings) if name == "texture" else VaeLike(Mixing(world, settings))
    made = placed_in(painter, settings, picture, foreign)
    print(f"seam {made.seam:.2f}")  # noqa: T201
    assert made.seam < 1.5


def test_what_continues_the_picture_is_taken_as_it_is() -> None:
    settings = settings_for()
    geometry = Geometry.of(settings)
    for make in (natural, hard):
        world = make(1400)
        picture, true = (true_canvas(world, geometry, keyframe) for keyframe in (0, 1))
        painter = Mixing(world, settings)
        made = placed_in(painter, settings, picture, true)
        assert painter.jobs == []
        assert np.abs(made.canvas.astype(int) - true).max() <= 1


def test_the_same_settings_join_it_in_the_same_way() -> None:
    settings = settings_for()
    geometry = Geometry.of(settings)
    picture = true_canvas(natural(1400), geometry, 0)
    foreign = true_canvas(natural(1400, seed=7), geometry, 1)
    one, two = (
        placed_in(find("texture")(settings), settings, picture, foreign).canvas for _ in range(2)
    )
    assert np.array_equal(one, two)
