"""What watching costs: start to first paint, processor, bytes to the terminal, at 120×36.

Watches a render of 1280×720 keyframes with the texture painter and a scripted pace; a picture every
few seconds. Figures are of this machine; the ones to reach are in the project's issue: 1 s, 5 % of
a core, 20 KiB/s.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from renderer.painting.painters import OnStep, PaintJob, find
from renderer.settings.render import RenderSettings
from tests.cli.engines import OnMonitor, engine, make_project

SECONDS = 20.0


class Paced:
    """The texture painter, at the pace of a large model: 24 steps, ``model`` seconds."""

    def __init__(self, settings: RenderSettings) -> None:
        self._painter = find("texture")(settings)
        self._step = float(settings.model) / 24

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        for step in range(24):
            time.sleep(self._step)
            on_step(step + 1, 24)
        return self._painter.paint(job, lambda step, steps: None)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        folder = make_project(
            Path(home) / "reef.zoom",
            "tests.benchmarks.bench_interface:Paced",
            3,
            keyframe_size="1280x720",
            size="640x360",
            frames_per_keyframe=30,
        )
        with engine(folder):
            time.sleep(8)
            starts = [first_paint(folder) for _ in range(5)]
            print(f"start to first paint   {sorted(starts)[2]:.2f} s (median of 5)")
            for size in ((80, 24), (120, 36), (200, 60)):
                watch(folder, size)


def first_paint(folder: Path) -> float:
    began = time.monotonic()
    with OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        return time.monotonic() - began


def watch(folder: Path, size: tuple[int, int]) -> None:
    with OnMonitor(folder, size) as monitor:
        monitor.until("RENDERING")
        monitor.drain(3)
        process = psutil.Process(monitor.pid)
        before = sum(process.cpu_times()[:2])
        count = monitor.drain(SECONDS)
        spent = sum(process.cpu_times()[:2]) - before
        memory = process.memory_info().rss / 2**20
        print(
            f"watching at {size[0]}x{size[1]:<6} {100 * spent / SECONDS:.1f} % of a core, "
            f"{count / SECONDS / 1024:.1f} KiB/s, {memory:.0f} MiB"
        )


if __name__ == "__main__":
    main()
