"""Projects that the tests of the command line share, each rendered once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.interface.processes import QUICK, Answer, Running, painter, zoomtui


@pytest.fixture(scope="session", autouse=True)
def _usual_terminal() -> Iterator[None]:
    """What the caller's terminal is like makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TERM", "xterm-256color")
        yield


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A finished project of 3 keyframes and 9 frames, and what its render said."""
    where = tmp_path_factory.mktemp("rendered")
    answer = zoomtui("render", "a reef", *QUICK, "--out", "reef.zoom", cwd=where)
    assert answer.code == 0, answer
    return where / "reef.zoom", answer


@pytest.fixture
def finished(rendered: tuple[Path, Answer], tmp_path: Path) -> Path:
    """A copy of the finished project, to be changed or broken: reef.zoom in ``tmp_path``."""
    return shutil.copytree(rendered[0], tmp_path / "reef.zoom")


@pytest.fixture(scope="session")
def _killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("killed")
    options = (*painter("endless", 2), "--keyframes", "5")
    with Running("render", *options, "--out", "reef.zoom", cwd=where) as running:
        running.until("segment 1")
    return where / "reef.zoom"


@pytest.fixture
def killed(_killed: Path, tmp_path: Path) -> Path:
    """A copy of a project killed (SIGKILL) with 2 of 5 keyframes and 4 frames."""
    return shutil.copytree(_killed, tmp_path / "reef.zoom")


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
