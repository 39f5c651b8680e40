"""The diffusion painter on a real CUDA device; run with ``pytest -m gpu``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from renderer.errors import Cancelled
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.device import choose
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import RUNGS
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.settings.render import RenderSettings
from renderer.settings.speed_levels import LEVELS
from tests.painting.jobs import ignore, ring, ring_job
from tests.painting.tiny import tiny_sd, tiny_sdxl
from tests.painting.tiny_families import FAMILIES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
    # Torch's code generator uses a part of torch that torch has deprecated, and warns of complex
    # numbers, which Z-Image and Qwen-Image turn their positions into, that eager code does them.
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation:UserWarning"),
]


@pytest.fixture(autouse=True)
def _graphs_are_used() -> Iterator[None]:
    """Torch leaves CUDA graphs out without a word where it can't make them."""
    counters.clear()
    yield
    assert counters["inductor"]["cudagraph_skips"] == 0


@pytest.fixture(params=["sd", "sdxl"])
def painter(request: pytest.FixtureRequest, tmp_path: Path) -> DiffusionPainter:
    pipeline = tiny_sd() if request.param == "sd" else tiny_sdxl()
    pipeline.save_pretrained(tmp_path)
    settings = RenderSettings(prompt="a castle", model=str(tmp_path), steps=4, scheduler="dpm++")
    return DiffusionPainter(load(settings), settings)


def job(seed: int = 1) -> PaintJob:
    return ring_job(ring(96, 128), negative="blurry", seed=seed, keyframe=1)


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
    painter.caller.pipeline.enable_model_cpu_offload()
    with pytest.raises(Cancelled):
        painter.paint(job(), cancel)
    assert painter.caller.pipeline.unet.device.type == "cpu"
    assert np.array_equal(painter.paint(job(), ignore), expected)


def test_every_rung_of_a_full_memory_paints_about_the_same(painter: DiffusionPainter) -> None:
    """The last one as well, where layers take turns on the GPU."""
    expected = painter.paint(job(), ignore).astype(int)
    left = [0]

    def full(*_: object) -> None:
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")

    painter.caller.pipeline.vae.decoder.register_forward_hook(full)
    left[0] = 1
    painter.paint(job(), ignore)  # compiled no more
    for taken in range(1, 1 + len(RUNGS)):
        left[0] = 1
        picture = painter.paint(job(), ignore).astype(int)
        assert painter.caller.rungs == tuple(rung.name for rung in RUNGS[:taken])
        assert abs(picture - expected).mean() < 10


@pytest.mark.parametrize("speed", list(LEVELS))
@pytest.mark.parametrize("method", ["direct", "sequential"])
def test_every_level_paints_the_same_for_the_same_seed(
    tmp_path: Path, speed: str, method: str
) -> None:
    tiny_sd().save_pretrained(tmp_path)
    plain = RenderSettings(prompt="a castle", model=str(tmp_path), steps=10, scheduler="dpm++")
    settings = plain.changed({"speed": speed, "method": method})
    lines: list[str] = []
    with listening(lines.append):
        painter = DiffusionPainter(load(settings), settings)
        first, second = (painter.paint(job(), ignore) for _ in range(2))
    assert np.array_equal(first, second)
    assert len(lines) == 1  # it warmed up, and nothing fell back to eager
    assert lines[0].startswith("warming up")


@pytest.mark.parametrize("speed", ["quality", "balanced"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_kind_of_pipeline_paints_the_same_for_the_same_seed(
    families: dict[str, Path], name: str, speed: str
) -> None:
    """In half precision, compiled where it can be, and with its parts taking turns."""
    model = str(families[name])
    plain = RenderSettings(prompt="a castle", model=model, steps=4, guidance_scale=2.0)
    settings = plain.changed({"speed": speed})
    lines: list[str] = []
    with listening(lines.append):
        painter = DiffusionPainter(load(settings), settings)
        first, second = (painter.paint(large_job(), ignore) for _ in range(2))
        assert first.std() > 5
        assert np.array_equal(first, second)
        with pytest.raises(Cancelled):
            painter.paint(large_job(), cancel)
    assert all(line.startswith("warming up") for line in lines)  # nothing fell back to eager
    moved = load(settings)
    moved.pipeline.enable_model_cpu_offload()
    again = DiffusionPainter(moved, settings).paint(large_job(), ignore)
    assert np.abs(again.astype(int) - first).mean() < 10


def large_job() -> PaintJob:
    """Of a size that every kind of pipeline can do."""
    mask = np.ones((128, 192), dtype=bool)
    mask[32:96, 32:160] = False
    canvas = np.random.default_rng(0).integers(0, 256, (128, 192, 3), dtype=np.uint8)
    return PaintJob(canvas, mask, "a castle", "blurry", seed=1, keyframe=1)
