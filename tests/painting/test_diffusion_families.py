"""The kinds of pipeline beyond Stable Diffusion, each tiny and through the real path.

Saved as they are published, loaded from there, and given whole keyframes to paint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from renderer.errors import Cancelled, SettingsError
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import outpaint
from renderer.painting.painters import PaintJob, find
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.settings.presets import find_preset
from renderer.settings.render import RenderSettings
from tests.marks import slower
from tests.painting.jobs import ignore, pipeline_of, ring, ring_job, watched
from tests.painting.kinds import EVERY, GUIDED, KINDS, SIDE, first_job, wide_job
from tests.painting.tiny_families import build

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

STEPS = 3
WEIGHED = ["flux-fill", "klein", "klein-base", "z-image", "sdxl-promax"]
"""Those that take a strength."""
NEW_EACH_STEP = [("klein", 0.7), ("z-image", 0.7), ("kandinsky", 1.0), ("sdxl-promax", 1.0)]
"""Those that put the known area back after every step, and a strength at which they do."""
MULTIPLES = {"kandinsky": 64, "sdxl-promax": 8}
"""Of a canvas's sides, where that isn't 16."""

Make = Callable[..., DiffusionPainter]


@pytest.fixture(scope="module")
def make(kept: Make) -> Make:
    def made(name: str, **more: Any) -> DiffusionPainter:
        return kept(name, **{"steps": STEPS, "guidance_scale": GUIDED.get(name, 1.0), **more})

    return made


def differ(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    return bool(np.any(first != second))


@pytest.mark.parametrize("name", EVERY)
def test_a_keyframe_is_painted_around_a_picture_that_stays(make: Make, name: str) -> None:
    settings = RenderSettings(
        prompt="a castle", keyframe_size=(64, 64), zoom_factor=2.0, size_multiple=32
    )
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    painter = make(name)
    seen: list[tuple[int, int]] = []

    def paint(keyframe: int) -> NDArray[np.uint8]:
        return outpaint(
            painter,
            picture,
            settings,
            keyframe=keyframe,
            reference=Reference.of(picture),
            on_step=lambda done, total: seen.append((done, total)),
        ).canvas

    canvas = paint(1)
    known = Geometry.of(settings).known
    assert canvas.shape == (SIDE, SIDE, 3)
    assert np.array_equal(canvas[known.rows, known.columns], picture)
    assert seen == [(step, STEPS) for step in range(1, STEPS + 1)]
    assert np.array_equal(paint(1), canvas)
    changed = paint(2) != canvas  # of another seed
    assert changed[:32].mean() > 0.5
    assert not changed[known.rows, known.columns].any()


@pytest.mark.parametrize("name", KINDS)
def test_the_prompt_and_the_known_area_steer_what_is_painted(make: Make, name: str) -> None:
    painter = make(name)
    plain = painter.paint(wide_job(), ignore)
    assert differ(painter.paint(wide_job("a forest"), ignore), plain)
    elsewhere = wide_job()
    elsewhere.canvas[~elsewhere.mask] = 200
    border = wide_job().mask
    assert differ(painter.paint(elsewhere, ignore)[border], plain[border])
    assert np.array_equal(painter.paint(wide_job(), ignore), plain)


@pytest.mark.parametrize("name", GUIDED)
def test_a_negative_prompt_counts_where_the_model_is_guided_by_one(make: Make, name: str) -> None:
    painter = make(name)
    plain = painter.paint(wide_job(), ignore)
    assert differ(painter.paint(wide_job(negative="blurry"), ignore), plain)
    stronger = make(name, guidance_scale=GUIDED[name] + 2)
    assert differ(stronger.paint(wide_job(), ignore), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("flux-fill", 30.0),
        ("klein", 4.0),
        ("klein-base", 1.0),
        ("z-image", 0.0),
        ("qwen", 1.0),
        ("kandinsky", 1.0),
        ("sdxl-promax", 1.0),
    ],
)
def test_elsewhere_a_negative_prompt_does_nothing_and_that_is_said(
    make: Make, families: dict[str, Path], name: str, scale: float
) -> None:
    lines: list[str] = []
    with listening(lines.append):
        painter = make(name, guidance_scale=scale, negative_prompt="blurry")
    assert lines == [
        f"{families[name]} paints without guidance, so the negative prompt does nothing"
    ]
    plain = painter.paint(wide_job(), ignore)
    assert np.array_equal(painter.paint(wide_job(negative="blurry"), ignore), plain)


def test_the_guidance_that_is_trained_into_flux_fill_is_a_number_that_it_reads(make: Make) -> None:
    weak, strong = (
        make("flux-fill", guidance_scale=scale).paint(wide_job(), ignore) for scale in (1.0, 30.0)
    )
    assert differ(weak, strong)


def test_a_distilled_klein_looks_at_no_guidance(make: Make) -> None:
    weak, strong = (
        make("klein", guidance_scale=scale).paint(wide_job(), ignore) for scale in (1.0, 8.0)
    )
    assert np.array_equal(weak, strong)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("flux-fill", (0.0, 0.0, 0.0)),
        ("klein", (-1.0, 1.0, -1.0)),
        ("z-image", (0.0, 0.0, 0.0)),
        ("qwen", (-1.0, -1.0, -1.0)),
    ],
)
def test_what_is_masked_is_not_shown_to_the_model_at_full_strength(
    make: Make, name: str, hidden: tuple[float, float, float]
) -> None:
    """Grey, green, or black: what each was trained with. And white in the mask means: paint."""
    painter = make(name)
    border = torch.from_numpy(wide_job().mask)
    with watched(pipeline_of(painter).vae.encoder) as seen:
        shown = painter.paint(wide_job(), ignore)
    picture = seen[-1].reshape(3, SIDE, SIDE)
    for channel, level in zip(picture[:, border], hidden, strict=True):
        assert channel.unique().tolist() == pytest.approx([level], abs=1e-6)
    known = torch.from_numpy(wide_job().canvas).permute(2, 0, 1)[:, ~border] / 127.5 - 1
    torch.testing.assert_close(picture[:, ~border], known)
    black = wide_job()
    black.canvas[black.mask] = 0
    assert np.array_equal(painter.paint(black, ignore), shown)


@pytest.mark.parametrize(("name", "strength"), NEW_EACH_STEP)
def test_the_known_area_is_put_back_and_only_that(make: Make, name: str, strength: float) -> None:
    """Seen in the latents that are decoded, for two prompts: cells that differ are painted ones."""
    painter = make(name)
    pipeline = pipeline_of(painter)
    decoder = pipeline.movq.decoder if name == "kandinsky" else pipeline.vae.decoder
    with watched(decoder) as seen:
        for prompt in ("a castle", "a forest"):
            painter.paint(wide_job(prompt, strength=strength), ignore)
    cells = (seen[0] != seen[1])[0].any(dim=0)
    assert cells.shape == (SIDE // 8, SIDE // 8)
    margin = 4 + 2  # of masked cells, and what Kandinsky and the decoder's first layer add
    assert not cells[margin:-margin, margin:-margin].any()
    assert cells[:3].all()
    assert cells[:, :3].all()


def test_a_mask_that_ends_within_kleins_large_cells_is_grown_to_them(make: Make) -> None:
    """klein averages a few pixels in the middle of 16 x 16; the rest would count as known."""
    painter = make("klein")
    odd = wide_job()
    odd.mask[...] = False
    odd.mask[:, :18] = True
    plain = wide_job()
    plain.mask[...] = False
    plain.mask[:, :32] = True
    plain.canvas[...] = odd.canvas
    assert np.array_equal(painter.paint(odd, ignore), painter.paint(plain, ignore))


@pytest.mark.parametrize("name", KINDS)
def test_a_first_picture_comes_from_words_alone(make: Make, name: str) -> None:
    painter = make(name)
    first = painter.paint(first_job(), ignore)
    assert first.std() > 5
    assert np.array_equal(painter.paint(first_job(picture=7), ignore), first)
    assert differ(painter.paint(first_job("a forest"), ignore), first)
    if name in WEIGHED:
        weak = make(name, strength=0.4)
        assert np.array_equal(weak.paint(first_job(), ignore), first)


def test_klein_gets_no_grey_picture_to_edit_for_a_first_one(make: Make) -> None:
    painter = make("klein")
    with watched(pipeline_of(painter).vae.encoder) as seen:
        painter.paint(first_job(), ignore)
    assert seen == []


@pytest.mark.parametrize("name", WEIGHED)
def test_less_strength_runs_fewer_steps_and_keeps_more(make: Make, name: str) -> None:
    painter = make(name, steps=4, strength=0.5)
    seen: list[tuple[int, int]] = []
    picture = painter.paint(wide_job(), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    padded = wide_job()
    padded.canvas[padded.mask] = 0
    assert differ(painter.paint(padded, ignore), picture)


@pytest.mark.parametrize("name", WEIGHED)
def test_a_dive_is_painted_from_what_is_there(make: Make, name: str) -> None:
    painter = make(name, steps=4, strength=0.5, method="refine")
    jobs = [replace(first_job(picture=number), keyframe=3, refine=2.0) for number in (0, 7, 0)]
    one, other, again = (painter.paint(job, ignore) for job in jobs)
    assert differ(one, other)
    assert not differ(one, again)


@pytest.mark.parametrize("name", sorted(set(EVERY) - set(WEIGHED)))
def test_a_model_without_strength_refuses_one(
    make: Make, families: dict[str, Path], name: str
) -> None:
    with pytest.raises(
        SettingsError,
        match=rf"^{families[name]} has no strength to set, not even 0\.7; leave it at 1$",
    ):
        make(name, strength=0.7)
    with pytest.raises(SettingsError, match=r"so it can't dive .* Stable Diffusion, FLUX"):
        make(name, method="refine")
    with pytest.raises(
        SettingsError,
        match=rf"^{families[name]} has no strength to set, so it does no seam pass; leave it at 0$",
    ):
        make(name, seam_pass=0.4)


@pytest.mark.parametrize(
    "name", ["flux-fill", "z-image", *slower(["klein", "klein-base", "qwen", "kandinsky"])]
)
def test_another_scheduler_is_refused(make: Make, families: dict[str, Path], name: str) -> None:
    with pytest.raises(
        SettingsError,
        match=rf"^{families[name]} works with its own scheduler only; leave scheduler out$",
    ):
        make(name, scheduler="dpm++")


@pytest.mark.parametrize("name", EVERY)
def test_sizes_that_are_no_multiples_are_refused_with_the_nearest(make: Make, name: str) -> None:
    multiple = MULTIPLES.get(name, 16)
    with pytest.raises(
        SettingsError,
        match=rf"^canvas 196x196 must be in multiples of {multiple} for \S+; nearest: 192x192$",
    ):
        make(name).paint(ring_job(ring(196, 196)), ignore)


def test_a_canvas_that_klein_would_shrink_is_refused_with_the_nearest(make: Make) -> None:
    wide = np.zeros((896, 1536, 3), np.uint8)
    large = PaintJob(wide, np.ones(wide.shape[:2], bool), "a castle", "", 1, 0)
    with pytest.raises(
        SettingsError, match=r"^canvas 1536x896 is too large for \S+; nearest: 1328x768$"
    ):
        make("klein").paint(large, ignore)
    assert 1328 * 768 <= 1024 * 1024


@pytest.mark.parametrize("name", KINDS)
def test_cancel_leaves_within_one_step_and_the_painter_goes_on(make: Make, name: str) -> None:
    painter = make(name, steps=6)
    expected = painter.paint(wide_job(), ignore)
    seen: list[int] = []

    def cancel(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        painter.paint(wide_job(), cancel)
    assert seen == [1, 2]
    assert np.array_equal(painter.paint(wide_job(), ignore), expected)


@pytest.mark.parametrize("name", KINDS)
def test_a_prompt_is_encoded_once(make: Make, name: str) -> None:
    painter = make(name)
    pipeline = pipeline_of(painter)
    encoder = pipeline.prior_prior if name == "kandinsky" else pipeline.text_encoder
    with watched(encoder) as calls:
        for seed in (1, 2):
            painter.paint(wide_job("an owl", seed=seed), ignore)
        once = len(calls)
        painter.paint(wide_job("a stork"), ignore)
        painter.paint(wide_job("an owl"), ignore)
    assert once > 0
    assert len(calls) == 2 * once


@pytest.mark.parametrize("name", KINDS)
def test_words_that_the_model_does_not_read_are_named(
    make: Make, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    make(name).paint(wide_job("castle " * 200 + "the end"), ignore)
    cut = [line for line in caplog.messages if "tokens of a prompt; not seen" in line]
    assert len(cut) == 1
    assert cut[0].rstrip("'").endswith("the end")


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_written_to_the_terminal(
    families: dict[str, Path], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = RenderSettings(prompt="a castle", model=str(families[name]), steps=2)
    find("diffusion")(settings).paint(wide_job(), ignore)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", KINDS)
def test_half_precision_works_throughout(name: str, families: dict[str, Path]) -> None:
    """As on a GPU, where all parts are in bfloat16 or float16."""
    settings = RenderSettings(
        prompt="a castle",
        model=str(families[name]),
        steps=2,
        guidance_scale=GUIDED.get(name, 1.0),
    )
    loaded = load(settings)
    loaded.pipeline.to(torch.bfloat16)
    picture = DiffusionPainter(loaded, settings).paint(wide_job(), ignore)
    assert picture.std() > 5


@pytest.mark.parametrize("name", EVERY)
def test_the_settings_of_a_folder_are_those_of_its_kind(
    families: dict[str, Path], name: str
) -> None:
    from renderer.planning.defaults import fill_in

    base_preset = find_preset({"klein-base": "klein", "z-image": "z-image-turbo"}.get(name, name))
    assert base_preset is not None
    settings = fill_in({"prompt": "a reef", "model": str(families[name])}).settings
    finest = (
        base_preset.multiple
    )  # or, where a UNet's canvas comes closer to multiples of 64, twice
    assert settings.size_multiple in ({finest, 2 * finest} if base_preset.unet else {finest})
    assert settings.guidance_scale == base_preset.guidance_scale
    assert (settings.steps, settings.strength, settings.scheduler) == (base_preset.steps, 1.0, "")


def test_the_pipelines_are_built_alike_each_time() -> None:
    first, second = (build("z-image").transformer.state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
