"""What the tests of the diffusion painter share. Loads torch only for those that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from renderer.painting.painters.diffusion.library_logs import prepare_environment
from renderer.settings.render import RenderSettings

prepare_environment()  # as the painter does before torch is loaded


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny pipelines, saved: ``sd``, ``sd4`` (4 channels in) and ``sdxl``. Only read them."""
    from tests.painting.tiny import tiny_sd, tiny_sdxl

    root = tmp_path_factory.mktemp("models")
    tiny_sd().save_pretrained(root / "sd")
    tiny_sd(channels=4).save_pretrained(root / "sd4")
    tiny_sdxl().save_pretrained(root / "sdxl")
    return {name: root / name for name in ("sd", "sd4", "sdxl")}


@pytest.fixture(scope="session")
def kleins_lora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A LoRA that fits the tiny klein, in a cache of the hub that holds nothing else."""
    from huggingface_hub import constants

    from renderer.painting.painters.diffusion.families.flux import KLEIN
    from tests.painting.hub_cache import put
    from tests.painting.tiny_families import save_lora

    root = tmp_path_factory.mktemp("hub")
    (root / "lora").mkdir()
    file = save_lora(root / "lora", "transformer.transformer_blocks.0.attn.to_k")
    repo, _, name = KLEIN.lora.rpartition("/")
    put(root / "cache", repo, file.rename(root / "lora" / name).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_CACHE", str(root / "cache"))
        yield root / "lora" / name


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory, kleins_lora: Path) -> dict[str, Path]:
    """Tiny pipelines of the kinds beyond Stable Diffusion, saved, by name. Only read them."""
    from tests.painting.tiny_families import FAMILIES, build

    assert kleins_lora.is_file()
    root = tmp_path_factory.mktemp("families")
    for name in FAMILIES:
        build(name).save_pretrained(root / name)
    return {name: root / name for name in FAMILIES}


@pytest.fixture(scope="session")
def kept(families: dict[str, Path]) -> Callable[..., Any]:
    """The painter of a kind with these settings, the same one each time: don't change it."""
    from renderer.painting.painters.diffusion.loading import load
    from renderer.painting.painters.diffusion.painter import DiffusionPainter

    made: dict[str, DiffusionPainter] = {}

    def painter(name: str, **more: Any) -> DiffusionPainter:
        settings = RenderSettings(prompt="a castle", model=str(families[name]), **more)
        if str(settings) not in made:
            made[str(settings)] = DiffusionPainter(load(settings), settings)
        return made[str(settings)]

    return painter
