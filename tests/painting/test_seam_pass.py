"""A band along the join, painted once more."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting import colour_match
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted, outpaint
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.seeds import derive_seed
from renderer.settings.painting import Method
from renderer.settings.render import RenderSettings
from tests.worlds import Scene, TrueBorder, VaeLike, true_canvas

Pixels = NDArray[np.uint8]


def _settings(method: Method = "direct", **others: object) -> RenderSettings:
    settings = RenderSettings(
        keyframe_size=(192, 128), zoom_factor=1.5, method=method, steps=10, seed=7, prompt="moss"
    )
    return settings.changed({"seam_pass": 0.4, **others})


def _outpaint(
    painter: Painter, settings: RenderSettings, reports: list[tuple[int, int]] | None = None
) -> Outpainted:
    picture = true_canvas(Scene(7), Geometry.of(settings), 0)
    seen = [] if reports is None else reports
    return outpaint(
        painter,
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=lambda done, total: seen.append((done, total)),
    )


@dataclass
class Mender:
    """Leaves a rim of grey at the join; paints it well when it is asked for that alone."""

    settings: RenderSettings
    jobs: list[PaintJob] = field(default_factory=list)

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.jobs.append(job)
        steps = round(10 * (job.strength or 1))
        for step in range(steps):
            on_step(step + 1, steps)
        painted = VaeLike(TrueBorder(Scene(7), self.settings)).paint(job, lambda *_: None)
        if job.strength is None:
            ys, xs = (np.flatnonzero((~job.mask).any(axis=axis)) for axis in (1, 0))
            rim = np.zeros_like(job.mask)
            rim[max(ys[0] - 4, 0) : ys[-1] + 5, max(xs[0] - 4, 0) : xs[-1] + 5] = True
            painted[rim & job.mask] = 128
        return painted


def test_the_band_straddles_the_join_and_is_asked_for_at_its_strength() -> None:
    painter = Mender(_settings())
    made = _outpaint(painter, painter.settings)
    border, band = painter.jobs
    assert (border.strength, band.strength) == (None, 0.4)
    assert band.seed == derive_seed(7, 1, 0, "seam")
    assert (band.prompt, band.keyframe) == ("moss", 1)
    expected = np.zeros((192, 288), np.bool_)
    expected[24:168, 40:248] = True  # the picture is 32 … 160 by 48 … 240, the reach 128 / 16 = 8
    expected[40:152, 56:232] = False
    assert np.array_equal(band.mask, expected)
    known = Geometry.of(painter.settings).known
    outside = np.ones_like(expected)
    outside[known.rows, known.columns] = False
    assert np.array_equal(band.canvas[~outside], made.canvas[~outside])
    assert made.seed == border.seed


def test_the_pass_mends_a_join_and_touches_nothing_else() -> None:
    painter = Mender(_settings())
    mended = _outpaint(painter, painter.settings)
    plain = _outpaint(painter, painter.settings.changed({"seam_pass": 0.0}))
    geometry = Geometry.of(painter.settings)
    known, outer = geometry.known, geometry.known.grown(8, geometry.canvas_size)
    picture = true_canvas(Scene(7), geometry, 0)
    assert np.array_equal(mended.canvas[known.rows, known.columns], picture)
    beyond = np.ones(mended.canvas.shape[:2], np.bool_)
    beyond[outer.rows, outer.columns] = False
    assert np.array_equal(mended.canvas[beyond], plain.canvas[beyond])
    truth = true_canvas(Scene(7), geometry, 1).astype(float)
    rim = np.s_[known.rows, known.right : known.right + 3]
    assert np.abs(plain.canvas[rim] - truth[rim]).mean() > 15
    assert np.abs(mended.canvas[rim] - truth[rim]).mean() < 6
    true_seam = colour_match.seam(true_canvas(Scene(7), geometry, 1), known)
    assert abs(np.log(mended.seam / true_seam)) < abs(np.log(plain.seam / true_seam))


def test_the_sequential_method_mends_each_side_before_the_next() -> None:
    painter = Mender(_settings("sequential"))
    made = _outpaint(painter, painter.settings)
    assert [job.strength for job in painter.jobs] == [None, 0.4] * 4
    assert len({job.seed for job in painter.jobs}) == 8
    for border, band in zip(painter.jobs[::2], painter.jobs[1::2], strict=True):
        assert border.mask.shape == band.mask.shape
        assert (band.mask & border.mask).any()
        assert (band.mask & ~border.mask).any()
    known = Geometry.of(painter.settings).known
    picture = true_canvas(Scene(7), Geometry.of(painter.settings), 0)
    assert np.array_equal(made.canvas[known.rows, known.columns], picture)


@pytest.mark.parametrize(("method", "total"), [("direct", 14), ("sequential", 56)])
def test_progress_counts_the_steps_of_the_pass(method: Method, total: int) -> None:
    reports: list[tuple[int, int]] = []
    painter = Mender(_settings(method))
    _outpaint(painter, painter.settings, reports)
    assert reports == [(done, total) for done in range(1, total + 1)]


def test_only_the_kept_candidate_is_mended() -> None:
    painter = Mender(_settings(candidates=3))
    _outpaint(painter, painter.settings)
    assert [job.strength for job in painter.jobs] == [None, None, None, 0.4]


@pytest.mark.parametrize(("size", "reach"), [((64, 64), 8), ((512, 256), 16), ((512, 512), 32)])
def test_the_band_is_in_proportion_and_of_whole_cells(size: tuple[int, int], reach: int) -> None:
    painter = Painted()
    settings = _settings(keyframe_size=f"{size[0]}x{size[1]}")
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    reference = Reference.of(picture)
    outpaint(
        painter,
        picture,
        settings,
        keyframe=1,
        reference=reference,
        on_step=lambda done, total: None,
    )
    known = Geometry.of(settings).known
    row = painter.jobs[1].mask[(known.top + known.bottom) // 2]
    assert row[: known.left + reach].sum() == 2 * reach
    assert not row[: known.left - reach].any()


@dataclass
class Painted:
    """Keeps everything."""

    jobs: list[PaintJob] = field(default_factory=list)

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.jobs.append(job)
        return job.canvas.copy()
