"""Keyframes a second of the diffusion painter at full size, with random weights and no download.

    python tests/benchmarks/painter.py [--arch sd2|sdxl|tiny] [--side 768] [--steps 25] [--repeat 5]
                                       [--only NAME …] [--cpu]

How fast a model is doesn't depend on its weights, so the real architectures are built from code;
the pictures are noise. Printed, each against the first line of the same run:

- plain: the pipeline as diffusers gives it, PIL in and out, prompts encoded at each call;
- each speed level of ours, at the same steps and size (fast without its LoRA, as steps are given);
- few steps: fast as a preset has it, TCD's eight steps without guidance (the first line has more);
- deepcache: quality, but with the shallow steps of fast and nothing else of it;
- compute: only the denoiser's and the VAE's calls that a keyframe needs, nothing in between;

with the peak of GPU memory, and the share of the time that the painter was left without work in a
loop as the engine's: canvas, painting, colour fit, next picture.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from diffusers import TCDScheduler

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from renderer.painting.painters.diffusion.baseline import plain_call
from renderer.painting.painters.diffusion.device import choose
from renderer.painting.painters.diffusion.families.index import FAMILIES
from renderer.painting.painters.diffusion.loading import Loaded
from renderer.painting.painters.diffusion.memory import release
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.idle_time import Timed
from renderer.planning.bench import keyframes
from renderer.settings.render import RenderSettings
from renderer.settings.speed_levels import LEVELS
from tests.benchmarks.architectures import ARCHITECTURES

PLAIN, ALONE, DEEP = "plain diffusers call", "denoiser and VAE alone", "deepcache"
FEW = "few steps"
ROWS = (PLAIN, ALONE, *LEVELS, DEEP, FEW)
RHO = 1.5
PROMPT = "a castle on a hill, oil painting"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    seconds: float
    """A keyframe, median."""
    first: float
    """The first keyframe: warm-up, compilation."""
    memory: float
    """Peak on the GPU, GiB; 0 where there is none."""
    idle: float | None = None


def measure(name: str, once: Callable[[], object], repeat: int) -> Row:
    """Run ``once`` for warm-up, then ``repeat`` times."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(1 + repeat):
        began = time.perf_counter()
        once()
        if cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0
    return Row(name, statistics.median(times[1:]), times[0], memory)


def ours(loaded: Loaded, settings: RenderSettings) -> tuple[Callable[[], object], Timed]:
    """The engine's loop of one keyframe after another."""
    painter = Timed(DiffusionPainter(loaded, settings))
    width, height = settings.keyframe_size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    painting = keyframes(painter, settings, lambda done, total: None, noise)
    return lambda: next(painting), painter


def compute(loaded: Loaded, settings: RenderSettings, side: int) -> Callable[[], None]:
    """The calls of denoiser and VAE alone: guided steps, one encoding, one decoding."""
    pipeline, device = loaded.pipeline, loaded.device.device
    unet, vae = pipeline.unet, pipeline.vae
    cell = side // 8
    latents = torch.randn(2, unet.config.in_channels, cell, cell, device=device, dtype=unet.dtype)
    words = torch.randn(2, 77, unet.config.cross_attention_dim, device=device, dtype=unet.dtype)
    added = None
    if unet.config.addition_embed_type == "text_time":
        width = unet.config.projection_class_embeddings_input_dim
        ids = 6 * unet.config.addition_time_embed_dim
        added = {
            "text_embeds": torch.randn(2, width - ids, device=device, dtype=unet.dtype),
            "time_ids": torch.zeros(2, 6, device=device, dtype=unet.dtype),
        }
    picture = torch.randn(1, 3, side, side, device=device, dtype=vae.dtype)
    step = torch.tensor(500, device=device)

    @torch.no_grad()
    def once() -> None:
        code = vae.encode(picture).latent_dist.mode()
        for _ in range(settings.steps):
            unet(latents, step, encoder_hidden_states=words, added_cond_kwargs=added)
        vae.decode(code)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return once


def rows(arch: str, side: int, steps: int, repeat: int, names: Sequence[str]) -> Iterator[Row]:
    """These of ``ROWS``, each as soon as it is measured. ``side``: of the canvas, px."""
    device = choose()
    family = FAMILIES[ARCHITECTURES[arch].class_name]
    dtype = device.dtype(prefers_bfloat16=False)  # as their VAEs say
    picture = round(side / RHO / 8) * 8
    settings = RenderSettings(
        prompt=PROMPT,
        negative_prompt="blurry",
        steps=steps,
        keyframe_size=(picture, picture),
        zoom_factor=side / picture,
    )

    def loaded() -> Loaded:
        release()  # the pipeline of the row before
        pipeline = ARCHITECTURES[arch].build(device.device, dtype)
        pipeline.set_progress_bar_config(disable=True)
        return Loaded(arch, pipeline, family, device, offloaded=())

    def row(name: str) -> Row:
        if name == PLAIN:
            call = plain_call(loaded(), settings)
            assert call is not None
            return measure(name, call, repeat)
        if name == ALONE:
            return measure(name, compute(loaded(), settings, side), repeat)
        exact = LEVELS["quality"]
        deep = {"quality": replace(exact, deep_every=LEVELS["fast"].deep_every)}
        made, wanted = _laid_out(loaded()), settings
        if name == FEW:
            own = made.pipeline.scheduler.config
            made.pipeline.scheduler = TCDScheduler.from_config(own)  # type: ignore[no-untyped-call]
            wanted = replace(settings, steps=8, guidance_scale=0.0, speed="fast")
        elif name != DEEP:
            wanted = settings.changed({"speed": name})
        with patch.dict(LEVELS, deep if name == DEEP else {}):
            once, painter = ours(made, wanted)
        found = measure(f"--speed {name}" if name in LEVELS else name, once, repeat)
        return replace(found, idle=painter.idle())

    return map(row, names)


def _laid_out(loaded: Loaded) -> Loaded:
    """As ``loading`` does it on a GPU and on a CPU."""
    for part in (loaded.pipeline.unet, loaded.pipeline.vae):
        part.to(memory_format=torch.channels_last)
    return loaded


def show(table: Iterable[Row]) -> None:
    """Print it; ratios are against the first line, and below it against compute alone."""
    base = bare = None
    print(
        f"{'':24}{'keyframes/s':>12}{'x first':>9}{'/ alone':>9}{'1st, s':>8}{'GiB':>7}{'idle':>7}"
    )
    for row in table:
        base = base or row.seconds
        bare = row.seconds if row.name == ALONE else bare
        idle = "" if row.idle is None else f"{row.idle:.1%}"
        alone = "" if bare is None else f"{row.seconds / bare:.2f}"
        print(
            f"{row.name:24}{1 / row.seconds:12.3f}{base / row.seconds:9.2f}"
            f"{alone:>9}{row.first:8.1f}{row.memory:7.2f}{idle:>7}",
            flush=True,
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--arch", choices=sorted(ARCHITECTURES), default="sd2")
    parser.add_argument("--side", type=int, default=768, help="of the canvas, px")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="NAME")
    parser.add_argument("--cpu", action="store_true", help="for ratios, without a GPU")
    given = parser.parse_args(arguments)
    print(f"{given.arch}, {given.side} px, {given.steps} steps, on {choose().name}")
    if given.arch != "tiny" and not given.cpu and not torch.cuda.is_available():
        print(
            "no CUDA device here: the figures of full-size models need one (--arch tiny runs; "
            "--cpu is for ratios at a small size)"
        )
        return 1
    show(rows(given.arch, given.side, given.steps, given.repeat, given.only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
