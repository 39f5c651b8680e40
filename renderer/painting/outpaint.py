"""A picture in, the next keyframe's canvas out: whatever lies between painter and geometry.

Knows the order of paint calls, their canvases, masks and seeds, and that a painter can't be trusted
with what is known already. Knows no models, no files and no film.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.errors import PainterError
from renderer.painting import colour
from renderer.painting.colour import Reference
from renderer.painting.geometry import Geometry, Growth
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.settings import RenderSettings

MID_GREY = 128
"""Blank canvas of a first picture: painters that look at what is masked see no tendency there."""


@dataclass(frozen=True, slots=True)
class Outpainted:
    """A keyframe, and how well it came out."""

    canvas: NDArray[np.uint8]
    """(H, W, 3) sRGB, C-contiguous; the previous picture lies in its middle, pixel for pixel."""
    seam: float
    """Gradient across the paste border ÷ around it; 1 = invisible."""
    drift: float
    """Distance of the mean colour from keyframe 0's, of 255."""
    seed: int
    """Seed of the (first) paint call."""


def first_picture(painter: Painter, settings: RenderSettings, on_step: OnStep) -> NDArray[np.uint8]:
    """Keyframe 0 from nothing, by a mask True all over: (H, W, 3) sRGB at ``keyframe_size``.

    Raises PainterError when what comes back is no such picture, and whatever the painter raises.
    """
    width, height = settings.keyframe_size
    canvas = np.full((height, width, 3), MID_GREY, np.uint8)
    mask = np.ones((height, width), np.bool_)
    return _paint(painter, _job(settings, canvas, mask, keyframe=0, side=0), on_step).copy()


def outpaint(
    painter: Painter,
    picture: NDArray[np.uint8],
    settings: RenderSettings,
    *,
    keyframe: int,
    reference: Reference,
    on_step: OnStep,
) -> Outpainted:
    """Paint the border around ``picture`` = P(keyframe - 1): the canvas C(keyframe).

    ``picture`` is (H, W, 3) sRGB at ``keyframe_size``; it lies in the canvas pixel for pixel.
    ``reference`` is keyframe 0's. Progress is reported over all calls together. Raises PainterError
    when what the painter gives back is no picture of the canvas, and whatever the painter raises.
    """
    geometry = Geometry.of(settings)
    calls = geometry.calls(settings.method)
    canvas = picture
    for side, growth in enumerate(calls):
        job = _job(settings, *_grown(canvas, growth), keyframe=keyframe, side=side)
        report = on_step if len(calls) == 1 else _part_of(on_step, side, len(calls), settings.steps)
        painted = _paint(painter, job, report)
        canvas = colour.match(painted, canvas, growth.known, reference)
    return Outpainted(
        canvas=canvas,
        seam=colour.seam(canvas, geometry.known),
        drift=colour.drift(canvas, reference),
        seed=derive_seed(settings.seed, keyframe, 0),
    )


def picture_of(canvas: NDArray[np.uint8], settings: RenderSettings) -> NDArray[np.uint8]:
    """The next picture: the canvas's middle, exactly ρW x ρH, at ``keyframe_size``; Lanczos-3.

    ``canvas`` is (H, W, 3) sRGB of the geometry's canvas size; so is the result, C-contiguous.
    """
    geometry = Geometry.of(settings)
    whole = Image.fromarray(canvas)
    scaled = whole.resize(geometry.keyframe_size, Image.Resampling.LANCZOS, box=geometry.view)
    return np.array(scaled)


def derive_seed(seed: int, keyframe: int, side: int) -> int:
    """The seed of one paint call, 0 … 2**63 - 1: BLAKE2b of its three numbers, top bit dropped.

    Part of what a project means: the same on every machine and in every version.
    """
    text = f"{seed}/{keyframe}/{side}".encode("ascii")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def _grown(known: NDArray[np.uint8], growth: Growth) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The canvas with symmetric padding around what is known, and the mask of what is not."""
    canvas = np.pad(known, (*growth.pads, (0, 0)), mode="symmetric")
    mask = np.ones(canvas.shape[:2], np.bool_)
    mask[growth.known.rows, growth.known.columns] = False
    return canvas, mask


def _job(
    settings: RenderSettings,
    canvas: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    *,
    keyframe: int,
    side: int,
) -> PaintJob:
    return PaintJob(
        canvas=canvas,
        mask=mask,
        prompt=settings.prompt,
        negative_prompt=settings.negative_prompt,
        seed=derive_seed(settings.seed, keyframe, side),
        keyframe=keyframe,
    )


def _paint(painter: Painter, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
    """One paint call, and a check of what came back."""
    expected = job.mask.shape
    painted: object = painter.paint(job, on_step)
    fault = _fault(painted, (*expected, 3))
    if fault:
        own = type(getattr(painter, "inner", painter))
        name = f"{own.__module__}.{own.__qualname__}"
        raise PainterError(
            f"painter {name} gave back {fault} for keyframe {job.keyframe}; "
            f"expected a C-contiguous uint8 array of shape {(*expected, 3)}"
        )
    assert isinstance(painted, np.ndarray)
    return painted


def _fault(painted: object, shape: tuple[int, ...]) -> str:
    """What is wrong with a painter's answer, in words; empty: nothing."""
    if not isinstance(painted, np.ndarray):
        return f"no array but {type(painted).__name__}"
    if painted.shape != shape:
        return f"shape {painted.shape}"
    if painted.dtype != np.uint8:
        return f"dtype {painted.dtype}"
    if not painted.flags.c_contiguous:
        return "an array that is not C-contiguous"
    return ""


def _part_of(on_step: OnStep, call: int, calls: int, steps: int) -> OnStep:
    """``on_step`` for one of several calls: each counts as ``steps``, whatever it counts itself."""

    def report(done: int, total: int) -> None:
        within = min(max(done, 0) * steps // max(total, 1), steps)
        on_step(call * steps + within, calls * steps)

    return report
