"""Asks a painter, and believes no answer that is not a picture of the right shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from renderer.errors import PainterError
from renderer.painting.painters import OnStep, Painter, PaintJob, paint_all

Pixels = NDArray[np.uint8]


def ask(painter: Painter, job: PaintJob, on_step: OnStep) -> Pixels:
    """One paint call: (H, W, 3) sRGB, C-contiguous; it may be the painter's own memory.

    Raises PainterError when what comes back is no such picture, and whatever the painter raises.
    """
    painted: object = painter.paint(job, on_step)
    return _checked(painted, painter, job)


def ask_all(painter: Painter, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels | None]:
    """Several versions of one border, one a job; None for those that failed, but not for all.

    Raises as ``ask`` does.
    """
    if len(jobs) == 1:
        return [ask(painter, jobs[0], on_step)]
    painted: Sequence[object] = paint_all(painter, jobs, on_step)
    if len(painted) != len(jobs) or all(picture is None for picture in painted):
        found = sum(picture is not None for picture in painted)
        raise PainterError(
            f"painter {_name(painter)} gave back {found} pictures for {len(jobs)} versions of "
            f"keyframe {jobs[0].keyframe}; expected one for each, or None where it failed"
        )
    return [
        None if picture is None else _checked(picture, painter, job)
        for picture, job in zip(painted, jobs, strict=True)
    ]


def _checked(painted: object, painter: Painter, job: PaintJob) -> Pixels:
    expected = (*job.mask.shape, 3)
    fault = _fault(painted, expected)
    if fault:
        raise PainterError(
            f"painter {_name(painter)} gave back {fault} for keyframe {job.keyframe}; "
            f"expected a C-contiguous uint8 array of shape {expected}"
        )
    assert isinstance(painted, np.ndarray)
    return painted


def _name(painter: Painter) -> str:
    own = type(getattr(painter, "inner", painter))
    return f"{own.__module__}.{own.__qualname__}"


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
