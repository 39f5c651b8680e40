"""Finer detail for a picture that was enlarged, from patches of an exemplar.

After W. T. Freeman, T. R. Jones and E. C. Pasztor, "Example-Based Super-Resolution", IEEE Computer
Graphics and Applications 22, 2002: the exemplar is softened as much as the picture is by being
enlarged, and what that takes from a patch of it is given to each place of the picture that looks
like the softened patch. Patches overlap and are mixed so that their contrast stays: by weights
whose squares sum to 1 (E. Heitz and F. Neyret, "High-Performance By-Example Noise using a
Histogram-Preserving Blending Operator", 2018).
What is compared is whole numbers, so a seed gives the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.painters import OnStep, PaintJob

Floats = NDArray[np.float32]

BLOCK, STEP = 16, 8
"""Side of a patch, and the distance from one to the next, pixels."""
_LINE = np.sin(np.pi * (np.arange(BLOCK) + 0.5) / BLOCK) ** 2
WINDOW: Floats = np.outer(_LINE, _LINE).astype(np.float32)
"""(BLOCK, BLOCK): falls to nothing at the edges."""
PATCHES = 3000
"""Patches of the exemplar that are looked at."""
FINALISTS = 8
"""The patches that look most alike; of them one is drawn, rich ones more often."""
MOST_ENLARGED = 2.0
"""The most by which a patch's contrast is raised to be that of its place."""
FLAT = 5.0
"""Contrast, levels, below which a place is like nothing and like everything: any patch may lie
there, so that there is always something new to see as a dive goes on."""


def refined(exemplar: NDArray[np.uint8], job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
    """The job's canvas with detail of ``exemplar``, both (H, W, 3). One step a row of patches."""
    rng = np.random.Generator(np.random.PCG64(job.seed))
    patches = _Patches.of(exemplar, job.refine, rng)
    height, width = job.canvas.shape[:2]
    rows, columns = (-(-side // STEP) + 1 for side in (height, width))
    padded = np.pad(job.canvas, ((STEP, BLOCK), (STEP, BLOCK), (0, 0)), mode="symmetric")
    detail, weights = np.zeros(padded.shape, np.float32), np.zeros(padded.shape[:2], np.float32)
    looks = _luma(padded)
    for row in range(rows):
        top = row * STEP
        blocks = np.stack(
            [looks[top : top + BLOCK, c * STEP : c * STEP + BLOCK] for c in range(columns)]
        )
        for column, found in enumerate(patches.like(blocks, rng)):
            left = column * STEP
            detail[top : top + BLOCK, left : left + BLOCK] += WINDOW[:, :, None] * found
            weights[top : top + BLOCK, left : left + BLOCK] += WINDOW**2
        on_step(row + 1, rows)
    detail /= np.sqrt(np.maximum(weights, 1e-6))[:, :, None]
    inside = slice(STEP, STEP + height), slice(STEP, STEP + width)
    canvas: NDArray[np.float32] = np.rint(padded[inside] + detail[inside])
    return np.clip(canvas, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Patches:
    """Patches of an exemplar, softened, and what that took from them."""

    looks: Floats
    """(N, BLOCK²): whole numbers about 0."""
    lengths: NDArray[np.float64]
    """(N,): squares of their lengths."""
    details: Floats
    """(N, BLOCK, BLOCK, 3)."""
    richness: NDArray[np.float64]
    """(N,): how much detail each has, above 0."""

    @classmethod
    def of(cls, exemplar: NDArray[np.uint8], enlarged: float, rng: np.random.Generator) -> _Patches:
        picture = Image.fromarray(exemplar)
        small = tuple(max(BLOCK, round(side / enlarged)) for side in picture.size)
        soft = np.asarray(
            picture.resize((small[0], small[1]), Image.Resampling.LANCZOS).resize(
                picture.size, Image.Resampling.LANCZOS
            )
        )
        ys, xs = (rng.integers(n - BLOCK + 1, size=PATCHES) for n in exemplar.shape[:2])
        at = [(slice(y, y + BLOCK), slice(x, x + BLOCK)) for y, x in zip(ys, xs, strict=True)]
        luma, lost = _luma(soft), exemplar.astype(np.float32) - soft
        looks = _about_zero(np.stack([luma[place] for place in at]))
        details = np.stack([lost[place] for place in at])
        richness = np.square(details, dtype=np.float64).mean(axis=(1, 2, 3)) + 1e-3
        return cls(looks, np.square(looks, dtype=np.float64).sum(axis=1), details, richness)

    def like(self, blocks: NDArray[np.int16], rng: np.random.Generator) -> Iterator[Floats]:
        """Detail, (BLOCK, BLOCK, 3), for each of the (M, BLOCK, BLOCK) blocks of luma."""
        wanted = _about_zero(blocks)
        # Whole numbers below 2**24 all the way: exact in any order of summation.
        alike = (wanted @ self.looks.T).astype(np.float64)
        factors = np.clip(alike / (self.lengths + 1.0), 0.0, MOST_ENLARGED)
        costs = factors * (factors * self.lengths - 2 * alike)
        draws, others = rng.random(len(blocks)), rng.integers(len(self.looks), size=len(blocks))
        flat = np.square(wanted).mean(axis=1) < FLAT**2
        for index, best in enumerate(np.argsort(costs, axis=1, kind="stable")[:, :FINALISTS]):
            odds = np.sqrt(self.richness[best]).cumsum()
            chosen = best[int(np.searchsorted(odds, draws[index] * odds[-1]))]
            factor = np.float32(factors[index, chosen])
            if flat[index]:
                chosen, factor = others[index], np.float32(1)
            yield self.details[chosen] * factor


def _luma(picture: NDArray[np.uint8]) -> NDArray[np.int16]:
    """(H, W, 3) → (H, W), whole levels."""
    grey: NDArray[np.int64] = picture @ np.array([77, 150, 29])
    return (grey >> 8).astype(np.int16)


def _about_zero(blocks: NDArray[np.int16]) -> Floats:
    """(N, BLOCK, BLOCK) → (N, BLOCK²), each less its mean, within ±127."""
    flat = blocks.reshape(len(blocks), -1).astype(np.int32)
    flat -= flat.sum(axis=1, keepdims=True) // flat.shape[1]
    return np.clip(flat, -127, 127).astype(np.float32)
