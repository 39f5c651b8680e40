"""What training shows the UNet is what the product's painter shows it, by way of the pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor

from renderer.painting.painters import PaintJob, find
from tests.training.models import save_untrained
from training import save, unet
from training.bank import Batch, Filler
from training.clock import Phase
from training.masks import in_pixels
from training.models import TINY
from training.sample import settings_for
from training.tokens import encode

CPU = torch.device("cpu")
CAPTION = "crimson nebula, many stars"


def rings() -> NDArray[np.uint8]:
    """(64, 64, 3), the same whichever way it is turned or mirrored: banks turn what they show."""
    y, x = np.mgrid[:64, :64] - 31.5
    light = np.sin(np.abs(x) / 5) * np.sin(np.abs(y) / 5)
    return (light[..., None] * (90, 60, 30) + (128, 100, 80)).round().astype(np.uint8)


class Rings:
    """A source that shows nothing else."""

    def batch(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        picture = torch.from_numpy(rings()).permute(2, 0, 1)[None] / 127.5 - 1
        return picture.repeat(count, 1, 1, 1), [CAPTION] * count


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose encoder adds no noise, so that what it gives can be compared."""
    folder = save_untrained(TINY, tmp_path_factory.mktemp("models") / "cosmos")
    pipeline = load(folder)
    with torch.no_grad():
        pipeline.vae.quant_conv.weight[4:] = 0
        pipeline.vae.quant_conv.bias[4:] = -30
    save.write(pipeline, folder, {"steps": 8, "guidance_scale": 1.0, "licence": "none"})
    return folder


def load(folder: Path) -> Any:
    return StableDiffusionInpaintPipeline.from_pretrained(
        folder, dtype=torch.float32, safety_checker=None, local_files_only=True
    )


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> Any:
    return load(folder)


@pytest.fixture(scope="module")
def bank(pipeline: Any) -> Batch:
    return Filler(Rings(), pipeline.vae, pipeline.tokenizer, CPU).fill(40, Phase(0.0, 64, 4), 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["whole", "frame", "side"])
def test_the_unet_is_shown_in_use_what_it_was_shown_in_training(
    kind: str, folder: Path, pipeline: Any, bank: Batch
) -> None:
    plain = (bank.tokens == encode(pipeline.tokenizer, [CAPTION])).all(1)
    place = next(n for n in plain.nonzero().flatten().tolist() if of_kind(bank.mask[n, 0]) == kind)
    entry = bank.at(torch.tensor([place]))
    job = PaintJob(
        canvas=rings(),
        mask=in_pixels(entry.mask)[0, 0].numpy() > 0.5,
        prompt=CAPTION,
        negative_prompt="",
        seed=1,
        keyframe=1,
    )
    (latents, time, words), *_ = painted(folder, job)
    assert int(time) == 999
    assert torch.equal(latents[:, 4:5], entry.mask)
    assert torch.allclose(latents[:, 5:], entry.known, atol=1e-3)
    assert float(latents[:, :4].std()) == pytest.approx(1, abs=0.15)
    with torch.no_grad():
        told = pipeline.text_encoder(entry.tokens).last_hidden_state
    assert torch.allclose(words, told, atol=1e-4)


def test_nothing_but_noise_is_in_the_first_noisy_latents(folder: Path) -> None:
    black = PaintJob(np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), bool), CAPTION, "", 1, 0)
    white = PaintJob(np.full_like(black.canvas, 255), black.mask, CAPTION, "", 1, 0)
    (ours, _, _), *_ = painted(folder, black)
    (theirs, _, _), *_ = painted(folder, white)
    assert torch.equal(ours, theirs)


def test_guidance_is_against_the_words_that_stand_for_none(folder: Path, pipeline: Any) -> None:
    job = PaintJob(rings(), np.ones((64, 64), bool), CAPTION, "", 1, 0)
    (_, _, words), *_ = painted(folder, job, guidance_scale=unet.GUIDANCE)
    empty = Filler(Rings(), pipeline.vae, pipeline.tokenizer, CPU).empty
    with torch.no_grad():
        silent = pipeline.text_encoder(empty).last_hidden_state
    assert torch.allclose(words[:1], silent, atol=1e-4)


def of_kind(mask: Tensor) -> str:
    corners = mask[0, 0] + mask[0, -1] + mask[-1, 0] + mask[-1, -1]
    return "whole" if mask.all() else "frame" if corners == 4 else "side"


def painted(folder: Path, job: PaintJob, **more: Any) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Paint the job; what the UNet got in each step: latents, time step, words."""
    got: list[tuple[Tensor, Tensor, Tensor]] = []
    forward = UNet2DConditionModel.forward

    def heard(self: Any, latents: Tensor, time: Tensor, **named: Any) -> Any:
        got.append((latents, time, named["encoder_hidden_states"]))
        return forward(self, latents, time, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UNet2DConditionModel, "forward", heard)
        settings = replace(settings_for(folder, job.prompt, 1), **more)
        find("diffusion")(settings).paint(job, lambda *_: None)
    return got
