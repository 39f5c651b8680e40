"""Stable Diffusion's x4 upscaler dives: the real pipeline, tiny, from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import PainterError, SettingsError
from renderer.images import Picture
from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import outpaint, picture_of
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.planning.bench import bench
from renderer.planning.defaults import fill_in
from renderer.settings.render import RenderSettings
from tests.painting.jobs import everything, ignore, pipeline_of, ring_job, watched
from tests.painting.tiny import tiny_upscaler


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("models") / "x4"
    tiny_upscaler().save_pretrained(where)
    return where


def plan(folder: Path, **more: Any) -> RenderSettings:
    wishes = {"model": str(folder), "method": "refine", "steps": 4, "seed": 1, **more}
    return fill_in(wishes).settings


def painter_of(settings: RenderSettings) -> DiffusionPainter:
    return DiffusionPainter(load(settings), settings)


def dive(painter: DiffusionPainter, **more: Any) -> NDArray[np.uint8]:
    return painter.paint(ring_job(everything(), refine=2.0, **more), ignore)


def test_it_paints_from_what_is_there_at_any_zoom_factor(folder: Path) -> None:
    painter = painter_of(plan(folder))
    one = dive(painter)
    assert one.shape == (64, 64, 3)
    assert np.array_equal(dive(painter), one)
    assert np.mean(dive(painter, picture=7) != one) > 0.5
    assert np.mean(dive(painter, seed=2) != one) > 0.5
    for factor in (1.5, 3.0, 4.0):
        job = ring_job(everything(), refine=factor)
        assert painter.paint(job, ignore).shape == (64, 64, 3)


def test_it_is_shown_the_picture_and_as_much_noise_as_the_strength_says(folder: Path) -> None:
    painter = painter_of(plan(folder, strength=0.4))
    levels = []
    unet = pipeline_of(painter).unet

    def look(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        levels.append(int(named["class_labels"][0]))

    handle = unet.register_forward_pre_hook(look, with_kwargs=True)
    with watched(unet) as seen:
        dive(painter)
    handle.remove()
    assert set(levels) == {20}  # what the pipeline adds if not told otherwise
    assert {tuple(latents.shape[1:]) for latents in seen} == {(7, 32, 32)}


def test_it_is_timed_on_a_picture_of_noise(folder: Path) -> None:
    rows = list(bench(plan(folder, keyframe_size="64x64"), ignore, whole=False))
    assert [(row.name, row.steps) for row in rows] == [
        ("reading the model", 0),
        ("first keyframe", 4),
    ]


def test_its_steps_are_reported_and_a_call_can_be_left_at_each(folder: Path) -> None:
    painter = painter_of(plan(folder))
    steps: list[tuple[int, int]] = []
    painter.paint(ring_job(everything(), refine=2.0), lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    before = dive(painter)

    def leave(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        painter.paint(ring_job(everything(), refine=2.0), leave)
    assert np.array_equal(dive(painter), before)


def test_candidates_are_painted_as_each_would_be_alone(folder: Path) -> None:
    painter = painter_of(plan(folder))
    jobs = [ring_job(everything(), seed=seed, refine=2.0) for seed in (1, 2)]
    for one, seed in zip(painter.paint_many(jobs, ignore), (1, 2), strict=True):
        assert one is not None
        assert np.abs(one.astype(int) - dive(painter, seed=seed)).max() <= 1


def test_a_keyframe_by_it_shows_what_the_picture_showed(folder: Path) -> None:
    settings = plan(folder, keyframe_size="64x64", tile=96)
    rng = np.random.default_rng(0)
    picture: Picture = np.kron(
        rng.integers(60, 200, (8, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8)
    )
    painted = outpaint(
        painter_of(settings),
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=ignore,
    )
    assert painted.canvas.shape == (128, 128, 3)
    assert painted.residue < 0.5
    assert painted.dives_to is not None
    assert picture_of(painted.canvas, settings, painted.dives_to).shape == (64, 64, 3)


def test_what_it_can_not_do_is_one_line(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"can only dive \(--method refine\)"):
        fill_in({"model": str(folder), "prompt": "a reef", "method": "direct"})
    settings = plan(folder)
    with pytest.raises(SettingsError, match="can only dive"):
        load(settings.changed({"method": "direct"}))
    with pytest.raises(PainterError, match="paints no first one; give one with --image FILE"):
        painter_of(settings).paint(ring_job(everything(), keyframe=0), ignore)
