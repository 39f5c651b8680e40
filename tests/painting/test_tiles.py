"""Tiles: they cover a canvas, overlap enough, and pass into one another without a line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import outpaint
from renderer.painting.painters import PaintJob
from renderer.painting.tiles import OVERLAP, Mosaic, tiles
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore
from tests.worlds import natural


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
