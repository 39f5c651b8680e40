from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Answer
from tests.web.serving import Served, serving


@pytest.fixture(scope="package")
def served(
    rendered: tuple[Path, Answer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Path]]:
    """A server of one finished project, for those that only look, and that project."""
    home = tmp_path_factory.mktemp("served")
    folder = home / "reef.zoom"
    shutil.copytree(rendered[0], folder)
    with serving(folder, cwd=home) as server:
        yield server, folder
