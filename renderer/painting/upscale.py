"""A painter whose small pictures are enlarged: large films by models that paint small ones well.

The chain of keyframes is as large as the film wants it. The painter is shown each canvas scaled
down; what it paints is enlarged by a super-resolution model, in tiles around what was masked, and
held to what it painted by back-projection (``refine``). The result is a painter's answer like any
other: its colours are fitted, its join fades, and the larger pixels that are known are put back.
Knows no models, keyframes or film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.rgb import RgbPlanes
from renderer.painting.geometry import Area, Geometry
from renderer.painting.kernels import Pixels
from renderer.painting.painter_calls import ask_all
from renderer.painting.painters import (
    AdjustablePainter,
    CheckingPainter,
    OnStep,
    Painter,
    PaintJob,
    find,
)
from renderer.painting.painters.diffusion.library_logs import prepare_environment
from renderer.painting.refine import Scales, held, rounded
from renderer.painting.tiles import Mosaic, tiles
from renderer.settings.render import RenderSettings

Enlarge = Callable[[Pixels], Pixels]
"""(H, W, 3) sRGB → the same, as many times larger each way as it was made for."""

TILE = 256
"""Side of what is enlarged at a time, of the painter's pixels."""
RIM = 16
"""The painter's pixels around a canvas, mirrored, without which a model would err at its edge; and
around what was masked, where what becomes of known pixels tells how to join the new ones."""


def make_painter(settings: RenderSettings) -> Painter:
    """The painter of the settings, on the thread that will paint. Raises what its factory does.

    With ``upscale``, PainterError where the upscaler can't be loaded.
    """
    factory = find(settings.painter)
    if settings.upscale == 1:
        return factory(settings)
    prepare_environment()
    from renderer.painting.painters.upscalers import load

    enlarge = load(settings.upscaler, settings.upscale, settings.device)
    return Upscaled(factory(settings.painted_smaller()), enlarge, settings.upscale)


class Upscaled:
    """``painter``, of which large pictures can be asked: ``factor`` times what it paints.

    Sides of canvases, and edges of what is masked, are whole multiples of ``factor``.
    """

    def __init__(self, painter: Painter, enlarge: Enlarge, factor: int) -> None:
        self._painter = painter
        self._enlarge = enlarge
        self._factor = factor

    def check(self, settings: RenderSettings) -> None:
        """As the painter's own, where it has one."""
        if isinstance(self._painter, CheckingPainter):
            self._painter.check(settings.painted_smaller())

    def adjust(self, settings: RenderSettings) -> bool:
        """As the painter's own, where it has one; another upscaler is another painter to it."""
        inner = self._painter
        return isinstance(inner, AdjustablePainter) and inner.adjust(settings.painted_smaller())

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        """The whole (H, W, 3) picture; scaled down it is what the painter painted."""
        (picture,) = self.paint_many([job], on_step)
        assert picture is not None
        return picture

    def paint_many(self, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels | None]:
        """A picture a job, of jobs that differ in their seeds only; None for one that failed."""
        reached = [0, 1]

        def report(done: int, total: int) -> None:
            reached[:] = done, total
            on_step(done, total)

        small = _smaller(jobs[0], self._factor)
        painted = ask_all(
            self._painter,
            [
                replace(small, canvas=small.canvas.copy(), mask=small.mask.copy(), seed=job.seed)
                for job in jobs
            ],
            report,
        )
        return [
            None if each is None else self._larger(each, small.mask, lambda: on_step(*reached))
            for each in painted
        ]

    def _larger(
        self, painted: Pixels, mask: NDArray[np.bool_], on_tile: Callable[[], None]
    ) -> Pixels:
        """``painted``, enlarged: well where it was masked; what is known is to be replaced."""
        factor, (height, width) = self._factor, mask.shape
        large = factor * width, factor * height
        scales = Scales(Geometry((width, height), large, (0, 0), factor))
        plain = np.pad(rounded(scales.up(painted)), _rim(factor * RIM), mode="symmetric")
        around, masked = np.pad(painted, _rim(RIM), mode="symmetric"), np.pad(mask, RIM)
        size = around.shape[1], around.shape[0]
        mosaic = Mosaic((factor * size[0], factor * size[1]))
        for area in tiles(size, TILE, 1):
            on_tile()  # this is where a stop comes in
            near = area.grown(RIM, size)
            place = Area(*(factor * edge for edge in area))
            if masked[near.pixels].any():
                mosaic.add(place, self._enlarge(around[area.pixels]))
            else:
                mosaic.add(place, plain[place.pixels])
        rim = slice(factor * RIM, -factor * RIM)
        return held(mosaic.canvas()[rim, rim].astype(np.float32), painted, scales)


def _smaller(job: PaintJob, factor: int) -> PaintJob:
    """The job as the painter is to see it: all of it that is masked, and no more than that."""
    height, width = job.mask.shape
    size = width // factor, height // factor
    canvas = RgbPlanes.from_rgb(job.canvas).view((0, 0, width, height), size)
    mask = np.logical_or.reduceat(job.mask, range(0, height, factor), axis=0)
    mask = np.logical_or.reduceat(mask, range(0, width, factor), axis=1)
    return replace(job, canvas=canvas, mask=mask)


def _rim(pixels: int) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """As numpy.pad wants it, of an (H, W, 3) picture."""
    return (pixels, pixels), (pixels, pixels), (0, 0)
