"""The kinds of pipeline beyond Stable Diffusion that the tests paint with, by name."""

from __future__ import annotations

from functools import partial

from tests.marks import slower
from tests.painting.jobs import everything, ring, ring_job
from tests.painting.tiny_families import FAMILIES

EVERY = list(FAMILIES)
_QUICK = ["flux-fill", "z-image"]
KINDS = [*_QUICK, *slower(name for name in EVERY if name not in _QUICK)]
"""For what costs time and hardly depends on the kind: two of them, the others are slow."""
GUIDED = {"klein-base": 2.0, "z-image": 1.0, "qwen": 2.0, "kandinsky": 2.0, "sdxl-promax": 2.0}
"""Those with a negative prompt, and a scale at which it counts."""
SIDE = 128
"""Of a canvas: a multiple of all that any of them asks for."""

wide_job = partial(ring_job, ring(SIDE, SIDE, 32))
"""A ring around a picture."""
first_job = partial(ring_job, everything(SIDE, SIDE))
"""A first picture, made out of nothing."""
