"""What is done to every kind of pipeline beyond painting: put together, sped up, shrunk, styled."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    KandinskyV22InpaintPipeline,
    QwenImagePipeline,
    StableDiffusionXLPipeline,
    ZImagePipeline,
)
from huggingface_hub import constants

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.families.index import FAMILIES as BY_CLASS
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import QUANTISED, RUNGS, Rung
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.settings.render import RenderSettings
from tests.marks import slower
from tests.painting import hub_cache
from tests.painting.jobs import ignore, pipeline_of, watched
from tests.painting.kinds import GUIDED, KINDS, first_job, wide_job
from tests.painting.tiny_families import build, save_lora

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
# Torch's code generator uses a part of torch that torch has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

SLOWLY_TRACED = ["klein", "z-image", "qwen"]
TILES = RUNGS[0].name

Make = Callable[..., DiffusionPainter]


@pytest.fixture
def make(families: dict[str, Path]) -> Make:
    """A painter of its own, which a test may change."""

    def made(name: str, **more: Any) -> DiffusionPainter:
        values: dict[str, Any] = {"steps": 3, "guidance_scale": GUIDED.get(name, 1.0), **more}
        values.setdefault("model", str(families[name]))
        settings = RenderSettings(prompt="a castle", **values)
        return DiffusionPainter(load(settings), settings)

    return made


@pytest.fixture
def same(kept: Make) -> Make:
    """The same painter each time, for tests that don't change it."""

    def made(name: str, **more: Any) -> DiffusionPainter:
        return kept(name, **{"steps": 3, "guidance_scale": GUIDED.get(name, 1.0), **more})

    return made


def denoiser_of(painter: DiffusionPainter) -> torch.nn.Module:
    pipeline = pipeline_of(painter)
    found = pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
    assert isinstance(found, torch.nn.Module)
    return found


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """Puts a folder into the hub's cache as the newest of a repository."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(repo: str, folder: Path) -> None:
        hub_cache.put(tmp_path / "cache", repo, folder)

    return put


ALONE: dict[str, Any] = {
    "qwen": QwenImagePipeline,
    "sdxl-promax": StableDiffusionXLPipeline,
    "z-image": ZImagePipeline,
}
"""Kind → the pipeline that it is published as, without its ControlNet."""


def published(name: str, folder: Path) -> tuple[Path, Path]:
    """(the model, its companion) of a pipeline that is published in two repositories."""
    pipeline = build(name)
    model, companion = folder / "model", folder / "companion"
    if name in ALONE:
        parts = {key: part for key, part in pipeline.components.items() if key != "controlnet"}
        ALONE[name](**parts).save_pretrained(model)
        pipeline.controlnet.save_pretrained(companion)
    else:
        decoder = KandinskyV22InpaintPipeline(pipeline.unet, pipeline.scheduler, pipeline.movq)
        decoder.save_pretrained(model)
        pipeline.prior_pipe.save_pretrained(companion)
    return model, companion


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("qwen", "QwenImagePipeline"),
        ("kandinsky", "KandinskyV22InpaintPipeline"),
        ("sdxl-promax", "StableDiffusionXLPipeline"),
        ("z-image", "ZImagePipeline"),
    ],
)
def test_a_model_published_in_two_repositories_paints_as_the_whole(
    make: Make,
    same: Make,
    cache: Callable[[str, Path], None],
    tmp_path: Path,
    name: str,
    class_name: str,
) -> None:
    model, folder = published(name, tmp_path)
    companion = BY_CLASS[class_name].companion
    assert companion is not None
    with pytest.raises(PainterError, match=rf"^{companion.repo} is not wholly on this disk and "):
        make(name, model=str(model))
    if companion.file:
        shutil.copytree(folder, tmp_path / "config", ignore=shutil.ignore_patterns("*.safetensors"))
        cache(companion.configuration, tmp_path / "config")
        (folder / "diffusion_pytorch_model.safetensors").rename(folder / companion.file)
    cache(companion.repo, folder)
    whole = same(name).paint(wide_job(), ignore)
    assert np.array_equal(make(name, model=str(model)).paint(wide_job(), ignore), whole)


@pytest.mark.parametrize("speed", ["quality", "balanced"])
@pytest.mark.parametrize(
    "name", ["z-image", *slower(["klein-base", "qwen", "kandinsky", "sdxl-promax"])]
)
def test_guidance_is_left_out_at_the_end_where_the_pipeline_allows_it(
    same: Make, name: str, speed: str
) -> None:
    """Counted in pictures that go through the denoiser, whether in one batch or two calls."""
    painter = same(name, steps=10, speed=speed)
    with watched(denoiser_of(painter)) as seen:
        first = painter.paint(wide_job(), ignore)
    guided = 7 if speed == "balanced" and name not in {"qwen", "sdxl-promax"} else 10
    assert sum(len(pictures) for pictures in seen) == 2 * guided + (10 - guided)
    assert np.array_equal(painter.paint(wide_job(), ignore), first)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flux-fill", "sdxl-promax", *SLOWLY_TRACED])
def test_compiled_blocks_paint_the_same(make: Make, name: str) -> None:
    """With torch's tracer but not its code generator, which needs a compiler and minutes."""
    painter = make(name, steps=2)
    expected = painter.paint(wide_job(), ignore).astype(int)
    painter.caller.compile("blocks", backend="eager")
    lines: list[str] = []
    with listening(lines.append):
        assert np.abs(painter.paint(wide_job(), ignore).astype(int) - expected).max() <= 1
    assert len(lines) == 1
    assert lines[0].startswith("warming up")


@pytest.mark.slow
def test_resnets_are_compiled_where_nothing_else_is_repeated(make: Make) -> None:
    """As in Kandinsky's UNet, of which diffusers would compile nothing."""
    painter = make("kandinsky", steps=2)
    expected = painter.paint(wide_job(), ignore).astype(int)
    painter.caller.compile("blocks", backend="eager")
    lines: list[str] = []
    with listening(lines.append):
        assert np.abs(painter.paint(wide_job(), ignore) - expected).max() <= 1
    assert len(lines) == 1
    assert lines[0].startswith("warming up")


@pytest.mark.parametrize(("steps", "vae"), [(8, True), (25, False)])
@pytest.mark.parametrize("how", ["blocks", "whole"])
def test_the_vae_is_compiled_where_steps_are_few(
    folders: dict[str, Path], steps: int, vae: bool, how: Any
) -> None:
    settings = RenderSettings(prompt="a castle", model=str(folders["sd"]), steps=steps)
    painter = DiffusionPainter(load(settings), settings)

    def compiled(model: Any) -> set[str]:
        parts = (part for part in model.modules() if part._compiled_call_impl is not None)
        return {type(part).__name__ for part in parts}

    painter.caller.compile(how, backend="eager")
    blocks = {"BasicTransformerBlock", "ResnetBlock2D"} if how == "blocks" else set()
    assert compiled(pipeline_of(painter).unet) == blocks
    assert compiled(pipeline_of(painter).vae) == ({"ResnetBlock2D"} if vae else set())
    painter.caller._compiled.undo()  # type: ignore[union-attr]
    assert compiled(pipeline_of(painter).unet) == compiled(pipeline_of(painter).vae) == set()


@pytest.mark.parametrize("name", KINDS)
def test_the_ladder_has_the_rungs_that_help(make: Make, name: str) -> None:
    painter = make(name, steps=2)
    left = [1]

    def full(*_: object) -> None:
        if left and left.pop():
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = denoiser_of(painter).register_forward_hook(full)
    tiles = name != "kandinsky"  # its decoder knows none
    with nullcontext() if tiles else pytest.raises(PainterError, match="too little memory"):
        painter.paint(wide_job(), ignore)
    handle.remove()
    assert painter.caller.rungs == ((TILES,) if tiles else ())


@pytest.mark.parametrize("name", KINDS)
def test_what_is_moved_paints_the_same(make: Make, same: Make, name: str) -> None:
    """Rung after rung, with a CPU as the device to which weights are moved, but for the last."""
    painter = same(name)
    expected = [
        painter.paint(wide_job(prompt), ignore).astype(int) for prompt in ("a castle", "a reef")
    ]
    moved = make(name)
    for rung in [rung for rung in RUNGS if rung.moves and rung.name != QUANTISED][:-1]:
        rung.take(pipeline_of(moved), torch.device("cpu"))
        moved.caller._prompts._kept.clear()
        for prompt, picture in zip(("a castle", "a reef"), expected, strict=True):
            # Weights that lie elsewhere in memory may be summed up in another order.
            assert np.abs(moved.paint(wide_job(prompt), ignore) - picture).max() <= 1, rung.name


def test_parts_that_share_layers_come_apart_where_layers_take_turns(make: Make) -> None:
    """Z-Image's ControlNet uses some of the transformer's. Every later rung finds it so."""
    pipeline = pipeline_of(make("z-image"))
    assert pipeline.controlnet.x_pad_token is pipeline.transformer.x_pad_token
    RUNGS[-2].take(pipeline, torch.device("cpu"))
    assert pipeline.controlnet.x_pad_token is not pipeline.transformer.x_pad_token


@pytest.mark.parametrize(
    ("rung", "device", "mark"),
    [(RUNGS[-2], "cpu", "_diffusers_hook"), (RUNGS[-1], "meta", "_hf_hook")],
)
def test_a_part_whose_layers_reach_into_others_is_moved_as_a_whole(
    make: Make, rung: Rung, device: str, mark: str
) -> None:
    """Promax' ControlNet has attention of torch's own, which uses a layer without calling it."""
    pipeline = pipeline_of(make("sdxl-promax"))
    rung.take(pipeline, torch.device(device))

    def hooked_into(part: torch.nn.Module) -> bool:
        return any(hasattr(layer, mark) for layer in part.modules())

    assert hooked_into(pipeline.unet)
    assert not hooked_into(pipeline.controlnet)
    assert {tensor.device.type for tensor in pipeline.controlnet.parameters()} == {device}


@pytest.mark.parametrize("name", KINDS)
def test_versions_that_are_painted_together_are_those_painted_alone(same: Make, name: str) -> None:
    painter = same(name)
    for first in (False, True):
        jobs = [(first_job if first else wide_job)(seed=seed) for seed in (1, 2)]
        together = painter.paint_many(jobs, ignore)
        for picture, alone in zip(together, jobs, strict=True):
            assert picture is not None
            assert np.abs(picture.astype(int) - painter.paint(alone, ignore)).max() <= 1


@pytest.mark.parametrize("name", KINDS)
def test_one_prompt_turns_into_another_little_by_little(same: Make, name: str) -> None:
    painter = same(name)
    before, after = (
        painter.paint(wide_job(prompt), ignore) for prompt in ("a fox", "a stormy sea")
    )
    turning = replace(wide_job("a stormy sea"), earlier_prompt="a fox", blend=0.5)
    between = painter.paint(turning, ignore)
    assert np.any(between != before)
    assert np.any(between != after)
    turned = replace(turning, blend=1.0)
    assert np.abs(painter.paint(turned, ignore).astype(int) - after).mean() < 2


LAYERS = {
    "flux-fill": "transformer_blocks.0.attn.to_q",
    "klein": "transformer_blocks.0.attn.to_q",
    "z-image": "layers.0.attention.to_q",
    "qwen": "transformer_blocks.0.attn.to_q",
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_lora_changes_the_layer_of_the_transformer_that_it_names(
    make: Make, same: Make, tmp_path: Path, name: str
) -> None:
    file = save_lora(tmp_path, f"transformer.{LAYERS[name]}")
    plain, styled = same(name), make(name, loras=(f"{file}:0.5",))
    before, after = (denoiser_of(painter).state_dict() for painter in (plain, styled))
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    assert changed == [f"{LAYERS[name]}.weight"]
    torch.manual_seed(7)
    down, up = torch.randn(2, 32), torch.randn(32, 2)
    torch.testing.assert_close(after[changed[0]], before[changed[0]] + 0.5 * up @ down)
    assert np.any(styled.paint(wide_job(), ignore) != plain.paint(wide_job(), ignore))


def test_the_alpha_of_a_lora_for_flux_counts(make: Make, same: Make, tmp_path: Path) -> None:
    path = f"transformer.{LAYERS['flux-fill']}"
    before = denoiser_of(same("flux-fill")).state_dict()[f"{LAYERS['flux-fill']}.weight"]
    file = save_lora(tmp_path, path, alpha=torch.tensor(1.0))
    styled = make("flux-fill", loras=(str(file),))
    after = denoiser_of(styled).state_dict()[f"{LAYERS['flux-fill']}.weight"]
    torch.manual_seed(7)
    down, up = torch.randn(2, 32), torch.randn(32, 2)
    torch.testing.assert_close(after, before + up @ down / 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_a_lora_of_another_architecture_is_refused(
    make: Make, families: dict[str, Path], tmp_path: Path, name: str
) -> None:
    for file in (
        save_lora(tmp_path, f"transformer.{LAYERS[name]}", rows=64),
        save_lora(tmp_path, "unet.down_blocks.1.attentions.0.proj_in"),
    ):
        with pytest.raises(
            PainterError,
            match=rf"^lora {re.escape(str(file))} was made for another architecture than "
            rf"{families[name]}: [^\n]+$",
        ):
            make(name, loras=(str(file),))


def test_a_model_that_takes_no_lora_says_so(
    make: Make, families: dict[str, Path], tmp_path: Path
) -> None:
    file = save_lora(tmp_path, "unet.mid_block")
    with pytest.raises(
        PainterError, match=rf"^{families['kandinsky']} takes no LoRA; leave {file} out$"
    ):
        make("kandinsky", loras=(str(file),))
