"""A model whose card says so sees beyond a picture's rim what it was trained to see there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.conv_padding import set_padding
from renderer.painting.painters.diffusion.loading import Loaded, load
from renderer.planning.defaults import fill_in
from renderer.settings.cosmos import CARD
from tests.training.models import save_untrained
from training.models import TINY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_untrained(TINY, tmp_path / "model")


def loaded(folder: Path) -> Loaded:
    wishes = {"painter": "diffusion", "model": str(folder), "prompt": "stars", "scheduler": ""}
    return load(fill_in(wishes).settings)


def says(folder: Path, padding: str | None) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card.pop("padding")
    more = {} if padding is None else {"padding": padding}
    (folder / CARD).write_text(json.dumps({**card, **more}), encoding="utf-8")


def paddings(model: torch.nn.Module) -> set[str]:
    return {
        module.padding_mode
        for module in model.modules()
        if isinstance(module, torch.nn.Conv2d) and module.padding != (0, 0)
    }


def test_what_the_card_says_is_done_to_the_unet_alone(folder: Path) -> None:
    pipeline = loaded(folder).pipeline
    assert paddings(pipeline.unet) == {"replicate"}
    assert paddings(pipeline.vae) == {"zeros"}


@pytest.mark.parametrize("card", [True, False])
def test_without_a_word_it_stays_as_diffusers_builds_it(folder: Path, card: bool) -> None:
    if card:
        says(folder, None)
    else:
        (folder / CARD).unlink()
    assert paddings(loaded(folder).pipeline.unet) == {"zeros"}


def test_another_word_is_refused_in_one_line(folder: Path) -> None:
    says(folder, "mirrors")
    with pytest.raises(
        PainterError, match=r"can't be loaded: Invalid enum value 'mirrors' - at .*padding"
    ):
        loaded(folder)


@torch.no_grad()
def test_an_even_picture_stays_even_up_to_its_rim() -> None:
    torch.manual_seed(0)
    model = torch.nn.Conv2d(1, 1, 3, padding=1)
    even = torch.ones(1, 1, 8, 8)
    assert model(even).std() > 0.01
    set_padding(model, "replicate")
    assert model(even).std() < 1e-6
