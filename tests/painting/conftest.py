"""What the tests of the diffusion painter share. Loads torch only for those that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tiny models are quickest on one thread, and tests beside these need the other cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny pipelines, saved: ``sd``, ``sd4`` (4 channels in) and ``sdxl``. Only read them."""
    from tests.painting.tiny import tiny_sd, tiny_sdxl

    root = tmp_path_factory.mktemp("models")
    tiny_sd().save_pretrained(root / "sd")
    tiny_sd(channels=4).save_pretrained(root / "sd4")
    tiny_sdxl().save_pretrained(root / "sdxl")
    return {name: root / name for name in ("sd", "sd4", "sdxl")}
