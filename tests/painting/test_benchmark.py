"""The painter's benchmark on a tiny model, so that it can't rot; its figures are no test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from renderer.settings.speed_levels import LEVELS
from tests.benchmarks.architectures import (
    build_sd2,
    build_sdxl,
)
from tests.benchmarks.painter import main

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "painter.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )


@pytest.mark.soak
def test_the_benchmark_prints_a_line_for_everything_that_it_compares() -> None:
    done = run("--arch", "tiny", "--side", "96", "--steps", "10", "--repeat", "1")
    assert done.returncode == 0, done.stderr
    names = ["plain diffusers call", "denoiser and VAE alone"]
    names += [*(f"--speed {name}" for name in LEVELS), "deepcache", "few steps"]
    lines = done.stdout.splitlines()[2:]
    assert [line[:24].rstrip() for line in lines] == names
    for line in lines[2:]:
        assert float(line.rsplit(None, 1)[1].rstrip("%")) >= 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_full_size_figures_are_never_made_up_without_a_gpu(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--arch", "sdxl"]) == 1
    assert "no CUDA device here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("build", "unet", "vae"),
    [(build_sd2, 865_925_124, 83_653_863), (build_sdxl, 2_567_478_084, 83_653_863)],
)
def test_the_full_size_models_have_the_published_number_of_parameters(
    build: object, unet: int, vae: int
) -> None:
    """Of the inpainting models: 14,400 more in the UNet for the five channels more."""
    assert callable(build)
    pipeline = build(torch.device("meta"), torch.float16)
    for part, count in ((pipeline.unet, unet), (pipeline.vae, vae)):
        assert sum(tensor.numel() for tensor in part.parameters()) == count
