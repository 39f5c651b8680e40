"""Paints jobs with a loaded pipeline: canvas, mask and prompt in, picture out.

Knows nothing of where the model came from, of keyframes on disk or of the film.
"""

from __future__ import annotations

import hashlib
import logging

import numpy as np
import torch
from numpy.typing import NDArray

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.painters.diffusion.calling import Caller
from renderer.painting.painters.diffusion.loading import Loaded
from renderer.settings import RenderSettings, nearest_multiple

log = logging.getLogger("renderer.painting.diffusion")

REPAINTS = 3
"""How often a black or broken picture is painted again, each time with another seed."""
_DARK = 1.5 / 255
"""A picture whose mean and spread are both below this is black."""


class DiffusionPainter:
    """A Painter around an inpainting pipeline; use it on the thread that loaded it."""

    def __init__(self, loaded: Loaded, settings: RenderSettings) -> None:
        self._loaded = loaded
        self.caller = Caller(loaded, settings)

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) uint8 sRGB; the known area went through the VAE and has changed.

        ``on_step`` is called after each denoising step that is really run (not every sampler and
        strength runs as many as were asked for); what it raises leaves the call within that step,
        and the painter can be used again. A mask that is True everywhere means a first picture: it
        is painted from pure noise over plain grey.

        Raises SettingsError for an empty prompt or a size that the model can't do, and PainterError
        if the device's memory is too small, it fails, or every picture came out black or broken.
        """
        self._check(job)
        for attempt in range(1 + REPAINTS):
            seed = derived_seed(job.seed, attempt)
            picture = self.caller.call(job, seed, on_step)
            fault = find_fault(picture, job)
            if fault is None:
                return _to_bytes(picture)
            log.warning("keyframe %d came out %s with seed %d", job.keyframe, fault, seed)
        raise PainterError(
            f"keyframe {job.keyframe} came out {fault} with {1 + REPAINTS} seeds in a row; "
            f"try another scheduler, or another model than {self._loaded.model}"
        )

    def _check(self, job: PaintJob) -> None:
        height, width = job.canvas.shape[:2]
        step = self._loaded.family.multiple
        if width % step or height % step:
            raise SettingsError(
                f"canvas {width}x{height} must be in multiples of {step} for "
                f"{self._loaded.model}; nearest: "
                f"{nearest_multiple(width, step)}x{nearest_multiple(height, step)}"
            )
        if job.mask.shape != (height, width):
            raise SettingsError(
                f"mask {job.mask.shape[1]}x{job.mask.shape[0]} does not fit the "
                f"canvas {width}x{height}"
            )
        if not job.prompt.strip():
            raise SettingsError(f"the prompt is empty; {self._loaded.model} needs one")


def derived_seed(seed: int, attempt: int) -> int:
    """The job's own seed for attempt 0, then others that follow from it; 0 … 2**63 - 1."""
    if attempt == 0:
        return seed
    digest = hashlib.blake2b(f"{seed}/{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


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
    known = job.canvas[~job.mask]
    if known.size and float(known.mean()) <= 255 * _DARK:
        return None
    return "black"


def _to_bytes(picture: torch.Tensor) -> NDArray[np.uint8]:
    levels = (picture.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous().cpu().numpy()
