"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that one can name by mistake."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "text.png").write_text("no picture")
    whole = folder / "whole.png"
    Image.effect_noise((200, 200), 50).save(whole)
    (folder / "torn.png").write_bytes(whole.read_bytes()[:5000])
    Image.new("RGB", (40, 300)).save(folder / "tiny.png")
    (folder / "afile").touch()
    (folder / "full").mkdir()
    (folder / "full" / "something").touch()
    return folder
