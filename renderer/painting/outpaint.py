"""A picture in, the next keyframe's canvas out: whatever lies between painter and geometry.

Knows the order of paint calls, their canvases, masks and seeds, and that a painter can't be trusted
with what is known already. Knows no models, no files and no film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renderer.numeric.rgb import RgbPlanes
from renderer.painting import colour_match
from renderer.painting.colour_match import Reference
from renderer.painting.focus import next_place
from renderer.painting.geometry import Geometry
from renderer.painting.keyframe_job import Task
from renderer.painting.painter_calls import Pixels, ask
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.prompt_blend import Blend
from renderer.painting.refine import Scales, residue
from renderer.painting.seeds import derive_seed, version_seed
from renderer.settings.plain_values import dimensions
from renderer.settings.render import RenderSettings

MID_GREY = 128
"""Blank canvas of a first picture: painters that look at what is masked see no tendency there."""


@dataclass(frozen=True, slots=True)
class Outpainted:
    """A keyframe, and how well it came out."""

    canvas: Pixels
    """(H, W, 3) sRGB, C-contiguous; the previous picture lies in its middle, pixel for pixel."""
    seam: float
    """Gradient across the paste border ÷ around it; 1 = invisible."""
    drift: float
    """Distance of the mean colour from the reference's, of 255; 0 without one."""
    seed: int
    """Seed of the (first) border that was kept."""
    kept: tuple[int, ...] = ()
    """Which version was kept of each border, in the order of the calls; 0 = the first one."""
    residue: float = 0.0
    """Of a dive: root mean square, of 255, of the canvas scaled down from the previous picture."""
    dives_to: tuple[int, int] | None = None
    """Of a dive: left and top of the next picture in the canvas."""


def first_picture(painter: Painter, settings: RenderSettings, on_step: OnStep) -> Pixels:
    """Keyframe 0 from nothing, by a mask that is all True: (H, W, 3) sRGB at ``keyframe_size``.

    There is one version only: without a border and a picture before it, nothing says which would
    be better. Raises PainterError when what comes back is no such picture, and whatever the painter
    raises.
    """
    width, height = settings.keyframe_size
    job = PaintJob(
        canvas=np.full((height, width, 3), MID_GREY, np.uint8),
        mask=np.ones((height, width), np.bool_),
        prompt=settings.prompt,
        negative_prompt=settings.negative_prompt,
        seed=derive_seed(settings.seed, 0, 0),
        keyframe=0,
    )
    return ask(painter, job, on_step).copy()


def outpaint(
    painter: Painter,
    picture: Pixels,
    settings: RenderSettings,
    *,
    keyframe: int,
    reference: Reference | None,
    on_step: OnStep,
    blend: Blend | None = None,
    placed: Pixels | None = None,
) -> Outpainted:
    """Paint the border around ``picture`` = P(keyframe - 1): the canvas C(keyframe).

    Or, with the method ``refine``, all that the picture shows, with finer detail. ``picture`` is
    (H, W, 3) sRGB at ``keyframe_size``; it lies in the canvas pixel for pixel, or, in a dive, is
    that canvas scaled down.
    ``reference`` is that of the keyframe whose look is to be kept, None while the look changes with
    the prompt. ``blend`` says how far the prompt has replaced an earlier one;
    None: all the way. ``placed``, (H, W, 3) of the canvas's size: a picture to lie around it, to
    which only a band is painted, where they don't agree. Progress is reported over all calls
    together. Raises PainterError when what the painter gives back is no picture of the canvas, and
    whatever the painter raises; ValueError for a picture of another size.
    """
    geometry = Geometry.of(settings)
    found, expected = (picture.shape[1], picture.shape[0]), geometry.keyframe_size
    if found != expected:
        raise ValueError(
            f"a picture of {dimensions(found)} for keyframes of {dimensions(expected)}"
        )
    calls = geometry.calls(settings.method, settings.tile)
    task = Task(painter, settings, keyframe, reference, blend or Blend(settings.prompt))
    if settings.method == "refine":
        return _refined(task, picture, geometry, on_step)
    if placed is not None:
        (whole,) = geometry.direct
        return _measured(task, task.place(placed, picture, whole, on_step), geometry)
    mending = max(1, round(settings.steps * settings.seam_pass)) if settings.seam_pass else 0
    canvas, kept = picture, []
    reports = iter(_parts(on_step, [n for _ in calls for n in (settings.steps, mending) if n]))
    for side, growth in enumerate(calls):
        canvas, version = task.grow(canvas, growth, side, next(reports))
        kept.append(version)
        if mending:
            canvas = task.mend(canvas, growth, side, next(reports))
    return _measured(task, canvas, geometry, tuple(kept))


def _refined(task: Task, picture: Pixels, geometry: Geometry, on_step: OnStep) -> Outpainted:
    scales = Scales(geometry)
    canvas, version = task.refine(picture, scales, on_step)
    return Outpainted(
        canvas=canvas,
        seam=0.0,
        drift=0.0,  # what it dives into may be of any colour
        seed=version_seed(task.settings.seed, task.keyframe, 0, version),
        kept=(version,),
        residue=residue(canvas, picture, scales),
        dives_to=next_place(task.settings.focus, canvas, geometry),
    )


def _measured(
    task: Task, canvas: Pixels, geometry: Geometry, kept: tuple[int, ...] = (0,)
) -> Outpainted:
    return Outpainted(
        canvas=canvas,
        seam=colour_match.seam(canvas, geometry.known),
        drift=colour_match.drift(canvas, task.reference),
        seed=version_seed(task.settings.seed, task.keyframe, 0, kept[0]),
        kept=kept,
    )


def picture_of(
    canvas: Pixels, settings: RenderSettings, dives_to: tuple[int, int] | None = None
) -> Pixels:
    """The next picture: the canvas's middle, exactly ρW x ρH, at ``keyframe_size``; Lanczos-3.

    Or, in a dive, the part of the canvas that begins at ``dives_to``, pixel for pixel. ``canvas``
    is (H, W, 3) sRGB of the geometry's canvas size; the result is C-contiguous.
    """
    geometry = Geometry.of(settings)
    if dives_to is not None:
        part = geometry.place(*dives_to)
        return canvas[part.pixels].copy()
    return RgbPlanes.from_rgb(canvas).view(geometry.view, geometry.keyframe_size)


def _parts(on_step: OnStep, sizes: Sequence[int]) -> list[OnStep]:
    """``on_step`` for each of several calls: one counts as its size, however many steps it has."""
    if len(sizes) == 1:
        return [on_step]
    whole = sum(sizes)

    def part(before: int, size: int) -> OnStep:
        def report(done: int, total: int) -> None:
            on_step(before + min(max(done, 0) * size // max(total, 1), size), whole)

        return report

    return [part(sum(sizes[:index]), size) for index, size in enumerate(sizes)]
