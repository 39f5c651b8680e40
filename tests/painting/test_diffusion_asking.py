"""How each kind of model is asked for a border: what its pipeline is really given, and its loading.

That what is masked looks as each was trained with is in ``test_diffusion_families``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from torch.nn import Module

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.families.flux import KLEIN
from renderer.painting.painters.diffusion.loading import _WORKING_MEMORY, load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.planning.defaults import fill_in
from renderer.settings.presets import EXPERIMENTAL, PRESETS
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore, pipeline_of, ring, ring_job, watched
from tests.painting.kinds import SIDE, first_job, wide_job
from tests.painting.tiny_families import build, tiny_klein

pytestmark = [pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")]

Make = Callable[..., DiffusionPainter]

ASKED = "transformer_blocks.0.attn.to_k.weight"
"""What the tiny LoRA of klein changes."""


@pytest.fixture(scope="module")
def make(kept: Make) -> Make:
    def made(name: str, **more: Any) -> DiffusionPainter:
        return kept(name, **{"steps": 4, "guidance_scale": 1.0, **more})

    return made


@contextmanager
def calls(module: Any) -> Iterator[list[dict[str, Any]]]:
    """The named arguments of every call of the torch module."""
    seen: list[dict[str, Any]] = []
    handle = module.register_forward_pre_hook(
        lambda _, __, named: seen.append(named), with_kwargs=True
    )
    yield seen
    handle.remove()


def read(painter: DiffusionPainter, job: PaintJob) -> str:
    """The words that the model's text encoder sees for a job that is painted, chat marks left."""
    pipeline = pipeline_of(painter)
    with watched(pipeline.text_encoder) as seen:
        painter.paint(job, ignore)
    (tokens,) = seen
    words: str = pipeline.tokenizer.decode(tokens[0])
    return words


DIVE = replace(first_job(), keyframe=3, refine=2.0)


def test_klein_reads_its_instruction_before_the_prompt_only_where_it_paints_a_border(
    make: Make,
) -> None:
    painter = make("klein")
    assert f"\n{KLEIN.instruction}a tower<" in read(painter, wide_job("a tower"))
    assert "\na bridge<" in read(painter, first_job("a bridge"))
    assert "\na harbour<" in read(painter, wide_job("a harbour", strength=0.5))
    dive = make("klein", method="refine", strength=0.5)
    assert "\na well<" in read(dive, replace(DIVE, prompt="a well"))


def test_both_prompts_of_a_blend_come_after_the_instruction(make: Make) -> None:
    painter = make("klein")
    job = replace(wide_job("a moor"), earlier_prompt="a lake", blend=0.5)
    with watched(pipeline_of(painter).text_encoder) as seen:
        painter.paint(job, ignore)
    words = [pipeline_of(painter).tokenizer.decode(tokens[0]) for tokens in seen]
    assert [
        words[0].count(KLEIN.instruction + "a moor"),
        words[1].count(KLEIN.instruction + "a lake"),
    ] == [
        1,
        1,
    ]


def test_klein_gets_its_lora_for_borders_and_not_for_a_dive(make: Make) -> None:
    published = build("klein").transformer.state_dict()
    torch.manual_seed(7)
    down, up = torch.randn(2, 32), torch.randn(32, 2)
    asked = pipeline_of(make("klein")).transformer.state_dict()
    torch.testing.assert_close(asked[ASKED], published[ASKED] + up @ down)
    dive = pipeline_of(make("klein", method="refine", strength=0.5))
    assert type(dive).__name__ == "Flux2KleinInpaintPipeline"
    assert torch.equal(dive.transformer.state_dict()[ASKED], published[ASKED])


def test_a_klein_of_another_size_is_asked_by_the_instruction_alone(
    kleins_lora: Path, tmp_path: Path
) -> None:
    assert kleins_lora.is_file()
    tiny_klein(heads=3).save_pretrained(tmp_path)
    settings = RenderSettings(prompt="a castle", model=str(tmp_path), steps=2)
    lines: list[str] = []
    with listening(lines.append):
        painter = DiffusionPainter(load(settings), settings)
    assert lines == [
        f"{KLEIN.lora} does not fit {tmp_path}, so only an instruction asks for borders"
    ]
    assert KLEIN.instruction in read(painter, wide_job())


def test_kleins_lora_that_cannot_be_had_is_named_before_the_model_is_read(
    families: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    settings = RenderSettings(prompt="a castle", model=str(families["klein"]), steps=2)
    repo = KLEIN.lora.rpartition("/")[0]
    with pytest.raises(PainterError, match=rf"^{repo} is not wholly on this disk and "):
        load(settings)
    load(settings.changed({"method": "refine"}))  # which does without


def test_klein_paints_versions_from_one_picture(make: Make) -> None:
    """Its edit pipeline looks at one picture for the whole batch."""
    painter = make("klein")
    with watched(pipeline_of(painter).vae.encoder) as seen:
        pictures = painter.paint_many([wide_job(seed=seed) for seed in (1, 2, 3)], ignore)
    assert [tuple(picture.shape) for picture in seen] == [(1, 3, SIDE, SIDE)]
    assert [picture.shape for picture in pictures if picture is not None] == [(SIDE, SIDE, 3)] * 3


@pytest.mark.parametrize("size", [(48, 96), (64, 528)])
def test_a_canvas_that_klein_does_not_edit_is_refused_in_one_line(
    make: Make, size: tuple[int, int]
) -> None:
    with pytest.raises(SettingsError, match=rf"^klein edits pictures .* not {size[1]}x{size[0]}$"):
        make("klein").paint(ring_job(ring(*size)), ignore)
    assert make("klein").paint(ring_job(ring(64, 512)), ignore).shape == (64, 512, 3)


def test_z_image_is_given_the_known_area_its_mask_and_nothing_to_follow(make: Make) -> None:
    painter = make("z-image", guidance_scale=0.0)
    pipeline = pipeline_of(painter)
    with watched(pipeline.vae.encoder) as pictures, calls(pipeline.controlnet) as seen:
        painter.paint(wide_job(), ignore)
    follow, around = pictures
    assert follow.unique().tolist() == [0]  # plain grey
    assert around.std() > 0.1
    assert {call["conditioning_scale"] for call in seen} == {0.75}
    assert len(seen) == 4
    with watched(pipeline.controlnet.control_all_x_embedder["2-1"]) as contexts:
        painter.paint(wide_job(), ignore)
    # Rows of patches of 2 x 2 cells with control latents, mask, and masked latents: 1 is known.
    patches = contexts[0][: (SIDE // 16) ** 2].reshape(SIDE // 16, SIDE // 16, 4, 9)
    known = patches[..., 4].amin(-1)
    assert torch.equal(known, patches[..., 4].amax(-1))
    assert torch.equal(known.bool(), torch.from_numpy(~wide_job().mask[::16, ::16]))


def test_weights_that_two_parts_share_are_counted_once(
    families: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Device, "has_room", lambda _, size: asked.append(size) or True)
    loaded = load(RenderSettings(prompt="a castle", model=str(families["z-image"])))
    parts = [part for part in loaded.pipeline.components.values() if isinstance(part, Module)]
    places = {t.data_ptr(): t.nbytes for part in parts for t in part.parameters()}
    assert asked == [sum(places.values()) + _WORKING_MEMORY]


def test_z_images_controlnet_is_off_for_a_first_picture_and_absent_in_a_dive(make: Make) -> None:
    painter = make("z-image")
    with calls(pipeline_of(painter).controlnet) as seen:
        painter.paint(first_job(), ignore)
    assert {call["conditioning_scale"] for call in seen} == {0.0}
    dive = make("z-image", method="refine", strength=0.5)
    assert type(pipeline_of(dive)).__name__ == "ZImageInpaintPipeline"
    assert "controlnet" not in pipeline_of(dive).components


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_promax_repaints_what_is_black(make: Make, strength: float) -> None:
    painter = make("sdxl-promax", guidance_scale=2.0)
    job = wide_job(strength=strength)
    with calls(pipeline_of(painter).controlnet) as seen:
        painter.paint(job, ignore)
    assert len(seen) == 4 * strength
    (picture,) = seen[0]["controlnet_cond"]
    expected = torch.from_numpy(np.where(job.mask[..., None], 0, job.canvas)).permute(2, 0, 1)
    torch.testing.assert_close(picture[0], expected / 255)
    assert torch.equal(picture[0], picture[1])  # with the prompt and without
    assert seen[0]["control_type"].tolist() == [[0, 0, 0, 0, 0, 0, 0, 1]] * 2
    assert seen[0]["control_type_idx"] == [7]
    assert seen[0]["conditioning_scale"] == [1.0]


def test_promax_is_off_for_a_first_picture_and_absent_in_a_dive(make: Make) -> None:
    painter = make("sdxl-promax", strength=0.5)
    with calls(pipeline_of(painter).controlnet) as seen:
        painter.paint(first_job(), ignore)
    assert {tuple(call["conditioning_scale"]) for call in seen} == {(0.0,)}
    dive = make("sdxl-promax", method="refine", strength=0.5)
    assert type(pipeline_of(dive)).__name__ == "StableDiffusionXLInpaintPipeline"
    assert "controlnet" not in pipeline_of(dive).components
    assert dive.paint(DIVE, ignore).std() > 5


@pytest.mark.parametrize("method", ["direct", "refine"])
def test_promax_is_not_told_that_it_was_not_trained_for_borders(
    families: dict[str, Path], caplog: pytest.LogCaptureFixture, method: Any
) -> None:
    model = str(families["sdxl-promax"])
    load(RenderSettings(prompt="a castle", model=model, scheduler="tcd", method=method))
    assert "4 channels" not in caplog.text


def test_who_chooses_an_experimental_model_is_told() -> None:
    for preset in PRESETS:
        notes = fill_in({"prompt": "a reef", "model": preset.name}).notes
        assert (f"{preset.name} is {EXPERIMENTAL}" in notes) == preset.experimental
    assert f"klein is {EXPERIMENTAL}" in fill_in({"prompt": "a reef", "model": "klein-4b"}).notes
