"""Tiles: they cover a canvas, overlap enough, and pass into one another without a line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Area, Geometry
from renderer.painting.outpaint import Outpainted, outpaint
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.tiles import OVERLAP, Mosaic, tiles
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore
from tests.worlds import World, natural, true_canvas


@pytest.mark.parametrize("size", [(512, 512), (1024, 1024), (1536, 864), (520, 512), (2048, 640)])
@pytest.mark.parametrize("side", [512, 768, 0])
def test_they_cover_the_canvas_and_overlap(size: tuple[int, int], side: int) -> None:
    found = tiles(size, side, 8)
    covered = np.zeros(size[::-1], int)
    for area in found:
        covered[area.rows, area.columns] += 1
        for length, whole in ((area.width, size[0]), (area.height, size[1])):
            assert length == (min(side, whole) if side else whole)
        assert all(edge % 8 == 0 for edge in area)
    assert covered.min() >= 1
    if side == 0 or max(size) <= side:
        assert len(found) == 1
    lefts = sorted({area.left for area in found})
    least = (found[0].width * (1 - OVERLAP)) + 8
    assert all(b - a <= least for a, b in pairwise(lefts))


def test_one_tile_is_the_picture_itself_and_several_pass_into_one_another() -> None:
    picture = natural(300).view(1.0, (256, 192))
    for side in (0, 128):
        mosaic = Mosaic((256, 192))
        for area in tiles((256, 192), side, 8):
            mosaic.add(area, picture[area.rows, area.columns])
        assert np.array_equal(mosaic.canvas(), picture)
    mosaic = Mosaic((256, 192))
    for number, area in enumerate(tiles((256, 192), 128, 8)):
        mosaic.add(area, np.full((area.height, area.width, 3), 100 + 20 * (number % 2), np.uint8))
    steps = np.abs(np.diff(mosaic.canvas().astype(int), axis=1))
    assert steps.max() <= 2


class Asked:
    """Gives back what it is shown, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.jobs: list[PaintJob] = []

    def paint(self, job: PaintJob, on_step: object) -> NDArray[np.uint8]:
        self.jobs.append(job)
        return job.canvas


def test_a_dive_is_painted_in_tiles_each_with_a_seed_of_its_own() -> None:
    settings = RenderSettings(
        method="refine", keyframe_size=(128, 96), zoom_factor=2.0, tile=128, steps=1, candidates=2
    )
    picture = natural(300).view(1.0, (128, 96))
    reference, asked = Reference.of(picture), Asked()
    done = outpaint(asked, picture, settings, keyframe=3, reference=reference, on_step=ignore)
    assert {job.canvas.shape for job in asked.jobs} == {(128, 128, 3)}
    assert len(asked.jobs) == 2 * 6
    assert len({job.seed for job in asked.jobs}) == len(asked.jobs)
    assert {job.refine for job in asked.jobs} == {2.0}
    whole = outpaint(
        Asked(),
        picture,
        settings.changed({"tile": 0}),
        keyframe=3,
        reference=reference,
        on_step=ignore,
    )
    assert np.array_equal(done.canvas, whole.canvas)
    assert done.residue < 0.5


WORLD = natural(600)
SEQUENCE = RenderSettings(
    method="sequential", keyframe_size=(128, 96), zoom_factor=1.5, tile=112, steps=2
)


class Windows:
    """Paints what is truly there in each window, whose place it knows by what is known there."""

    def __init__(self, world: World, settings: RenderSettings, gain: float = 1.0) -> None:
        self.truth = true_canvas(world, Geometry.of(settings), 1)
        self.gain = gain
        self.jobs: list[PaintJob] = []
        self.places: list[Area] = []

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        self.jobs.append(job)
        for step in (1, 2):
            on_step(step, 2)
        height, width = job.mask.shape
        size = self.truth.shape[1], self.truth.shape[0]

        def astray(area: Area) -> float:
            there = self.truth[area.rows, area.columns].astype(int)
            return float(np.abs(there - job.canvas)[~job.mask].mean())

        at = min((area for area in tiles(size, max(width, height), 8)), key=astray)
        self.places.append(at)
        there = np.where(job.mask[:, :, None], self.truth[at.rows, at.columns], job.canvas)
        if self.gain == 1:
            return there
        return np.rint(there * self.gain).astype(np.uint8)


def sequence(painter: Windows, settings: RenderSettings, on_step: OnStep = ignore) -> Outpainted:
    picture = WORLD.view(1.0, settings.keyframe_size)
    reference = Reference.of(picture)
    return outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=on_step)


def test_in_sequence_a_canvas_is_painted_in_windows_each_around_what_was_painted() -> None:
    painter, steps = Windows(WORLD, SEQUENCE), list[tuple[int, int]]()
    done = sequence(painter, SEQUENCE, lambda *step: steps.append(step))
    size = Geometry.of(SEQUENCE).canvas_size
    assert size == (192, 144)
    assert sorted(painter.places) == sorted(tiles(size, 112, 8))
    assert {job.canvas.shape for job in painter.jobs} == {(112, 112, 3)}
    assert len({job.seed for job in painter.jobs}) == len(painter.jobs) == 4
    assert np.array_equal(done.canvas[16:-16, 16:-16], painter.truth[16:-16, 16:-16])
    assert np.array_equal(done.canvas, painter.truth)
    # Each pixel of the border is painted once; what others painted is shown as it is.
    assert sum(int(job.mask.sum()) for job in painter.jobs) == 192 * 144 - 128 * 96
    for job, place in zip(painter.jobs, painter.places, strict=True):
        there = painter.truth[place.rows, place.columns]
        assert np.array_equal(job.canvas[~job.mask], there[~job.mask])
    assert steps[-1] == (8, 8)
    assert steps == sorted(steps)


def test_windows_far_from_what_is_known_come_after_those_between() -> None:
    settings = SEQUENCE.changed({"zoom_factor": 4.0, "tile": 96})
    painter = Windows(WORLD, settings)
    done = sequence(painter, settings)
    assert np.array_equal(done.canvas, painter.truth)
    assert all((~job.mask).any() for job in painter.jobs)  # none is a first picture


def test_a_change_of_colours_in_windows_is_undone() -> None:
    painter = Windows(WORLD, SEQUENCE, gain=0.95)
    done = sequence(painter, SEQUENCE)
    away = done.canvas.astype(float) - painter.truth
    assert abs(away.mean()) < 1
    assert done.seam < 1.2


def test_candidates_and_the_seam_pass_go_through_windows_too() -> None:
    settings = SEQUENCE.changed({"candidates": 2, "seam_pass": 0.5})
    painter = Windows(WORLD, settings)
    done = sequence(painter, settings)
    assert {job.canvas.shape for job in painter.jobs} == {(112, 112, 3)}
    assert len({job.seed for job in painter.jobs}) == len(painter.jobs) == 3 * 4
    assert [job.strength for job in painter.jobs] == [None] * 8 + [0.5] * 4
    assert np.array_equal(done.canvas, painter.truth)


@pytest.mark.parametrize("changes", [{"tile": 0}, {"tile": 192}, {"method": "direct"}])
def test_other_canvases_are_painted_as_ever(changes: dict[str, object]) -> None:
    settings = SEQUENCE.changed(changes)
    asked = Asked()
    picture = WORLD.view(1.0, settings.keyframe_size)
    reference = Reference.of(picture)
    outpaint(asked, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    expected = Geometry.of(settings).calls(settings.method)
    assert [job.mask.shape[::-1] for job in asked.jobs] == [each.canvas_size for each in expected]
