"""How long a model takes on this machine: to be read, for its first pictures, for each keyframe.

Paints in memory, as the engine does; makes no project. Knows no terminal.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from renderer.images import Picture
from renderer.machine import peak_memory
from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import first_picture, outpaint, picture_of
from renderer.painting.painters import OnStep, Painter
from renderer.painting.painters.idle_time import Timed
from renderer.painting.upscale import make_painter
from renderer.planning.painter_choice import preset_like
from renderer.settings.render import RenderSettings

ENOUGH = 30.0
"""Seconds for which keyframes are painted, but at least one; diffusers' own call gets as long."""
PLAIN = "diffusers' own call"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was timed."""

    name: str
    seconds: float
    """The median, where it was done several times."""
    steps: int
    """Denoising steps in it; 0: none."""
    memory: int
    """Bytes at most, of the GPU; where there is none, of this process since its start."""
    idle: float | None = None
    """Share of the time that the painter was left without work, 0 … 1."""


def bench(settings: RenderSettings, on_step: OnStep, *, whole: bool = True) -> Iterator[Row]:
    """Read, or first download, the model; paint a picture and a border: it compiles as it goes.

    A model that only dives gets a picture of noise and paints no first one.
    ``whole``: then keyframe after keyframe, and diffusers' own call beside it, where there is one.
    Each row comes as soon as it is measured. Raises RendererError.
    """
    steps, made = [0], list[Timed]()

    def counted(done: int, total: int) -> None:
        steps[0] = total
        on_step(done, total)

    def row(name: str, deed: Callable[[], object], enough: float = 0.0) -> Row:
        times: list[float] = []
        while not times or sum(times) < enough:
            began = time.perf_counter()
            deed()
            times.append(time.perf_counter() - began)
        memory = peak_memory() if settings.painter != "diffusion" else _held()
        return Row(name, statistics.median(times), steps[0], memory)

    yield row("reading the model", lambda: made.append(Timed(make_painter(settings))))
    dives = settings.painter == "diffusion" and preset_like(settings.model).dives_only
    given = _noise(settings) if dives else None
    painting = keyframes(made[0], settings, counted, given)
    if given is None:
        yield row("first picture", lambda: next(painting))
    yield row("first keyframe", lambda: next(painting))
    if not whole:
        return
    made[0].idle()
    found = row("keyframe", lambda: next(painting), ENOUGH)
    yield replace(found, idle=made.pop().idle())
    painting.close()  # and with it, the painter is gone
    if settings.painter == "diffusion":
        from renderer.painting.painters.diffusion.baseline import plain_call
        from renderer.painting.painters.diffusion.loading import load

        if call := plain_call(load(settings), settings):
            call()
            _held()
            yield row(PLAIN, call, ENOUGH)


def _held() -> int:
    from renderer.painting.painters.diffusion.memory import peak

    return peak() or peak_memory()


def _noise(settings: RenderSettings) -> Picture:
    """A picture for a model that paints no first one."""
    width, height = settings.keyframe_size
    return np.random.default_rng(settings.seed).integers(0, 256, (height, width, 3), np.uint8)


def keyframes(
    painter: Painter, settings: RenderSettings, on_step: OnStep, picture: Picture | None = None
) -> Generator[Picture, None, None]:
    """The first picture, or what follows on ``picture``; then each around the one before."""
    if picture is None:
        picture = first_picture(painter, settings, on_step)
        yield picture
    reference = Reference.of(picture)
    for keyframe in itertools.count(1):
        done = outpaint(
            painter, picture, settings, keyframe=keyframe, reference=reference, on_step=on_step
        )
        picture = picture_of(done.canvas, settings, done.dives_to)
        yield picture
