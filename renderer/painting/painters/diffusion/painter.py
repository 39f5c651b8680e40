"""Paints jobs with a loaded pipeline: canvas, mask and prompt in, picture out.

Knows nothing of where the model came from, of keyframes on disk or of the film.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.painters.diffusion.device_errors import device_lost
from renderer.painting.painters.diffusion.loading import Loaded, check_fits, check_steps
from renderer.painting.painters.diffusion.pipeline_call import Caller
from renderer.painting.painters.diffusion.upcasting import upcast
from renderer.painting.painters.notices import note
from renderer.painting.seeds import derive_seed
from renderer.settings.render import OPTIONS, RenderSettings, nearest_multiple

log = logging.getLogger("renderer.painting.diffusion")

REPAINTS = 3
"""How often a black or broken picture is painted again, each time with another seed."""
_ADJUSTABLE = {"steps", "guidance_scale", "strength"}
"""Settings that each call reads anew."""
_DARK = 1.5 / 255
"""A picture whose mean and spread are both below this is black."""


class DiffusionPainter:
    """A Painter around an inpainting pipeline; use it on the thread that loaded it."""

    def __init__(self, loaded: Loaded, settings: RenderSettings) -> None:
        self._loaded = loaded
        self._settings = settings
        self.caller = Caller(loaded, settings)

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) uint8 sRGB; the known area went through the VAE and has changed.

        ``on_step`` is called after each denoising step that is really run (not every sampler and
        strength runs as many as were asked for); what it raises ends the call within that step,
        and the painter can be used again. A mask that is True everywhere means a first picture,
        painted from pure noise over plain grey, unless the job is to ``refine`` the canvas.

        Raises SettingsError for an empty prompt or a size that the model can't do, DeviceLost if
        the device fails, and PainterError if its memory is too small, or every picture came out
        black or broken.
        """
        (picture,) = self.paint_many([job], on_step)
        assert picture is not None
        return picture

    def paint_many(
        self, jobs: Sequence[PaintJob], on_step: OnStep
    ) -> list[NDArray[np.uint8] | None]:
        """A picture a job, of jobs that differ in their seeds only; None: black or broken.

        In one call of the pipeline where it can do that and memory is large enough. Only if all
        pictures fail are they painted again. ``paint`` is this for one job.
        """
        job = jobs[0]
        self._check(job)
        for attempt in range(1 + REPAINTS):
            seeds = [derived_seed(each.seed, attempt) for each in jobs]
            painted, faults = self._paint(job, seeds, on_step)
            if None not in faults and upcast(self._loaded.pipeline):
                number = job.keyframe + 1
                note(
                    f"keyframe {number} came out {faults[0]}: from now on the model's VAE computes "
                    "in float32; this is a little slower"
                )
                painted, faults = self._paint(job, seeds, on_step)
            if None in faults:
                return painted
        raise PainterError(
            f"keyframe {job.keyframe + 1} came out {faults[0]} with {1 + REPAINTS} seeds in a row; "
            f"try another scheduler, or another model than {self._loaded.model}"
        )

    def _paint(
        self, job: PaintJob, seeds: Sequence[int], on_step: OnStep
    ) -> tuple[list[NDArray[np.uint8] | None], list[str | None]]:
        """A picture a seed, None where it is faulty, and what is wrong with each."""
        with device_lost(self._loaded.device.name):
            pictures = self.caller.call(job, seeds, on_step)
            faults = [find_fault(picture, job) for picture in pictures]
            painted = [
                None if fault else _to_bytes(picture)
                for picture, fault in zip(pictures, faults, strict=True)
            ]
        for seed, fault in zip(seeds, faults, strict=True):
            if fault is not None:
                number = job.keyframe + 1
                log.warning("keyframe %d came out %s with seed %d", number, fault, seed)
        return painted, faults

    def check(self, settings: RenderSettings) -> None:
        """Raise SettingsError for a scheduler, steps or strength that the model can't do."""
        check_fits(self._loaded.family, settings, self._loaded.model)
        check_steps(self._loaded.pipeline, self._loaded.family, settings)

    def adjust(self, settings: RenderSettings) -> bool:
        """Go on with other steps, guidance or strength; False: something else has changed.

        Raises SettingsError for steps or strength that the model can't do.
        """
        changed = {
            name
            for name, option in OPTIONS.items()
            if option.new_painter and getattr(settings, name) != getattr(self._settings, name)
        }
        if not changed <= _ADJUSTABLE:
            return False
        self.check(settings)
        if not self.caller.adjust(settings):
            return False
        self._settings = settings
        return True

    def _check(self, job: PaintJob) -> None:
        height, width = job.canvas.shape[:2]
        step = self._loaded.family.multiple
        if width % step or height % step:
            raise SettingsError(
                f"canvas {width}x{height} must be in multiples of {step} for "
                f"{self._loaded.model}; nearest: "
                f"{nearest_multiple(width, step)}x{nearest_multiple(height, step)}",
                "keyframe_size",
            )
        area = self._loaded.family.area
        if area is not None and width * height > area:
            shrunk = math.sqrt(area / (width * height))
            sides = (int(side * shrunk) // step * step for side in (width, height))
            raise SettingsError(
                f"canvas {width}x{height} is too large for {self._loaded.model}; nearest: "
                + "x".join(str(max(side, step)) for side in sides),
                "keyframe_size",
            )
        if job.mask.shape != (height, width):
            raise SettingsError(
                f"mask {job.mask.shape[1]}x{job.mask.shape[0]} does not fit the "
                f"canvas {width}x{height}"
            )
        if not job.prompt.strip():
            raise SettingsError(f"the prompt is empty; {self._loaded.model} needs one", "prompt")


def derived_seed(seed: int, attempt: int) -> int:
    """The job's own seed for attempt 0, then others that follow from it; 0 … 2**63 - 1."""
    return derive_seed(seed, attempt) if attempt else seed


def find_fault(picture: torch.Tensor, job: PaintJob) -> str | None:
    """What is wrong with a (3, H, W) picture in [0, 1]: ``broken (NaN)``, ``black``, or None.

    Black is a fault only where the known area was not black itself: a failed decoder blackens the
    whole picture, a prompt for a night sky does not.
    """
    if not bool(torch.isfinite(picture).all()):
        return "broken (NaN)"
    picture = picture.float()
    if float(picture.mean()) > _DARK or float(picture.std()) > _DARK:
        return None
    known = job.canvas if job.refine else job.canvas[~job.mask]
    if known.size and float(known.mean()) <= 255 * _DARK:
        return None
    return "black"


def _to_bytes(picture: torch.Tensor) -> NDArray[np.uint8]:
    levels = (picture.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous().cpu().numpy()
