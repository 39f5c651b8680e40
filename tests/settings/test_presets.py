"""Presets, samplers and the guess at an accelerator: all of it without torch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from renderer.errors import SettingsError
from renderer.painting.geometry import Geometry
from renderer.painting.painters import accelerator
from renderer.painting.painters.diffusion.families.index import FAMILIES
from renderer.planning.defaults import fill_in
from renderer.settings.presets import (
    DEFAULT,
    PRESETS,
    check_model,
    find_preset,
    hub_source,
)
from renderer.settings.samplers import SCHEDULERS, find_sampler


def test_every_preset_that_was_looked_at_is_pinned_and_all_are_found_by_their_names() -> None:
    for preset in PRESETS:
        looked_at = preset.name in {"sd2", "sd15", "sdxl"}
        pinned = r"[0-9a-f]{40}" if looked_at else "main"
        assert preset.folder or re.fullmatch(pinned, preset.revision)
        assert preset.native % preset.multiple == preset.canvas % preset.multiple == 0
        assert not preset.scheduler or preset.scheduler in SCHEDULERS
        for name in filter(None, (preset.name, preset.repo, *preset.aliases)):
            assert find_preset(name) is preset
            assert find_preset(name.upper()) is preset
    names = [name for p in PRESETS for name in (p.name, p.repo, *p.aliases)]
    assert len(names) == len(set(names))


def test_every_kind_of_pipeline_has_a_preset_with_sizes_that_it_can_do() -> None:
    presets = {preset.name: preset for preset in PRESETS}
    for family in FAMILIES.values():
        preset = presets[family.base_preset]
        assert preset.multiple == family.multiple
        assert preset.unet == family.has_unet
        assert preset.strength == 1 or family.weighs_strength
        assert not preset.scheduler or not family.own_sampler
        for size in ("1280x720", "720x1280", "2560x1080", "512x512", "1920x1080", "640x480"):
            for rho in (1.1, 1.3, 1.5, 2.0, 3.0):
                wishes = {"prompt": "a reef", "model": preset.name, "zoom_factor": rho}
                for film in ({}, {"size": size}):
                    settings = fill_in({**wishes, **film}).settings
                    width, height = Geometry.of(settings).canvas_size
                    assert width % family.multiple == height % family.multiple == 0
                    assert family.area is None or width * height <= family.area


def test_the_default_is_sd2_from_the_mirror_and_the_old_id_leads_there() -> None:
    preset = find_preset(DEFAULT)
    assert preset is not None
    assert preset.repo == "sd2-community/stable-diffusion-2-inpainting"
    assert find_preset("stabilityai/stable-diffusion-2-inpainting") is preset
    assert hub_source("stabilityai/stable-diffusion-2-inpainting") == (
        preset.repo,
        preset.revision,
    )


def test_a_hub_id_may_name_a_revision() -> None:
    assert hub_source("me/model") == ("me/model", "main")
    assert hub_source("me/model@v2") == ("me/model", "v2")


def test_presets_folders_and_hub_ids_pass_the_check(tmp_path: Path) -> None:
    for model in ("sdxl", str(tmp_path), "me/model", "me/model@refs/pr/1"):
        check_model(model)


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("sdx", "unknown model 'sdx'; did you mean 'sdxl'? (or give a folder, or a hub id)"),
        ("./models/none", "model ./models/none: there is no such folder"),
        ("/none/at/all", "model /none/at/all: there is no such folder"),
        ("a/b/c", "model a/b/c: there is no such folder"),
        (
            "",
            "unknown model ''; known: "
            + ", ".join(sorted(preset.name for preset in PRESETS))
            + " (or give a folder, or a hub id)",
        ),
    ],
)
def test_a_model_that_can_be_nothing_is_refused_in_one_line(model: str, line: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}$"):
        check_model(model)


def test_samplers_are_found_in_the_spellings_people_use() -> None:
    assert find_sampler("Euler_A") is SCHEDULERS["euler-a"]


def test_an_unknown_scheduler_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"^unknown scheduler 'eulr'; did you mean 'euler'\?$"):
        find_sampler("eulr")


def test_an_nvidia_gpu_is_seen_by_its_driver(tmp_path: Path) -> None:
    assert accelerator.nvidia_gpu(tmp_path) is None
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    assert accelerator.nvidia_gpu(tmp_path) == "NVIDIA GPU"
    information = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t 24\n")
    assert accelerator.nvidia_gpu(tmp_path) == "NVIDIA H100 80GB HBM3"


def test_light_modules_load_no_heavy_library() -> None:
    """What the command line needs of the painters, the diffusion one included, is light."""
    code = """
import sys
from renderer.painting.painters import find
from renderer.painting.painters.accelerator import accelerator
from renderer.settings.presets import PRESETS
from renderer.settings.samplers import SCHEDULERS
assert callable(find("diffusion"))
print(accelerator() or "none")
heavy = {"torch", "diffusers", "transformers", "av", "huggingface_hub"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if sys.platform == "linux":
        assert done.stdout == "none\n"
