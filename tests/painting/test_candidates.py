"""Several versions of a border: how they are asked for, and which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import Cancelled, PainterError
from renderer.painting import candidate_cost, colour_match
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted, first_picture, outpaint
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.painters.idle_time import Timed
from renderer.painting.painters.texture.painter import create
from renderer.painting.seeds import derive_seed, version_seed
from renderer.settings.painting import Method
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore
from tests.worlds import Scene, VaeLike, vae_like

Pixels = NDArray[np.uint8]

STEPS = 3


def _settings(method: Method = "direct", **others: object) -> RenderSettings:
    settings = RenderSettings(
        keyframe_size=(96, 64), zoom_factor=1.5, method=method, steps=STEPS, seed=7
    )
    return settings.changed(others)


def _outpaint(
    painter: Painter, settings: RenderSettings, on_step: OnStep = ignore, keyframe: int = 1
) -> Outpainted:
    picture = Scene(1).view(1, settings.keyframe_size)
    return outpaint(
        painter,
        picture,
        settings,
        keyframe=keyframe,
        reference=Reference.of(picture),
        on_step=on_step,
    )


@dataclass
class Offset:
    """Continues the picture brighter or darker by what its seed says; keeps what is known."""

    levels: dict[int, int]
    jobs: list[PaintJob] = field(default_factory=list)

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.jobs.append(job)
        for step in range(STEPS):
            on_step(step + 1, STEPS)
        moved = job.canvas.astype(int) + self.levels[job.seed]
        return np.where(job.mask[:, :, None], moved.clip(0, 255), job.canvas).astype(np.uint8)


class Together(Offset):
    """The same in one call, with one version that fails if it is told to."""

    calls = 0

    def paint_many(self, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels | None]:
        self.calls += 1
        for step in range(STEPS):
            on_step(step + 1, STEPS)
        return [None if self.levels[job.seed] == FAILS else self.paint(job, ignore) for job in jobs]


FAILS = 999


def _levels(*levels: int, keyframe: int = 1, side: int = 0) -> dict[int, int]:
    return {version_seed(7, keyframe, side, version): level for version, level in enumerate(levels)}


# ------------------------------------------------------------------------------------- the choice


def test_the_cost_grows_with_seam_and_drift() -> None:
    assert candidate_cost.cost(1.0, 0.0) == 0
    assert candidate_cost.cost(0.5, 0.0) == pytest.approx(candidate_cost.cost(2.0, 0.0))
    rising = [(1.0, 0.0), (1.01, 2.0), (1.1, 0.0), (1.0, 24.0), (1.5, 24.0)]
    costs = [candidate_cost.cost(*figures) for figures in rising]
    assert costs == sorted(costs)
    # A little drift hardly counts.
    assert candidate_cost.cost(1.05, 0.0) > candidate_cost.cost(1.0, 4.0)


def test_the_least_visible_join_is_kept_and_said() -> None:
    painter = Offset(_levels(30, -40, 4, 60))
    made = _outpaint(painter, _settings(candidates=4))
    assert made.kept == (2,)
    assert made.seed == version_seed(7, 1, 0, 2)
    assert [job.seed for job in painter.jobs] == [version_seed(7, 1, 0, v) for v in range(4)]
    for one, other in pairwise(painter.jobs):
        assert np.array_equal(one.mask, other.mask)
        assert np.array_equal(one.canvas, other.canvas)
    alone = Offset({version_seed(7, 1, 0, 0): 4})
    assert np.array_equal(made.canvas, _outpaint(alone, _settings()).canvas)


def test_of_two_that_are_alike_the_first_is_kept() -> None:
    assert _outpaint(Offset(_levels(40, 3, 3, 3)), _settings(candidates=4)).kept == (1,)


def test_one_candidate_is_the_film_that_it_always_was() -> None:
    for side in range(4):
        assert version_seed(7, 3, side, 0) == derive_seed(7, 3, side)
    seeds = {version_seed(7, 3, side, version) for side in range(4) for version in range(64)}
    assert len(seeds) == 256
    assert version_seed(7, 3, 0, 1) == 900521978879175914  # part of what a project means


def test_the_sequential_method_chooses_at_each_side() -> None:
    best = (1, 0, 2, 1)
    levels = {}
    for side, version in enumerate(best):
        values = [50, 50, 50]
        values[version] = 2
        levels.update(_levels(*values, side=side))
    made = _outpaint(Offset(levels), _settings("sequential", candidates=3))
    assert made.kept == best
    assert made.seed == version_seed(7, 1, 0, 1)


def test_a_first_picture_has_one_version() -> None:
    painter = Offset({derive_seed(7, 0, 0): 0})
    first_picture(painter, _settings(candidates=5), ignore)
    assert len(painter.jobs) == 1


@pytest.mark.parametrize("method", ["direct", "sequential"])
def test_kept_joins_are_no_worse_than_those_of_the_first_versions(method: Method) -> None:
    """A painter whose colours wander at random from call to call."""

    class Moody(VaeLike):
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            picture = super().paint(job, on_step).astype(float)
            mood = np.random.default_rng(job.seed).normal(0, 12, 3)
            picture[job.mask] += mood  # where the fit doesn't see it
            return np.rint(picture).clip(0, 255).astype(np.uint8)

    settings = _settings(method, candidates=4)
    geometry = Geometry.of(settings)
    kept = [_outpaint(Moody(vae_like(settings).painter), settings, keyframe=k) for k in range(1, 9)]
    one = settings.changed({"candidates": 1})
    first = [_outpaint(Moody(vae_like(settings).painter), one, keyframe=k) for k in range(1, 9)]
    costs, alone = ([candidate_cost.cost(m.seam, m.drift) for m in made] for made in (kept, first))
    assert np.mean(costs) < np.mean(alone)
    if method == "direct":
        assert all(cost <= other for cost, other in zip(costs, alone, strict=True))
    assert {colour_match.seam(m.canvas, geometry.known) for m in kept} == {m.seam for m in kept}


# ------------------------------------------------------------------------- how they are asked for


@pytest.mark.parametrize("timed", [False, True])
def test_a_painter_that_can_is_asked_for_all_of_them_at_once(timed: bool) -> None:
    painter = Together(_levels(30, 4, 50))
    reports: list[tuple[int, int]] = []
    made = _outpaint(
        Timed(painter) if timed else painter,
        _settings(candidates=3),
        lambda done, total: reports.append((done, total)),
    )
    assert (painter.calls, made.kept) == (1, (1,))
    assert reports == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("timed", [False, True])
def test_other_painters_are_asked_one_by_one_and_progress_counts_all(timed: bool) -> None:
    painter = Offset(_levels(30, 4, 50))
    reports: list[tuple[int, int]] = []
    made = _outpaint(
        Timed(painter) if timed else painter,
        _settings(candidates=3),
        lambda done, total: reports.append((done, total)),
    )
    assert made.kept == (1,)
    assert reports == [(done, 9) for done in range(1, 10)]


def test_progress_counts_all_versions_of_all_sides() -> None:
    levels = {}
    for side in range(4):
        levels.update(_levels(1, 2, side=side))
    reports: list[tuple[int, int]] = []
    _outpaint(
        Offset(levels),
        _settings("sequential", candidates=2),
        lambda done, total: reports.append((done, total)),
    )
    assert reports == sorted(reports)
    assert {total for _, total in reports} == {12}
    assert reports[-1] == (12, 12)


def test_a_single_candidate_is_a_plain_call() -> None:
    painter = Together(_levels(5))
    assert _outpaint(painter, _settings()).kept == (0,)
    assert painter.calls == 0


def test_versions_that_failed_are_left_out() -> None:
    assert _outpaint(Together(_levels(FAILS, 50, 40)), _settings(candidates=3)).kept == (2,)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ([None, None], "gave back 0 pictures for 2 versions of keyframe 1"),
        ([], "gave back 0 pictures for 2 versions of keyframe 1"),
        ([np.zeros((96, 144, 3), np.uint8)], "gave back 1 pictures for 2 versions"),
        ([None, np.zeros((9, 9, 3), np.uint8)], r"gave back shape \(9, 9, 3\) for keyframe 1"),
        ([None, 3], "gave back no array but int"),
    ],
)
def test_answers_that_are_not_what_was_asked_for_are_the_painters_fault(
    answer: list[Pixels | None], fault: str
) -> None:
    class Faulty(Together):
        def paint_many(self, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels | None]:
            return answer

    with pytest.raises(PainterError, match=rf"^painter .*Faulty {fault}"):
        _outpaint(Faulty({}), _settings(candidates=2))


def test_a_painter_that_reuses_its_memory_or_scribbles_spoils_no_other_version() -> None:
    class Careless(Offset):
        memory = np.zeros((96, 144, 3), np.uint8)

        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            self.memory[:] = super().paint(job, on_step)
            job.canvas[:] = 255
            job.mask[:] = True
            return self.memory

    careless = _outpaint(Careless(_levels(30, 4, 50)), _settings(candidates=3))
    careful = _outpaint(Offset(_levels(30, 4, 50)), _settings(candidates=3))
    assert careless.kept == careful.kept == (1,)
    assert np.array_equal(careless.canvas, careful.canvas)


def test_cancelling_leaves_between_two_versions() -> None:
    def cancel(done: int, total: int) -> None:
        if done > STEPS:
            raise Cancelled

    painter = Offset(_levels(1, 2, 3))
    with pytest.raises(Cancelled):
        _outpaint(painter, _settings(candidates=3), cancel)
    assert len(painter.jobs) == 2


@pytest.mark.slow
def test_the_texture_painter_offers_candidates_too() -> None:
    settings = _settings(candidates=3)
    made = _outpaint(create(settings), settings)
    alone = _outpaint(create(settings), _settings())
    cost = candidate_cost.cost
    assert cost(made.seam, made.drift) <= cost(alone.seam, alone.drift)
    again = _outpaint(create(settings), settings)
    assert np.array_equal(made.canvas, again.canvas)
