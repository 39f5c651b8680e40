"""The folder that is shipped: small enough, in small files, and an ordinary pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline

from renderer.settings import cosmos
from tests.training.models import save_untrained
from training.models import FULL, PADDING, TINY

MIB = 2**20


def test_the_full_model_is_small_enough_to_ship(tmp_path: Path) -> None:
    folder = save_untrained(FULL, tmp_path / "cosmos")
    sizes = [file.stat().st_size for file in folder.rglob("*.safetensors")]
    assert sum(sizes) <= 60e6
    assert max(sizes) <= 15 * MIB


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_untrained(TINY, tmp_path_factory.mktemp("models") / "cosmos")


def test_diffusers_loads_it_with_the_scheduler_that_it_was_trained_for(tiny: Path) -> None:
    pipeline = StableDiffusionInpaintPipeline.from_pretrained(
        tiny, dtype=torch.float32, safety_checker=None, local_files_only=True
    )
    config = pipeline.scheduler.config
    assert config.prediction_type == "v_prediction"
    assert config.timestep_spacing == "trailing"
    assert config.rescale_betas_zero_snr
    assert pipeline.unet.config.in_channels == 9
    assert pipeline.vae_scale_factor == 8
    assert pipeline.text_encoder.config.eos_token_id == pipeline.tokenizer.eos_token_id
    assert pipeline.text_encoder.config.vocab_size == len(pipeline.tokenizer)


def test_the_card_is_what_the_product_reads(tiny: Path) -> None:
    written = json.loads((tiny / cosmos.CARD).read_text(encoding="utf-8"))
    card = cosmos.read_card(tiny)
    assert card is not None
    assert (card.steps, card.guidance_scale) == (written["steps"], written["guidance_scale"])
    assert card.padding == PADDING
    assert card.size == sum(file.stat().st_size for file in tiny.rglob("*.safetensors"))


def test_everybody_may_read_the_weights(tiny: Path) -> None:
    assert all(file.stat().st_mode & 0o444 == 0o444 for file in tiny.rglob("*.safetensors"))
