"""The model of our own: offered with what suits it, found without a hub, painting what it is asked.

A package without its weights says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.painting.painters import find
from renderer.painting.painters.diffusion.hub import locate
from renderer.planning.defaults import fill_in
from renderer.settings import cosmos
from renderer.settings.presets import find_preset
from renderer.settings.render import RenderSettings
from tests.cli.processes import zoomtui
from training.sample import Painted, keyframes

ROOT = Path(__file__).parents[2]


def wished(prompt: str) -> RenderSettings:
    return fill_in({"model": "cosmos", "prompt": prompt, "seed": 3}).settings


def test_it_is_listed_with_its_licence_and_size(tmp_path: Path) -> None:
    listed = zoomtui("models", cwd=tmp_path).out
    lines = listed[listed.index("\ncosmos\n") + 1 :].splitlines()[:5]
    assert [line.strip() for line in lines[2:4]] == ["part of this package", "licence CC BY 4.0"]
    card = cosmos.read_card()
    assert card is not None
    assert lines[4].strip().startswith(f"weights {card.size / 1e6:.0f} MB")
    assert card.size < 60e6


def test_its_preset_fills_in_what_suits_it() -> None:
    card, settings = cosmos.read_card(), wished("crimson nebula")
    assert card is not None
    assert (settings.painter, settings.scheduler) == ("diffusion", "")
    assert (settings.steps, settings.guidance_scale) == (card.steps, card.guidance_scale)
    assert settings.keyframe_size == (512, 512)


def test_it_is_loaded_from_the_package_without_the_hub() -> None:
    assert Path(locate("cosmos", half=False)) == cosmos.FOLDER


def test_the_credits_that_its_licence_asks_for_lie_beside_it() -> None:
    assert (cosmos.FOLDER / "PICTURES.md").read_bytes() == (
        ROOT / "training" / "PICTURES.md"
    ).read_bytes()


def painted(prompt: str) -> tuple[NDArray[np.uint8], Painted]:
    """A first picture, and the keyframe around it."""
    settings = wished(prompt)
    first, around = keyframes(find(settings.painter)(settings), settings, 2)
    return first.canvas, around


@pytest.fixture(scope="module")
def red() -> tuple[NDArray[np.uint8], Painted]:
    return painted("crimson nebula")


@pytest.fixture(scope="module")
def blue() -> tuple[NDArray[np.uint8], Painted]:
    return painted("blue nebula, glowing")


@pytest.mark.soak
def test_a_prompt_decides_the_colour(
    red: tuple[NDArray[np.uint8], Painted], blue: tuple[NDArray[np.uint8], Painted]
) -> None:
    reds, _, blues = red[0].mean((0, 1))
    assert reds > 1.5 * blues
    reds, _, blues = blue[0].mean((0, 1))
    assert blues > 1.25 * reds


@pytest.mark.soak
def test_a_border_goes_on_from_the_picture(red: tuple[NDArray[np.uint8], Painted]) -> None:
    picture, done = red
    border = np.ones(done.canvas.shape[:2], np.bool_)
    inside = slice(128, 128 + 512)
    border[inside, inside] = False
    assert np.array_equal(done.canvas[inside, inside], picture)
    assert done.canvas[border].std() > 8  # clouds and stars, not one colour
    assert done.seam is not None
    assert done.seam < 1.6
    reds, _, blues = done.canvas[border].mean(0)
    assert reds > 1.25 * blues  # its red is a rose


def test_a_package_without_the_weights_says_so(tmp_path: Path) -> None:
    bare = shutil.ignore_patterns("__pycache__", cosmos.NAME)
    shutil.copytree(ROOT / "renderer", tmp_path / "renderer", ignore=bare)
    code = """if True:
        from renderer.errors import SettingsError
        from renderer.settings.presets import check_model, find_preset
        assert find_preset("cosmos") is None
        try:
            check_model("Cosmos")
        except SettingsError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == cosmos.MISSING + "\n"
    assert "\n" not in cosmos.MISSING
    assert "training/README.md" in cosmos.MISSING


def test_no_name_is_no_preset() -> None:
    assert find_preset("") is None


@pytest.mark.parametrize("name", ["ddim", "euler", "dpm++", "unipc", "lcm", "tcd"])
def test_another_sampler_keeps_its_noise_schedule(name: str) -> None:
    """What ``loading`` does when a scheduler is named, on the scheduler that training saves."""
    import diffusers

    from renderer.settings.samplers import find_sampler
    from training.models import build_scheduler

    sampler = find_sampler(name)
    made: Any = getattr(diffusers, sampler.class_name)
    config = made.from_config(build_scheduler().config, **sampler.options).config
    assert config.prediction_type == "v_prediction"
    assert config.timestep_spacing == "trailing"
    assert config.rescale_betas_zero_snr
