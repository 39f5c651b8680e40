"""The model of our own: not offered while it is untrained, offered and found once it is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import SettingsError
from renderer.painting.painters import cosmos
from renderer.painting.painters.models import check_model, find_preset

ROOT = Path(__file__).parents[2]
SHIPPED = cosmos.read_card() is not None


@pytest.mark.skipif(SHIPPED, reason="this package has the weights")
def test_untrained_it_is_no_preset_and_asking_for_it_says_what_to_do() -> None:
    assert find_preset("cosmos") is None
    with pytest.raises(SettingsError) as caught:
        check_model("Cosmos")
    assert str(caught.value) == cosmos.MISSING
    assert "training/README.md" in cosmos.MISSING
    assert "\n" not in cosmos.MISSING


def test_no_name_is_no_preset() -> None:
    assert find_preset("") is None


@pytest.fixture(scope="module")
def package(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package that has a (tiny) model in the place of the real one."""
    root = tmp_path_factory.mktemp("package")
    for name in ("renderer", "zoomtui"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    place = root / cosmos.FOLDER.relative_to(ROOT)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folders["sd"], place)
    card = {"steps": 7, "guidance_scale": 1.0, "licence": "CC BY 4.0"}
    (place / cosmos.CARD).write_text(json.dumps(card), encoding="utf-8")
    return root


def ran(package: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_once_it_is_there_it_is_listed_with_its_licence_and_size(package: Path) -> None:
    listed = ran(package, "-m", "zoomtui", "models")
    lines = listed[listed.index("cosmos") :].splitlines()[:5]
    assert [line.strip() for line in lines[2:4]] == ["part of this package", "licence CC BY 4.0"]
    assert lines[4].strip().startswith("weights 6 MB")


def test_its_preset_fills_in_what_suits_it(package: Path) -> None:
    code = """if True:
        from renderer.defaults import fill_in
        s = fill_in({"model": "cosmos", "prompt": "crimson nebula"}).settings
        print(s.painter, s.steps, s.guidance_scale, s.keyframe_size, s.scheduler == "")
    """
    assert ran(package, "-c", code).strip() == "diffusion 7 1.0 (512, 512) True"


def test_it_is_loaded_from_the_package_without_the_hub(package: Path) -> None:
    code = """if True:
        from renderer.painting.painters.diffusion.hub import locate
        print(locate("cosmos", half=False))
    """
    found = Path(ran(package, "-c", code).strip())
    assert found == package / cosmos.FOLDER.relative_to(ROOT)


@pytest.mark.parametrize("name", ["ddim", "euler", "dpm++", "unipc", "lcm", "tcd"])
def test_another_sampler_keeps_its_noise_schedule(name: str) -> None:
    """What ``loading`` does when a scheduler is named, on the scheduler that training saves."""
    import diffusers

    from renderer.painting.painters.schedulers import find_sampler
    from training.models import build_scheduler

    sampler = find_sampler(name)
    made: Any = getattr(diffusers, sampler.class_name)
    config = made.from_config(build_scheduler().config, **sampler.options).config
    assert config.prediction_type == "v_prediction"
    assert config.timestep_spacing == "trailing"
    assert config.rescale_betas_zero_snr
