"""Candidates and the seam pass with the diffusion painter, on tiny pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from renderer.errors import Cancelled, PainterError
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import outpaint
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.settings.render import RenderSettings
from tests.marks import first_of
from tests.painting.jobs import hooked, ignore, ring, ring_job
from tests.painting.kinds import GUIDED, KINDS, wide_job

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

Make = Callable[..., DiffusionPainter]


@pytest.fixture(params=first_of(["sd", "sdxl"]))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(folders: dict[str, Path]) -> Make:
    def made(kind: str = "sd", **more: Any) -> DiffusionPainter:
        values = {"prompt": "a castle", "steps": 3, "model": str(folders[kind]), **more}
        settings = RenderSettings(**values)
        return DiffusionPainter(load(settings), settings)

    return made


def job(seed: int = 1, strength: float | None = None) -> PaintJob:
    return ring_job(ring(64, 80), seed=seed, strength=strength)


def differ(one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> int:
    """The most that two pictures differ by at any pixel."""
    assert one is not None
    assert other is not None
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"strength": 0.6},
        {"scheduler": "lcm", "guidance_scale": 1.0},
        {"speed": "balanced", "steps": 5},
        {"scheduler": "euler-a"},
    ],
    ids=["plain", "strength", "noisy", "guided-in-part", "ancestral"],
)
def test_a_batch_holds_what_each_seed_paints_alone(
    make: Make, kind: str, more: dict[str, Any]
) -> None:
    painter = make(kind, **more)
    calls: list[int] = []
    jobs = [job(seed) for seed in (5, 6, 7)]
    alone = [painter.paint(each, ignore) for each in jobs]
    with hooked(painter.caller.pipeline.unet, lambda *_: calls.append(1)):
        together = painter.paint_many(jobs, ignore)
    assert len(calls) == painter.caller.pipeline.num_timesteps
    for one, other in zip(together, alone, strict=True):
        assert differ(one, other) <= 2
    assert differ(together[0], together[1]) > 20


@pytest.mark.parametrize("name", KINDS)
def test_every_family_paints_candidates_as_it_paints_each_alone(
    families: dict[str, Path], name: str
) -> None:
    scale = GUIDED.get(name, 1.0)
    settings = RenderSettings(
        prompt="a castle", steps=3, model=str(families[name]), guidance_scale=scale
    )
    painter = DiffusionPainter(load(settings), settings)
    jobs = [replace(wide_job(), seed=seed) for seed in (5, 6)]
    alone = [painter.paint(each, ignore) for each in jobs]
    together = painter.paint_many(jobs, ignore)
    for one, other in zip(together, alone, strict=True):
        assert differ(one, other) <= (0 if name == "qwen" else 2)
    assert differ(together[0], together[1]) > 20


def test_progress_of_a_batch_is_that_of_one_call_and_it_can_be_cancelled(make: Make) -> None:
    painter = make()
    jobs = [job(1), job(2)]
    seen: list[tuple[int, int]] = []
    painter.paint_many(jobs, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        painter.paint_many(jobs, cancel)
    assert painter.paint(job(), ignore).std() > 5


class Spoiled:
    """A hook that blackens the decoder's pictures of these numbers, counted over all calls."""

    def __init__(self, *bad: int, value: float = -1.0) -> None:
        self.bad = bad
        self.value = value
        self.count = 0

    def __call__(self, _: torch.nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        for picture in output:
            if self.count in self.bad:
                picture.fill_(self.value)
            self.count += 1
        return output


@pytest.mark.parametrize("value", [-1.0, float("nan")], ids=["black", "nan"])
def test_a_bad_candidate_is_dropped_and_not_painted_again(
    make: Make, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    painter = make()
    expected = painter.paint_many([job(1), job(2), job(3)], ignore)
    spoiled = Spoiled(1, value=value)
    with hooked(painter.caller.pipeline.vae.decoder, spoiled):
        pictures = painter.paint_many([job(1), job(2), job(3)], ignore)
    assert spoiled.count == 3
    assert pictures[1] is None
    assert differ(pictures[0], expected[0]) == differ(pictures[2], expected[2]) == 0
    assert len([text for text in caplog.messages if "keyframe 4 came out" in text]) == 1


def test_only_where_all_are_bad_they_are_painted_again(make: Make) -> None:
    painter = make()
    spoiled = Spoiled(0, 1, 3)
    with hooked(painter.caller.pipeline.vae.decoder, spoiled):
        pictures = painter.paint_many([job(1), job(2)], ignore)
    assert [picture is None for picture in pictures] == [False, True]
    assert spoiled.count == 4
    with (
        hooked(painter.caller.pipeline.vae.decoder, Spoiled(*range(8))),
        pytest.raises(PainterError, match="came out black with 4 seeds in a row"),
    ):
        painter.paint_many([job(1), job(2)], ignore)


def test_a_memory_too_small_for_a_batch_paints_one_at_a_time_from_then_on(make: Make) -> None:
    painter = make()
    jobs = [job(1), job(2), job(3)]
    expected = [painter.paint(each, ignore) for each in jobs]
    calls: list[int] = []

    def full(_: torch.nn.Module, inputs: Any, __: Any) -> None:
        calls.append(len(inputs[0]))
        if len(inputs[0]) > 2:  # more than one picture with guidance
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    lines: list[str] = []
    seen: list[tuple[int, int]] = []
    with listening(lines.append), hooked(painter.caller.pipeline.unet, full):
        pictures = painter.paint_many(jobs, lambda done, total: seen.append((done, total)))
        again = painter.paint_many(jobs, ignore)
    assert calls == [6] + [2] * 18
    assert painter.caller.rungs == ()
    (line,) = lines
    assert re.fullmatch(
        r".+ has too little memory for 3 candidates of 80x64: from now on they are painted one at "
        r"a time; this is slower",
        line,
    )
    assert seen == [(done, 9) for done in range(1, 10)]
    for one, two, three in zip(pictures, again, expected, strict=True):
        assert differ(one, three) == differ(two, three) == 0


def test_a_memory_too_small_for_one_goes_down_the_ladder_as_ever(make: Make) -> None:
    painter = make()
    left = [2]

    def full(*_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    with hooked(painter.caller.pipeline.unet, full):
        pictures = painter.paint_many([job(1), job(2)], ignore)
    assert len(painter.caller.rungs) == 1
    assert all(picture is not None for picture in pictures)


@pytest.mark.parametrize(("strength", "run"), [(None, 10), (0.3, 3), (1.0, 10)])
def test_a_jobs_own_strength_counts(make: Make, strength: float | None, run: int) -> None:
    seen: list[tuple[int, int]] = []
    make(steps=10).paint(job(strength=strength), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (run, run)


def test_a_keyframe_with_everything_at_once_keeps_its_picture(make: Make, kind: str) -> None:
    painter = make(
        kind, steps=4, candidates=2, overmask=8, seam_pass=0.5, keyframe_size=(64, 64), seed=3
    )
    settings = RenderSettings(
        prompt="a castle", steps=4, candidates=2, overmask=8, seam_pass=0.5, keyframe_size=(64, 64)
    )
    picture = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)
    reports: list[tuple[int, int]] = []
    batches: list[int] = []
    with hooked(painter.caller.pipeline.unet, lambda _, inputs, __: batches.append(len(inputs[0]))):
        made = outpaint(
            painter,
            picture,
            settings,
            keyframe=1,
            reference=Reference.of(picture),
            on_step=lambda done, total: reports.append((done, total)),
        )
    known = Geometry.of(settings).known
    assert np.array_equal(made.canvas[known.rows, known.columns], picture)
    assert batches == [4] * 4 + [2] * 2
    assert reports == [(done, 6) for done in range(1, 7)]
    assert made.kept in {(0,), (1,)}
