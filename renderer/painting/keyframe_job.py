"""One keyframe to be painted: its paint calls, one border at a time.

Knows what a call is given and what becomes of the answer; the order of the borders, and what comes
before and after, are for ``outpaint`` to know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from renderer.painting import candidate_cost, colour_match
from renderer.painting.colour_match import Joining, Reference
from renderer.painting.geometry import Area, Growth, whole
from renderer.painting.painter_calls import Pixels, ask, ask_all
from renderer.painting.painters import OnStep, Painter, PaintJob, one_of
from renderer.painting.prompt_blend import Blend
from renderer.painting.refine import Scales, agreed, residue, rounded
from renderer.painting.seeds import derive_seed, version_seed
from renderer.painting.tiles import Mosaic, tiles
from renderer.settings.render import RenderSettings

LATENT_CELL = 16
"""A model's latents stand for squares of 8 or 16 pixels. A band that is painted anew is made of
whole ones, as far as ``size_multiple`` allows, or the painter would be shown less than assumed.
Where it paints smaller they are so many times larger."""
SEAM_SHARE = 1 / 16
"""Reach of the seam pass to either side of the join ÷ the known part's shorter side."""
BAND_SHARE = 3 / 4
"""Reach of the band in which a placed picture grows together with what it surrounds ÷ the least
width of the border."""
AGREE = 4.0
"""Levels by which a placed picture may differ, just inside the join, from the picture that comes
there, and still be a continuation of it. Resampling makes 1 to 2 of them, where there is detail."""
RING = 8
"""Pixels inside the join that are compared."""


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that the paint calls of one keyframe have in common."""

    painter: Painter
    settings: RenderSettings
    keyframe: int
    reference: Reference | None
    blend: Blend

    def grow(self, known: Pixels, growth: Growth, side: int, on_step: OnStep) -> tuple[Pixels, int]:
        """The canvas that ``known`` grows to, and which version of its border was kept.

        Each of the settings' ``candidates`` is joined as if it were the only one; then the one
        with the least ``candidate_cost.cost`` is taken, the first of several that are equal.
        """
        settings = self.settings
        shown = growth.inside(settings.overmask, self._cell)
        canvas = np.pad(known, (*growth.pads, (0, 0)), mode="symmetric")
        mask = _outside(canvas, shown)
        jobs = [
            self._job(canvas, mask, version_seed(settings.seed, self.keyframe, side, version))
            for version in range(settings.candidates)
        ]
        how = self._joining(growth, shown)
        joined = [
            (colour_match.match(painted, known, growth.known, self.reference, how), version)
            for version, painted in enumerate(self._painted(jobs, on_step))
            if painted is not None
        ]
        if len(joined) == 1:
            return joined[0]
        return min(joined, key=lambda made: self._cost(made[0], growth))

    def mend(self, canvas: Pixels, growth: Growth, side: int, on_step: OnStep) -> Pixels:
        """The canvas, with a thin band along its join painted once more: the seam pass."""
        shorter = min(growth.known.width, growth.known.height)
        reach = whole(shorter * SEAM_SHARE, self._cell)
        strength = self.settings.seam_pass
        return self._painted_along(canvas, growth, reach, (side, "seam"), strength, on_step)

    def refine(self, picture: Pixels, scales: Scales, on_step: OnStep) -> tuple[Pixels, int]:
        """The canvas that shows what ``picture`` shows, and which version of it was kept.

        Of several ``candidates`` the one that strays least from what it was shown. Painted in
        ``tile``s, where it is larger.
        """
        settings, canvas = self.settings, rounded(scales.up(picture))
        size = canvas.shape[1], canvas.shape[0]
        areas = tiles(size, settings.tile, settings.size_multiple)
        versions = [Mosaic(size) for _ in range(settings.candidates)]
        for index, area in enumerate(areas):
            shown = canvas[area.pixels]
            jobs = [
                self._job(
                    shown,
                    np.ones(shown.shape[:2], np.bool_),
                    version_seed(settings.seed, self.keyframe, index, version),
                    refine=settings.zoom_factor,
                )
                for version in range(settings.candidates)
            ]
            painted = ask_all(self.painter, jobs, one_of(on_step, index, len(areas)))
            other = next(each for each in painted if each is not None)
            for version, each in zip(versions, painted, strict=True):
                version.add(area, other if each is None else each)
        whole = [version.canvas() for version in versions]
        kept = 0
        if len(whole) > 1:
            strays = [residue(each, picture, scales) for each in whole]
            kept = strays.index(min(strays))
        return agreed(whole[kept], picture, scales, fit=settings.colour_fit), kept

    def place(self, placed: Pixels, picture: Pixels, growth: Growth, on_step: OnStep) -> Pixels:
        """``placed``, (H, W, 3) of the canvas, with ``picture`` in its known part.

        Where the two don't agree a band around that is painted, in which they grow together;
        outside of it ``placed`` stays as it is, pixel for pixel.
        """
        canvas, known = placed.copy(), growth.known
        canvas[known.pixels] = picture
        if _disagreement(placed[known.pixels], picture) <= AGREE:
            return canvas
        border = min(min(pads) for pads in growth.pads)
        reach = max(1, int(border * BAND_SHARE) // self._cell) * self._cell
        return self._painted_along(canvas, growth, reach, (0, "band"), None, on_step)

    def _painted_along(
        self,
        canvas: Pixels,
        growth: Growth,
        reach: int,
        call: tuple[int, str],
        strength: float | None,
        on_step: OnStep,
    ) -> Pixels:
        """The canvas, with ``reach`` pixels on both sides of its join painted.

        ``call``: its side, and what it is, for its seed.
        """
        settings, known = self.settings, growth.known
        shown = growth.inside(reach, self._cell)
        mask = _outside(canvas, shown)
        mask &= ~_outside(canvas, known.grown(reach, growth.canvas_size))
        seed = derive_seed(settings.seed, self.keyframe, *call)
        job = self._job(canvas, mask, seed, strength=strength)
        (painted,) = self._painted([job], on_step)
        assert painted is not None
        ragged = seed if strength is None else None
        how = self._joining(growth, shown)
        return colour_match.rejoin(painted, canvas, known, reach, how, ragged)

    def _painted(self, jobs: Sequence[PaintJob], on_step: OnStep) -> Sequence[Pixels | None]:
        """What the painter makes of jobs that differ in their seeds only: whole canvases.

        With the method ``sequential`` in windows, where the canvas is larger than a ``tile``.
        """
        settings, (height, width) = self.settings, jobs[0].mask.shape
        side = settings.tile if settings.method == "sequential" else 0
        areas = tiles((width, height), side, settings.canvas_multiple)
        if len(areas) == 1:
            return ask_all(self.painter, jobs, on_step)
        return [
            self._in_windows(job, list(areas), one_of(on_step, index, len(jobs)))
            for index, job in enumerate(jobs)
        ]

    def _in_windows(self, job: PaintJob, areas: list[Area], on_step: OnStep) -> Pixels:
        """The job's canvas, painted window by window, each around what the others have painted.

        First comes always the one of which most is known. Where nothing is to be painted the
        answer still tells how the painter changes colours.
        """
        canvas, mask = job.canvas.copy(), job.mask.copy()
        mosaic = Mosaic((mask.shape[1], mask.shape[0]))
        for index, count in enumerate([len(areas)] * len(areas)):
            area = min(areas, key=lambda each: int(mask[each.pixels].sum()))
            areas.remove(area)
            shown, missing = canvas[area.pixels], mask[area.pixels]
            seed = derive_seed(job.seed, job.keyframe, index, "window")
            part = replace(job, canvas=shown.copy(), mask=missing.copy(), seed=seed)
            painted = ask(self.painter, part, one_of(on_step, index, count))
            mosaic.add(area, painted)
            shown[missing] = painted[missing]
            missing[:] = False
        return mosaic.canvas()

    @property
    def _cell(self) -> int:
        return math.gcd(self.settings.size_multiple, LATENT_CELL) * self.settings.upscale

    def _job(
        self,
        canvas: Pixels,
        mask: NDArray[np.bool_],
        seed: int,
        *,
        strength: float | None = None,
        refine: float = 0.0,
    ) -> PaintJob:
        return PaintJob(
            canvas=canvas.copy(),  # a painter may scribble over what it is given
            mask=mask.copy(),
            prompt=self.settings.prompt,
            negative_prompt=self.settings.negative_prompt,
            seed=seed,
            keyframe=self.keyframe,
            earlier_prompt=self.blend.earlier_prompt,
            blend=self.blend.share,
            strength=strength,
            refine=refine,
        )

    def _joining(self, growth: Growth, shown: Area) -> Joining:
        if self.settings.upscale > 1 and shown == growth.known:
            shown = growth.inside(1, self._cell)  # known pixels at the edge are made anew as well
        return Joining(
            feather=self.settings.feather,
            fit=self.settings.colour_fit,
            guard=self.settings.drift_guard,
            inner=None if shown == growth.known else shown,
        )

    def _cost(self, canvas: Pixels, growth: Growth) -> float:
        return candidate_cost.cost(
            colour_match.seam(canvas, growth.known), colour_match.drift(canvas, self.reference)
        )


def _outside(canvas: Pixels, area: Area) -> NDArray[np.bool_]:
    """(H, W) of the canvas: True outside of ``area``."""
    mask = np.ones(canvas.shape[:2], np.bool_)
    mask[area.pixels] = False
    return mask


def _disagreement(one: Pixels, other: Pixels) -> float:
    """Mean difference, in levels, of two (H, W, 3) pictures along their edges."""
    away = np.abs(one.astype(np.int16) - other)
    edge = np.ones(away.shape[:2], np.bool_)
    edge[RING:-RING, RING:-RING] = False
    return float(away[edge].mean())
