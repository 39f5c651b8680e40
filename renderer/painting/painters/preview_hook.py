"""How a painter shows a picture that is not finished yet, to viewers that have asked to see it.

A painter asks ``wanted()`` at the end of a step, which costs nothing, and if so calls ``show`` with
a small picture, now or a little later. Each request is answered once; where no viewer watches,
there is none, and nothing is done. As in ``notices``, a context variable carries both functions of
the engine, so that nothing has to be handed through every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 96
"""Pixels of the longer side of what is shown, at most."""

Small = NDArray[np.uint8]
"""(h, w, 3) sRGB, neither side above SIDE."""


@dataclass(frozen=True, slots=True)
class _Looking:
    wanted: Callable[[], bool]
    show: Callable[[Small], None]


_looking: ContextVar[_Looking | None] = ContextVar("looking", default=None)


def wanted() -> bool:
    """Whether a viewer is waiting for a picture."""
    looking = _looking.get()
    return looking is not None and looking.wanted()


def show(picture: Small) -> None:
    """The unfinished picture, for the viewers that wait for one."""
    looking = _looking.get()
    if looking is not None:
        looking.show(picture)


@contextmanager
def showing(wanted: Callable[[], bool], show: Callable[[Small], None]) -> Iterator[None]:
    """Hand what is shown on this thread to ``show`` while the block runs.

    ``wanted`` is asked at every step, so it must be quick.
    """
    token = _looking.set(_Looking(wanted, show))
    try:
        yield
    finally:
        _looking.reset(token)


def fitting(width: int, height: int) -> tuple[int, int]:
    """(width, height) to show such a picture at: its aspect, at most SIDE, never enlarged."""
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def sampled(picture: NDArray[np.uint8]) -> Small:
    """An (H, W, 3) picture made small by leaving out pixels: as cheap as can be, and a copy."""
    stride = -(-max(picture.shape[:2]) // SIDE)
    return np.ascontiguousarray(picture[::stride, ::stride])
