"""A long film takes no more memory, threads or open files than a short one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from renderer.project.status import read_status
from tests.engine.runs import ROOT, project

SHORT, LONG = 500, 20_000


def measure(folder: Path, *, frames: int) -> dict[str, Any]:
    """Render a film of so many frames in a process of its own; see ``measured.py``."""
    project(folder, keyframes=frames // 50 + 1, frames_per_keyframe=50)
    process = subprocess.run(
        [sys.executable, "-m", "tests.engine.measured", folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert read_status(folder).frames == frames + 1
    result: dict[str, Any] = json.loads(process.stdout)
    return result


@pytest.mark.soak
def test_twenty_thousand_frames_take_no_more_memory_than_five_hundred(tmp_path: Path) -> None:
    short = min(measure(tmp_path / f"{n}.zoom", frames=SHORT)["peak"] for n in range(2))
    long = measure(tmp_path / "long.zoom", frames=LONG)
    assert long["peak"] / short <= 1.05, f"{long['peak']} KiB against {short} KiB"
    assert long["first"] == long["last"]
