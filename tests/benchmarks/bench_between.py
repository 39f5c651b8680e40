"""What lies between two calls of a painter, in its parts, next to a call measured in the same run.

The call is one of the model of our own, where the package has no weights with random ones of the
same size: time does not depend on them. What is joined is a true view, spoilt as by an autoencoder.
On one core: OMP_NUM_THREADS=1 taskset -c 3 …
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from renderer.painting import colour_match
from renderer.painting.colour_match import Joining, Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import outpaint, picture_of
from renderer.painting.painters import OnStep, PaintJob, find
from renderer.settings import cosmos
from renderer.settings.render import RenderSettings
from tests.benchmarks.bench_cosmos import settings_for
from tests.training.models import save_untrained
from tests.worlds import Scene
from training.models import FULL

REPEATS, CALLS = 50, 3
FAST = 0.6
"""Seconds of a call that is to be reckoned with on a fast GPU."""
SETTINGS = RenderSettings(
    keyframe_size=(512, 512), zoom_factor=1.5, size_multiple=8, overmask=8, steps=8
)


@dataclass
class Ready:
    """Gives back what is there already, and remembers what it was asked for last."""

    answer: NDArray[np.uint8]
    job: PaintJob | None = None

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        self.job = job
        return self.answer


def median(once: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds; the first time is warm-up."""
    seconds = []
    for _ in range(1 + repeats):
        began = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def ignore(done: int, total: int) -> None:
    """Progress."""


def between() -> tuple[dict[str, float], PaintJob]:
    """Seconds of each part and of the whole, and a job as the painter got it."""
    geometry = Geometry.of(SETTINGS)
    (growth,), known = geometry.direct, geometry.known
    truth = Scene(1).view(1, geometry.canvas_size)
    grain = np.random.default_rng(1).normal(0, 1.5, truth.shape)
    spoilt = np.clip(np.rint(0.97 * truth + 4 + grain), 0, 255).astype(np.uint8)
    picture = truth[known.rows, known.columns].copy()
    painter, reference = Ready(spoilt), Reference.of(picture)
    how = Joining(inner=growth.inside(SETTINGS.overmask, SETTINGS.size_multiple))

    def keyframe() -> None:
        done = outpaint(painter, picture, SETTINGS, keyframe=1, reference=reference, on_step=ignore)
        picture_of(done.canvas, SETTINGS)

    def figures() -> tuple[float, float]:
        return colour_match.seam(truth, known), colour_match.drift(truth, reference)

    parts = {
        "colour fit and join": median(
            lambda: colour_match.match(spoilt, picture, known, reference, how)
        ),
        "next picture": median(lambda: picture_of(truth, SETTINGS)),
        "seam and drift figures": median(figures),
    }
    whole = median(keyframe)
    parts["canvas, mask, job"] = whole - sum(parts.values())
    assert painter.job is not None
    return {**parts, "between two calls": whole}, painter.job


def call(job: PaintJob, folder: Path) -> float:
    """Seconds of one call of the model in ``folder``."""
    card = cosmos.read_card()
    steps, guidance = (card.steps, card.guidance_scale) if card else (SETTINGS.steps, 1.0)
    settings = settings_for(folder, steps=steps, guidance_scale=guidance)
    painter = find("diffusion")(settings)
    prompted = replace(job, prompt=settings.prompt)
    return median(lambda: painter.paint(prompted, ignore), CALLS)


def main() -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    print(f"512x512 to 768x768, direct, overmask {SETTINGS.overmask}; medians of {REPEATS}")
    seconds, job = between()
    for name, spent in seconds.items():
        print(f"  {name:28}{1000 * spent:7.1f} ms")
    whole = seconds["between two calls"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = cosmos.FOLDER
        if cosmos.read_card() is None:
            folder = Path(temporary) / "cosmos"
            save_untrained(FULL, folder)
        measured = call(job, folder)
    print(f"  a call of cosmos took {measured:.2f} s: {whole / (whole + measured):.2%} idle")
    print(f"  a call of {FAST} s would be: {whole / (whole + FAST):.1%} idle")


if __name__ == "__main__":
    main()
