"""The diffusion painter on tiny pipelines that were saved and come back through the real path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from renderer.errors import Cancelled, PainterError, SettingsError
from renderer.painting.painters import Painter, PaintJob, find
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter, derived_seed
from renderer.painting.painters.diffusion.pipeline_call import whole_cells
from renderer.painting.painters.notices import listening
from renderer.settings.render import RenderSettings
from renderer.settings.samplers import SCHEDULERS
from tests.marks import first_of, slower
from tests.painting.jobs import everything, hooked, ignore, pipeline_of, ring, ring_job

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

SIDE = 64
USUAL = ["ddim", "dpm++-sde-karras", "euler-a", "lcm"]
"""Schedulers of several kinds: without and with noise of their own, and for few steps."""


@pytest.fixture(params=first_of(["sd", "sdxl"]))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Make = Callable[..., DiffusionPainter]


@pytest.fixture
def make(folders: dict[str, Path]) -> Make:
    def made(kind: str = "sd", **more: Any) -> DiffusionPainter:
        values: dict[str, Any] = {"prompt": "a castle", "steps": 3, **more}
        painter: Painter = find("diffusion")(RenderSettings(model=str(folders[kind]), **values))
        assert isinstance(painter, DiffusionPainter)
        return painter

    return made


def left_strip() -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE + 16), dtype=bool)
    mask[:, :16] = True
    return mask


@pytest.mark.parametrize("mask", [ring(), left_strip(), everything()], ids=["ring", "strip", "all"])
def test_paints_every_kind_of_mask_and_is_the_same_for_the_same_seed(
    make: Make, kind: str, mask: NDArray[np.bool_]
) -> None:
    painter = make(kind)
    first = painter.paint(ring_job(mask), ignore)
    assert first.shape == (*mask.shape, 3)
    assert first.dtype == np.uint8
    assert first.std() > 5
    again = painter.paint(ring_job(mask), ignore)
    assert again.tobytes() == first.tobytes()
    other = painter.paint(ring_job(mask, seed=2), ignore)
    assert np.mean(other != first) > 0.5


def test_a_dive_is_painted_from_what_is_there_and_not_from_nothing(make: Make, kind: str) -> None:
    painter = make(kind, steps=4, strength=0.5, method="refine")
    steps: list[tuple[int, int]] = []

    def dive(picture: int, **more: Any) -> NDArray[np.uint8]:
        job = ring_job(everything(), picture=picture, refine=2.0, **more)
        return painter.paint(job, lambda done, total: steps.append((done, total)))

    one = dive(0)
    assert steps == [(1, 2), (2, 2)]
    assert np.array_equal(dive(0), one)
    assert np.mean(dive(7) != one) > 0.5
    assert np.mean(dive(0, seed=2) != one) > 0.5
    assert np.mean(painter.paint(ring_job(everything()), ignore) != one) > 0.5


def test_another_painter_of_the_same_folder_gives_the_same_bytes(make: Make, kind: str) -> None:
    first, second = (make(kind).paint(ring_job(), ignore) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_largest_seed_of_a_job_works(make: Make) -> None:
    make().paint(ring_job(seed=2**63 - 1), ignore)


def test_prompt_negative_prompt_and_guidance_count(make: Make, kind: str) -> None:
    plain = make(kind).paint(ring_job(), ignore)
    changed = [
        make(kind).paint(ring_job(prompt="a forest"), ignore),
        make(kind).paint(ring_job(negative="blurry"), ignore),
        make(kind, guidance_scale=3.0).paint(ring_job(), ignore),
        make(kind, guidance_scale=0.0).paint(ring_job(), ignore),
    ]
    for picture in changed:
        assert np.any(picture != plain)


def test_the_known_area_steers_what_is_painted(make: Make) -> None:
    painter = make()
    dark, bright = (painter.paint(ring_job(level=level), ignore) for level in (20, 230))
    assert np.any(dark[ring()] != bright[ring()])


def test_the_padding_does_not_count_at_full_strength(make: Make, kind: str) -> None:
    """Only strengths below 1 may see what lies under the mask."""
    padded, blank = ring_job(), ring_job()
    blank.canvas[blank.mask] = 0
    for strength, alike in ((1.0, True), (0.7, False)):
        painter = make(kind, strength=strength)
        first, second = (painter.paint(each, ignore) for each in (padded, blank))
        assert np.array_equal(first, second) is alike


def test_a_first_picture_ignores_canvas_and_strength(make: Make, kind: str) -> None:
    full = make(kind).paint(ring_job(everything()), ignore)
    weak = make(kind, strength=0.4).paint(ring_job(everything(), level=0), ignore)
    assert np.array_equal(full, weak)


def test_a_cell_with_one_masked_pixel_is_painted_whole() -> None:
    mask = np.zeros((16, 24), dtype=bool)
    mask[3, 9] = True
    grown = whole_cells(mask, 8)
    assert grown[:8, 8:16].all()
    assert grown.sum() == 64
    assert np.array_equal(whole_cells(ring(), 8), ring())


def test_a_prompt_is_encoded_once(make: Make, kind: str) -> None:
    painter = make(kind)
    calls: list[str] = []
    with hooked(pipeline_of(painter).text_encoder, lambda *_: calls.append("encoded")):
        for seed in range(3):
            painter.paint(ring_job(seed=seed), ignore)
        once = len(calls)
        assert once in {1, 2}  # the prompt, and for SD the empty negative prompt
        painter.paint(ring_job(prompt="a forest"), ignore)
        assert len(calls) == 2 * once
        painter.paint(ring_job(), ignore)
        assert len(calls) == 2 * once


@pytest.mark.parametrize(
    ("scheduler", "strength", "run"),
    [("ddim", 1.0, 4), ("ddim", 0.5, 2), ("pndm", 1.0, 5), ("heun", 1.0, 7)],
)
def test_progress_counts_the_steps_that_are_really_run(
    make: Make, scheduler: str, strength: float, run: int
) -> None:
    painter = make(steps=4, strength=strength, scheduler=scheduler)
    seen: list[tuple[int, int]] = []
    calls: list[int] = []
    with hooked(pipeline_of(painter).unet, lambda *_: calls.append(1)):
        painter.paint(ring_job(), lambda done, total: seen.append((done, total)))
    assert seen == [(step, run) for step in range(1, run + 1)]
    assert len(calls) == run


def test_cancel_leaves_within_one_step_and_the_painter_goes_on(make: Make, kind: str) -> None:
    painter = make(kind, steps=8)
    expected = painter.paint(ring_job(), ignore)
    calls: list[int] = []

    def cancel(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with hooked(pipeline_of(painter).unet, lambda *_: calls.append(1)), pytest.raises(Cancelled):
        painter.paint(ring_job(), cancel)
    assert len(calls) == 2
    assert np.array_equal(painter.paint(ring_job(), ignore), expected)


@pytest.mark.parametrize(("name", "eta"), [("tcd", 0.3), ("ddim", 0.0)])
def test_tcd_adds_the_noise_that_it_was_made_for(
    make: Make, monkeypatch: pytest.MonkeyPatch, name: str, eta: float
) -> None:
    painter = make(steps=4, scheduler=name)
    scheduler = pipeline_of(painter).scheduler
    own = scheduler.step
    seen: list[float] = []

    def step(*values: Any, eta: float, generator: Any, **named: Any) -> Any:
        seen.append(eta)
        return own(*values, eta=eta, generator=generator, **named)

    monkeypatch.setattr(scheduler, "step", step)
    painter.paint(ring_job(), ignore)
    assert seen == [eta] * 4


@pytest.mark.parametrize("name", [*USUAL, *slower(sorted(SCHEDULERS.keys() - USUAL))])
def test_every_scheduler_paints_the_same_picture_twice(make: Make, name: str) -> None:
    painter = make(steps=4, scheduler=name)
    assert type(pipeline_of(painter).scheduler).__name__ == SCHEDULERS[name].class_name
    first, second = (painter.paint(ring_job(), ignore) for _ in range(2))
    assert np.array_equal(first, second)


def spoil(times: int, value: float) -> Any:
    """A hook that replaces a decoder's first ``times`` outputs by ``value``."""
    left = [times]

    def hook(_: torch.nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        return torch.full_like(output, value)

    return hook


@pytest.mark.parametrize(
    ("value", "fault"), [(float("nan"), "broken (NaN)"), (-1.0, "black")], ids=["nan", "black"]
)
def test_a_bad_picture_is_painted_again_with_another_seed(
    make: Make, kind: str, value: float, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    painter = make(kind)
    with hooked(pipeline_of(painter).vae.decoder, spoil(2, value)):
        picture = painter.paint(ring_job(seed=5), ignore)
    third = painter.paint(ring_job(seed=derived_seed(5, 2)), ignore)
    assert np.array_equal(picture, third)
    assert caplog.messages == [
        f"keyframe 4 came out {fault} with seed 5",
        f"keyframe 4 came out {fault} with seed {derived_seed(5, 1)}",
    ]


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_a_vae_that_overflows_float16_goes_on_in_float32(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The picture is that of the same seed, and later ones need no second call."""
    settings = RenderSettings(prompt="a castle", steps=2, model=str(folders[kind]))
    exact = load(settings)
    monkeypatch.setattr(Device, "dtype", lambda _, **__: torch.float16)
    painter = DiffusionPainter(load(settings), settings)
    for pipeline in (exact.pipeline, pipeline_of(painter)):
        for tensor in pipeline.vae.decoder.conv_in.parameters():
            tensor.data *= 1e5
        pipeline.vae.register_to_config(force_upcast=False)
    calls: list[int] = []
    lines: list[str] = []
    with listening(lines.append), hooked(pipeline_of(painter).unet, lambda *_: calls.append(1)):
        picture = painter.paint(ring_job(), ignore).astype(int)
        assert len(calls) == 4
        painter.paint(ring_job(seed=9), ignore)
        assert len(calls) == 6
    assert lines == [
        "keyframe 4 came out broken (NaN): from now on the model's VAE computes in float32; this "
        "is a little slower"
    ]
    expected = DiffusionPainter(exact, settings).paint(ring_job(), ignore)
    assert np.abs(picture - expected).mean() < 2


def test_a_picture_that_stays_bad_is_an_error_after_three_more(make: Make) -> None:
    painter = make()
    calls: list[int] = []
    with (
        hooked(pipeline_of(painter).unet, lambda *_: calls.append(1)),
        hooked(pipeline_of(painter).vae.decoder, spoil(-1, float("nan"))),
        pytest.raises(
            PainterError,
            match=r"^keyframe 4 came out broken \(NaN\) with 4 seeds in a row; try another "
            r"scheduler, or another model than \S+$",
        ),
    ):
        painter.paint(ring_job(), ignore)
    assert len(calls) == 4 * 3
    assert painter.paint(ring_job(), ignore).std() > 5


def test_nan_latents_are_noticed(make: Make) -> None:
    painter = make()

    def poison(_: torch.nn.Module, __: Any, output: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (output[0] * float("nan"),)

    with hooked(pipeline_of(painter).unet, poison), pytest.raises(PainterError, match="NaN"):
        painter.paint(ring_job(), ignore)


def test_a_black_picture_around_a_black_one_is_right(make: Make) -> None:
    """A night sky is no fault."""
    painter = make()
    with hooked(pipeline_of(painter).vae.decoder, spoil(1, -1.0)):
        assert not painter.paint(ring_job(level=0), ignore).any()


def test_a_long_prompt_says_what_is_not_read_once(
    make: Make, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    painter = make(kind)
    # One token a character here: 75 are read.
    for seed in range(2):
        painter.paint(ring_job(prompt="x" * 75 + " tower", seed=seed), ignore)
    ours = [text for text in caplog.messages if "reads" in text]
    assert ours == ["the model reads 75 tokens of a prompt; not seen: 'tower'"]


def test_wrong_sizes_name_the_nearest(make: Make) -> None:
    line = "canvas 100x64 must be in multiples of 8 for"
    with pytest.raises(SettingsError, match=rf"^{line} \S+; nearest: (96|104)x64$"):
        make().paint(ring_job(np.ones((64, 100), dtype=bool)), ignore)


def test_a_mask_that_does_not_fit_is_refused(make: Make) -> None:
    wrong = PaintJob(np.zeros((64, 72, 3), np.uint8), ring(), "a castle", "", 1, 0)
    with pytest.raises(SettingsError, match=r"^mask 64x64 does not fit the canvas 72x64$"):
        make().paint(wrong, ignore)


def test_an_empty_prompt_of_a_job_is_refused(make: Make) -> None:
    with pytest.raises(SettingsError, match=r"^the prompt is empty; \S+ needs one$"):
        make().paint(ring_job(prompt=" "), ignore)


def test_canvases_of_any_memory_layout_paint_alike(make: Make) -> None:
    painter = make()
    plain = ring_job()
    turned = PaintJob(np.asfortranarray(plain.canvas)[::-1][::-1], plain.mask, "a castle", "", 1, 3)
    turned.canvas.flags.writeable = False
    assert np.array_equal(painter.paint(plain, ignore), painter.paint(turned, ignore))


def test_nothing_is_written_to_the_terminal(
    make: Make, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make(kind, scheduler="dpm++").paint(ring_job(), ignore)
    out, err = capfd.readouterr()
    assert (out, re.sub(r"\s", "", err)) == ("", "")
