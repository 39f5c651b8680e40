"""A long film takes no more of anything at its end than at its beginning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean

import pytest

from renderer.project.status import read_status
from tests.engine.runs import ROOT, project

EACH = 50
"""Frames of an interval."""
WORKERS = 2
MOST_THREADS = 3 + 3 * WORKERS
"""Main, painter and film; for each worker one that makes frames and two that encode or compress."""
Reading = dict[str, float]


def measure(folder: Path, *, frames: int) -> list[Reading]:
    """Render a film of so many frames in a process of its own; see ``measured.py``."""
    project(folder, keyframes=frames // EACH + 1, frames_per_keyframe=EACH, workers=WORKERS)
    process = subprocess.run(
        [sys.executable, "-m", "tests.engine.measured", folder],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads are not the engine's
        stdout=subprocess.PIPE,
        check=True,
    )
    assert read_status(folder).frames == frames + 1
    readings: list[Reading] = json.loads(process.stdout)
    return readings


def told(reading: Reading, before: Reading) -> str:
    """One line of the soak's figures, of the segments between two readings."""
    segments = reading["segment"] - before["segment"]
    cpu = 1000 * (reading["cpu"] - before["cpu"]) / segments
    journal = (reading["journal"] - before["journal"]) / segments
    return (
        f"segment {reading['segment']:5.0f}: {reading['rss'] / 2**20:6.1f} MiB, "
        f"{reading['threads']:.0f} threads, {reading['files']:.0f} files, "
        f"{cpu:5.1f} ms of processor and {journal:4.0f} bytes of journal a segment"
    )


@pytest.mark.soak
@pytest.mark.parametrize("frames", [20_000, 250_000])
def test_a_long_film_takes_no_more_at_its_end(tmp_path: Path, frames: int) -> None:
    readings = measure(tmp_path / "a.zoom", frames=frames)
    tenth = len(readings) // 10
    for before, after in zip(readings[::tenth], readings[tenth::tenth], strict=False):
        sys.stdout.write(told(after, before) + "\n")
    early, late = readings[tenth : 3 * tenth], readings[-2 * tenth : -1]
    rss = [mean(reading["rss"] for reading in part) for part in (early, late)]
    assert rss[1] / rss[0] <= 1.05, f"{rss[1]:,.0f} bytes against {rss[0]:,.0f}"
    assert max(reading["threads"] for reading in readings) <= MOST_THREADS
    assert {reading["files"] for reading in late} <= {reading["files"] for reading in early}
    journal = [
        (part[-1]["journal"] - part[0]["journal"]) / (part[-1]["segment"] - part[0]["segment"])
        for part in (early, late)
    ]
    assert journal[1] / journal[0] <= 1.05  # its numbers have more digits
