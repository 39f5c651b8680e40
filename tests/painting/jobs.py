"""What painters are asked for in the tests: a ring around a noisy picture, as jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renderer.painting.painters import PaintJob


def ring(height: int = 64, width: int = 64, rim: int = 16) -> NDArray[np.bool_]:
    """(height, width): True in the rim, `rim` pixels wide."""
    mask = np.ones((height, width), dtype=bool)
    mask[rim:-rim, rim:-rim] = False
    return mask


def everything(height: int = 64, width: int = 64) -> NDArray[np.bool_]:
    return np.ones((height, width), dtype=bool)


def ring_job(
    mask: NDArray[np.bool_] | None = None,
    prompt: str = "a castle",
    negative: str = "",
    seed: int = 1,
    *,
    keyframe: int = 3,
    picture: int = 0,
    level: int | None = None,
    strength: float | None = None,
    refine: float = 0.0,
) -> PaintJob:
    """A job on a canvas of noise, which `picture` numbers, or of one grey; by default a ring."""
    mask = ring() if mask is None else mask
    canvas = np.random.default_rng(picture).integers(0, 256, (*mask.shape, 3), dtype=np.uint8)
    if level is not None:
        canvas[...] = level
    how = {"strength": strength, "refine": refine}
    return PaintJob(canvas, mask, prompt, negative, seed, keyframe, **how)  # type: ignore[arg-type]


def ignore(done: int, total: int) -> None:
    """An on_step that does nothing."""


def pipeline_of(painter: Any) -> Any:
    """The pipeline in a diffusion painter."""
    return painter.caller.pipeline


@contextmanager
def hooked(module: Any, hook: Any) -> Iterator[None]:
    """`hook` is called after each call of the torch module."""
    handle = module.register_forward_hook(hook)
    yield
    handle.remove()


@contextmanager
def watched(module: Any) -> Iterator[list[Any]]:
    """The first argument of every call of the torch module."""
    seen: list[Any] = []

    def look(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.append(arguments[0] if arguments else next(iter(named.values())))

    handle = module.register_forward_pre_hook(look, with_kwargs=True)
    yield seen
    handle.remove()
