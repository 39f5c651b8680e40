"""What the model of our own costs on a CPU, next to bare compute of its parts in the same run.

Where the package has no weights, the same sizes with random ones: time does not depend on them.
Threads are those that the process may use; for two cores: taskset -c 0,1 … bench_cosmos.py
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import outpaint
from renderer.painting.painters import find
from renderer.painting.painters.diffusion.loading import load
from renderer.planning.defaults import fill_in
from renderer.settings import cosmos
from renderer.settings.render import RenderSettings
from tests.training.models import save_untrained
from training import unet
from training.models import FULL

REPEATS = 3
PROMPT = "crimson nebula, many stars"
SIDE, CANVAS = 512, 768


def settings_for(folder: Path, **more: Any) -> RenderSettings:
    wishes = {"painter": "diffusion", "model": str(folder), "prompt": PROMPT, "scheduler": ""}
    return fill_in({**wishes, **more}).settings


def best(call: Callable[[], object]) -> float:
    """The shortest of a few, seconds: the machine may have other work."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def keyframe(settings: RenderSettings, painter: Any) -> None:
    """One direct keyframe, 512 → 768."""
    height = settings.keyframe_size[1]
    picture = np.full((height, settings.keyframe_size[0], 3), 90, np.uint8)
    picture[::7, ::7] = 255
    reference = Reference.of(picture)
    done = outpaint(
        painter, picture, settings, keyframe=1, reference=reference, on_step=lambda *_: None
    )
    assert done.canvas.shape == (CANVAS, CANVAS, 3)


@torch.no_grad()
def bare(pipeline: Any, steps: int, batch: int) -> float:
    """Encoder, passes of the UNet and decoder alone, seconds for a keyframe."""
    picture = torch.zeros(1, 3, CANVAS, CANVAS)
    cells = CANVAS // 8
    inputs, latents = torch.zeros(batch, 9, cells, cells), torch.zeros(1, 4, cells, cells)
    words = torch.zeros(batch, 77, pipeline.unet.config.cross_attention_dim)
    step = torch.tensor(500)
    encoding = best(lambda: pipeline.vae.encode(picture))
    decoding = best(lambda: pipeline.vae.decode(latents))
    passing = best(lambda: pipeline.unet(inputs, step, words))
    print(f"  encoder {encoding:.2f} s, UNet {passing:.3f} s a step, decoder {decoding:.2f} s")
    return encoding + steps * passing + decoding


def measure(folder: Path, steps: int, guidance: float) -> None:
    settings = settings_for(folder, steps=steps, guidance_scale=guidance)
    loading = best(lambda: load(settings))
    pipeline = load(settings).pipeline
    painter = find("diffusion")(settings)
    print(f"{steps} steps, guidance {guidance:g}:")
    compute = bare(pipeline, steps, 2 if guidance > 1 else 1)
    whole = best(lambda: keyframe(settings, painter))
    print(
        f"  loading {loading:.2f} s; keyframe {SIDE} → {CANVAS}: {whole:.2f} s, "
        f"{whole / compute:.2f} times its bare compute"
    )


def main() -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    card = cosmos.read_card()
    print(f"{torch.get_num_threads()} threads; cosmos: {'shipped' if card else 'not shipped'}")
    if card:
        measure(cosmos.FOLDER, card.steps, card.guidance_scale)
        return
    with tempfile.TemporaryDirectory() as folder:
        save_untrained(FULL, Path(folder) / "cosmos")
        measure(Path(folder) / "cosmos", unet.STEPS, unet.GUIDANCE)
        measure(Path(folder) / "cosmos", 8, 1.0)


if __name__ == "__main__":
    main()
