"""What the tests of terminals share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import RealTmux


@pytest.fixture
def tmux(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RealTmux]:
    outer, options = request.param
    server = RealTmux(tmp_path, outer, options)
    yield server
    server.close()
