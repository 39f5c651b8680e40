"""The diffusion painter on a real CUDA device; run with ``pytest -m gpu``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from renderer.errors import Cancelled
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.device import choose
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.settings import RenderSettings
from tests.painting.tiny import tiny_sd, tiny_sdxl

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]


@pytest.fixture(params=["sd", "sdxl"])
def painter(request: pytest.FixtureRequest, tmp_path: Path) -> DiffusionPainter:
    pipeline = tiny_sd() if request.param == "sd" else tiny_sdxl()
    pipeline.save_pretrained(tmp_path)
    settings = RenderSettings(prompt="a castle", model=str(tmp_path), steps=4, scheduler="dpm++")
    return DiffusionPainter(load(settings), settings)


def job(seed: int = 1) -> PaintJob:
    mask = np.ones((96, 128), dtype=bool)
    mask[16:80, 16:112] = False
    canvas = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    return PaintJob(canvas, mask, "a castle", "blurry", seed, keyframe=1)


def ignore(done: int, total: int) -> None:
    """An on_step that does nothing."""


def cancel(done: int, total: int) -> None:
    raise Cancelled


def test_paints_in_half_precision_and_is_the_same_for_the_same_seed(
    painter: DiffusionPainter,
) -> None:
    assert choose().half
    first, second, other = (painter.paint(job(seed), ignore) for seed in (1, 1, 2))
    assert first.std() > 5
    assert np.array_equal(first, second)
    assert np.any(first != other)


def test_parts_that_take_turns_on_the_device_paint_the_same(painter: DiffusionPainter) -> None:
    """As on a GPU that is too small for the whole model; also after a cancel."""
    expected = painter.paint(job(), ignore)
    painter._pipeline.enable_model_cpu_offload()
    with pytest.raises(Cancelled):
        painter.paint(job(), cancel)
    assert painter._pipeline.unet.device.type == "cpu"
    assert np.array_equal(painter.paint(job(), ignore), expected)
