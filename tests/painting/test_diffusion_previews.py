"""Latents as small pictures: learned from the pipeline's own, shown only to who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from renderer.errors import Cancelled
from renderer.painting.painters import PaintJob, find, preview_hook
from renderer.painting.painters.diffusion.latent_preview import Previewer, _cells
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.preview_hook import SIDE, Small, showing
from renderer.settings.render import RenderSettings
from tests.painting.jobs import everything, ignore, ring, ring_job
from tests.painting.kinds import GUIDED, KINDS, wide_job

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]


def painter_of(folder: Path, **more: Any) -> DiffusionPainter:
    values: dict[str, Any] = {"prompt": "a castle", "steps": 3, **more}
    painter = find("diffusion")(RenderSettings(model=str(folder), **values))
    assert isinstance(painter, DiffusionPainter)
    return painter


def shown_by(work: Callable[[], object], wanted: bool = True) -> list[Small]:
    """What is shown while ``work`` is done and a viewer always, or never, wants to see it."""
    shown: list[Small] = []
    with showing(lambda: wanted, shown.append):
        work()
    return shown


def painted(
    painter: DiffusionPainter, asked: PaintJob, wanted: bool = True
) -> tuple[NDArray[np.uint8], list[Small]]:
    """The picture, and what was shown of it on the way."""
    pictures: list[NDArray[np.uint8]] = []
    shown = shown_by(lambda: pictures.append(painter.paint(asked, ignore)), wanted)
    return pictures[0], shown


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_every_step_can_be_seen_from_the_second_picture_on(
    folders: dict[str, Path], kind: str
) -> None:
    painter = painter_of(folders[kind])
    assert painted(painter, ring_job())[1] == []  # nothing is learned yet
    _, shown = painted(painter, ring_job(seed=2))
    assert [picture.shape for picture in shown] == [(8, 8, 3)] * 3
    assert all(picture.dtype == np.uint8 for picture in shown)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_pipeline_can_be_seen(families: dict[str, Path], name: str) -> None:
    painter = painter_of(families[name], guidance_scale=GUIDED.get(name, 1.0), steps=2)
    asked = wide_job()
    assert painted(painter, asked)[1] == []
    _, shown = painted(painter, replace(asked, seed=2))
    assert len(shown) == 2
    height, width = asked.mask.shape
    for picture in shown:
        assert picture.shape[0] * width == picture.shape[1] * height


def test_the_picture_is_the_same_whether_or_not_somebody_looks(folders: dict[str, Path]) -> None:
    seen, unseen = painter_of(folders["sd"]), painter_of(folders["sd"])
    for seed in (1, 2):
        picture, shown = painted(unseen, ring_job(seed=seed), wanted=False)
        assert shown == []
        assert np.array_equal(picture, painted(seen, ring_job(seed=seed))[0])


def test_the_longer_it_is_painted_the_more_it_looks_like_the_picture(
    folders: dict[str, Path],
) -> None:
    painter = painter_of(folders["sd"], steps=4)
    for seed in range(3):
        painted(painter, ring_job(everything(), seed=seed))
    picture, shown = painted(painter, ring_job(everything(), seed=9))
    small = np.array(Image.fromarray(picture).resize((8, 8), Image.Resampling.BOX)).astype(float)
    assert np.abs(shown[-1] - small).mean() < np.abs(shown[0] - small).mean()


def test_what_is_known_is_shown_as_it_is(folders: dict[str, Path]) -> None:
    painter = painter_of(folders["sd"])
    asked = ring_job(ring(), level=77)
    painted(painter, asked)
    for picture in painted(painter, replace(asked, seed=5))[1]:
        assert (picture[2:6, 2:6] == 77).all()
        assert not (picture[0] == 77).all()


def test_a_cancelled_call_leaves_nothing_behind(folders: dict[str, Path]) -> None:
    painter = painter_of(folders["sd"])

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    def cancelled() -> None:
        with pytest.raises(Cancelled):
            painter.paint(ring_job(), cancel)

    assert shown_by(cancelled) == []
    assert painted(painter, ring_job())[1] == []
    assert len(painted(painter, ring_job())[1]) == 3


# --------------------------------------------------------------------------- latents of any kind


def colours_of(cells: torch.Tensor) -> torch.Tensor:
    """A made-up autoencoder: 4 numbers a cell to a colour, 8 pixels wide."""
    mix = torch.tensor([[0.1, 0.0, 0.05], [0.0, 0.1, 0.0], [0.02, 0.0, 0.1], [0.0, 0.03, 0.0]])
    colours = (cells @ mix + 0.5).clamp(0, 1).permute(2, 0, 1)
    return colours.repeat_interleave(8, 1).repeat_interleave(8, 2)


@pytest.mark.parametrize("packed", [False, True])
def test_a_linear_autoencoder_is_learned_exactly_however_latents_are_packed(packed: bool) -> None:
    rows, columns = 6, 10
    cells = torch.randn(rows, columns, 4, generator=torch.Generator().manual_seed(3)) / 2
    latents = cells.reshape(1, rows * columns, 4) if packed else cells.permute(2, 0, 1)[None]
    picture = colours_of(cells)
    asked = replace(ring_job(np.ones((rows * 8, columns * 8), bool)), seed=1)
    previewer = Previewer()

    def call() -> None:
        previewer.begin()
        previewer.at_step_end(latents, asked)
        previewer.end(picture)

    assert shown_by(call) == []
    (shown,) = shown_by(call)
    wanted = (picture[:, ::8, ::8].permute(1, 2, 0) * 255).numpy()
    assert np.abs(shown - wanted).max() < 2


def test_large_latents_are_made_small_and_strange_ones_left_alone() -> None:
    asked = ring_job(np.ones((1600, 1200), bool))
    previewer = Previewer()
    latents = torch.randn(1, 4, 200, 150, generator=torch.Generator().manual_seed(1))
    picture = torch.rand(3, 1600, 1200)

    def call(latents: torch.Tensor) -> None:
        previewer.begin()
        previewer.at_step_end(latents, asked)
        previewer.end(picture)

    shown_by(lambda: call(latents))
    assert [shown.shape for shown in shown_by(lambda: call(latents))] == [(SIDE, SIDE * 3 // 4, 3)]
    for strange in (torch.zeros(1, 7, 4), torch.zeros(1, 4, 1, 9, 9), torch.zeros(5)):
        assert shown_by(lambda s=strange: call(s)) == []  # type: ignore[misc]


def test_strong_noise_is_brought_down_and_finished_latents_are_not() -> None:
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    cells = _cells(14.6 * noise, 256, 256)
    assert cells is not None
    assert cells[:, :, :4].std() == pytest.approx(1.0, abs=1e-3)
    quiet = _cells(0.5 * noise, 256, 256)
    assert quiet is not None
    assert torch.equal(quiet[:, :, :4], (0.5 * noise)[0].permute(1, 2, 0))


def test_without_anybody_looking_nothing_is_asked_for() -> None:
    assert not preview_hook.wanted()
    preview_hook.show(np.zeros((1, 1, 3), np.uint8))  # goes nowhere
