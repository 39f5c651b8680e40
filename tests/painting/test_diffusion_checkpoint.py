"""Models in one .safetensors file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters.diffusion.checkpoint import find_base_preset
from renderer.painting.painters.diffusion.device import choose
from renderer.painting.painters.diffusion.families.index import INDEX, read_family
from renderer.painting.painters.diffusion.hub import locate_configuration
from renderer.painting.painters.diffusion.loading import from_checkpoint, load
from renderer.planning.defaults import fill_in
from renderer.settings.presets import check_model, hub_source
from renderer.settings.render import RenderSettings
from tests.painting.checkpoint import save_checkpoint
from tests.painting.tiny import tiny_sd

UNET = "model.diffusion_model."
FIRST = f"{UNET}input_blocks.0.0.weight"
WORDS = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline's folder without its weights."""
    folder = tmp_path_factory.mktemp("model") / "sd"
    tiny_sd().save_pretrained(folder)
    for file in folder.rglob("*.safetensors"):
        file.unlink()
    return folder


def test_a_checkpoint_has_the_weights_that_were_saved(configuration: Path, tmp_path: Path) -> None:
    saved = tiny_sd()
    save_checkpoint(saved, tmp_path / "own.safetensors")
    family = read_family(configuration / INDEX, "own")
    loaded = from_checkpoint(tmp_path / "own.safetensors", configuration, family, choose())
    assert loaded.safety_checker is None
    for part in family.models:
        expected, found = (getattr(each, part).state_dict() for each in (saved, loaded))
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name].cpu()) for name in expected)


def header(tmp_path: Path, **shapes: Any) -> Path:
    file = tmp_path / "model.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, file)
    return file


WIDTHS = [(768, "sd15"), (1024, "sd2"), (2048, "sdxl")]


@pytest.mark.parametrize(("width", "base_preset"), WIDTHS)
def test_the_preset_that_is_built_alike_is_told_by_the_header(
    tmp_path: Path, width: int, base_preset: str
) -> None:
    assert (
        find_base_preset(header(tmp_path, **{FIRST: (4, 9, 3, 3), WORDS: (4, width)}))
        == base_preset
    )


@pytest.mark.parametrize(("width", "base_preset"), WIDTHS)
def test_a_checkpoint_gets_the_settings_of_the_preset_that_is_built_alike(
    tmp_path: Path, width: int, base_preset: str
) -> None:
    file = header(tmp_path, **{FIRST: (4, 9, 3, 3), WORDS: (4, width)})
    found, like = (
        fill_in({"prompt": "x", "painter": "diffusion", "model": model, "seed": 1}).settings
        for model in (str(file), base_preset)
    )
    assert found == like.changed({"model": str(file), "scheduler": ""})


@pytest.mark.parametrize(("width", "base_preset"), WIDTHS)
def test_a_checkpoint_that_is_told_no_mask_is_refused_with_what_there_is_instead(
    tmp_path: Path, width: int, base_preset: str
) -> None:
    file = header(tmp_path, **{FIRST: (4, 4, 3, 3), WORDS: (4, width)})
    with pytest.raises(PainterError) as told:
        load(RenderSettings(prompt="x", model=str(file)))
    folders = ", or this one as a folder or hub id"
    assert str(told.value) == (
        f"{file} is a text-to-image checkpoint or the like (4 channels go in, not 9); an "
        f"inpainting one is needed, e.g. the model {base_preset}{folders * (width == 2048)}"
    )


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        (
            {"lora_unet_x.lora_down.weight": (4, 4)},
            "a LoRA, not a model; give it with --lora, and an inpainting model with --model",
        ),
        (
            {"double_blocks.0.img_attn.qkv.weight": (4, 4)},
            "no checkpoint of Stable Diffusion 1.5, 2 or XL; give the model's folder or hub id "
            "instead",
        ),
    ],
)
def test_a_file_of_another_kind_is_one_line(
    tmp_path: Path, shapes: dict[str, Any], what: str
) -> None:
    file = header(tmp_path, **shapes)
    settings = RenderSettings(prompt="x", model=str(file))
    with pytest.raises(PainterError, match=f"^{re.escape(f'{file} is {what}')}$"):
        load(settings)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    file = header(tmp_path, **{FIRST: (4, 9, 3, 3)})
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(PainterError, match=rf"^{file} is damaged \([^\n]+\); download it again$"):
        load(RenderSettings(prompt="x", model=str(file)))


def test_the_configuration_comes_from_the_cache_without_network(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cache filled as a download fills it."""
    repo, revision = hub_source("sd15")
    snapshot = tmp_path / f"models--{repo.replace('/', '--')}" / "snapshots" / revision
    shutil.copytree(configuration, snapshot)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert locate_configuration("sd15") == snapshot


def test_files_are_checked_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"^model none\.safetensors: there is no such file$"):
        check_model("none.safetensors")
    with pytest.raises(
        SettingsError,
        match=r"^model old\.ckpt is pickled, so it is not opened: that may run code; convert it to "
        r"safetensors$",
    ):
        check_model("old.ckpt")
    header(tmp_path, **{FIRST: (4, 9, 3, 3), WORDS: (4, 1024)})
    check_model("model.safetensors")
    plan = fill_in({"prompt": "x", "painter": "diffusion", "model": "model.safetensors"})
    assert plan.settings.model == str(tmp_path / "model.safetensors")
