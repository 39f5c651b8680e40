"""The ``texture`` painter: the border is grown from patches of an exemplar, without any model.

Image quilting (``quilting.py``), with what an endless zoom needs on top:

- **Scale follows distance.** A picture that shrinks by ρ from keyframe to keyframe shows things in
  proportion to their distance from the middle. New border is painted the same way: at 1/ρ of the
  exemplar's scale where it meets the known area, at full scale at its outer edge, so that no ring
  announces itself by a step in the size of its stars.
- **Nothing is cut through.** Patches on the canvas's edge are chosen so that no large thing hangs
  over it, where the next keyframe would have to finish it; what a first picture cuts nevertheless
  is finished by a guess (``edges.py``).
- **Nothing is seen twice.** Places used in this canvas are avoided, and what catches the eye takes
  turns from keyframe to keyframe.
- **No drift.** Cuts like the dark, so a border would get darker and emptier from keyframe to
  keyframe. Of the patches that fit, one is taken that keeps the border's brightness nearest to
  the exemplar's.

In a dive nothing is quilted: the picture gets detail from the exemplar (``detail.py``).

Reads the job alone and keeps nothing between calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.geometry import Area
from renderer.painting.painters import OnStep, PaintJob, preview_hook
from renderer.painting.painters.texture import edges, quilting
from renderer.painting.painters.texture.detail import refined
from renderer.painting.painters.texture.exemplar import (
    LEVELS_PER_OCTAVE,
    Exemplar,
    read_exemplar,
    shipped_picture,
)
from renderer.painting.painters.texture.patchwork import cells, relative_scale
from renderer.painting.painters.texture.usage import Usage

if TYPE_CHECKING:
    from renderer.settings.render import RenderSettings

CANDIDATES = 480
"""Blocks looked at for each patch."""
FINALISTS = 16
"""Of these, how many have their cuts worked out."""
TOLERANCE = 1.4
"""A finalist within this factor of the cheapest may be picked."""
PITCHES = 12, 96
"""Bounds of the distance between patches, pixels."""
CHOICES = 4
"""So many such finalists are drawn; the one that keeps the brightness best is taken."""
FIRST_CROPS = 32
"""Crops of the exemplar that are tried for the middle of a first picture."""


def create(settings: RenderSettings) -> TexturePainter:
    """The painter that the settings ask for. Raises SettingsError for an unusable exemplar."""
    return TexturePainter(read_exemplar(Path(settings.exemplar)) if settings.exemplar else None)


class TexturePainter:
    """Paints from patches of ``exemplar``, (H, W, 3) uint8 sRGB; None: the star field shipped."""

    def __init__(self, exemplar: NDArray[np.uint8] | None) -> None:
        self._exemplar = Exemplar(shipped_picture() if exemplar is None else exemplar)

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        """The whole picture; known pixels come back unchanged. One step a patch."""
        if job.refine:
            return refined(self._exemplar.level(LEVELS_PER_OCTAVE), job, on_step)  # crisp pixels
        quilt = _Quilt(self._exemplar, job)
        for done, cell in enumerate(quilt.cells, start=1):
            quilt.fill(cell)
            on_step(done, len(quilt.cells))
            if preview_hook.wanted():
                preview_hook.show(preview_hook.sampled(quilt.pixels))
        return quilt.pixels


@dataclass(frozen=True, slots=True)
class _Patch:
    """A candidate, cut out and fitted."""

    cost: float
    pixels: quilting.Pixels
    shows: NDArray[np.bool_]
    origin: NDArray[np.float64]
    """(top, left, bottom, right) in the exemplar at full scale."""


class _Quilt:
    """One canvas in the making."""

    def __init__(self, exemplar: Exemplar, job: PaintJob) -> None:
        self._exemplar = exemplar
        self._rng = np.random.Generator(np.random.PCG64(job.seed))
        self._shape: tuple[int, int] = job.mask.shape
        self._size = self._shape[::-1]
        pitch = max(PITCHES[0], min(min(self._shape) // 7, PITCHES[1], exemplar.short_side // 6))
        self._margin = pitch // 4
        self.pixels = np.array(job.canvas, order="C")
        self._state = np.where(job.mask, quilting.EMPTY, quilting.FIXED).astype(np.uint8)
        mask, core = job.mask, _bounds(~job.mask)
        if not core.width:
            core = self._begin(pitch)
            mask = mask.copy()
            mask[core.pixels] = False
        else:
            self._guess_beyond()
        self._core = core
        # A first picture has one scale all over, so the first ring has it too.
        self._graded = job.keyframe > 1
        # A canvas that grows on one side shows other things above and below than left and right.
        turn = job.keyframe + (core.width == self._shape[1])
        self._usage = Usage(exemplar.salient, turn if job.keyframe else None)
        self._excess = 0.0
        spread = float(exemplar.spread.mean())
        # What two unrelated places of the ground differ by, three channels together; and the most
        # that a thing on the ground may count for.
        self._noise = round(6 * (1.5 * spread) ** 2)
        self._guess = min(self._noise // 2, 500)
        self._cap = round(3 * (6 * spread) ** 2)
        self.cells = cells(core, mask, pitch, self._rng)

    def _begin(self, pitch: int) -> Area:
        """Put a crop of the exemplar into the middle of an empty canvas; the box that is done.

        It leaves room for a row of patches all round, whose outer edge cuts through nothing.
        """
        source, canvas = self._exemplar.pixels, self._shape
        height, width = (min(canvas[i] - 2 * pitch, source.shape[i]) for i in (0, 1))
        crops = []
        for _ in range(FIRST_CROPS):
            y = int(self._rng.integers(source.shape[0] - height + 1))
            x = int(self._rng.integers(source.shape[1] - width + 1))
            crops.append(source[y : y + height, x : x + width])
        crop = min(crops, key=lambda c: sum(map(self._cut_cost, (c[0], c[-1], c[:, 0], c[:, -1]))))
        top, left = (canvas[0] - height) // 2, (canvas[1] - width) // 2
        area = Area(left, top, left + width, top + height)
        self.pixels[area.pixels] = crop
        self._state[area.pixels] = quilting.PAINTED
        return area.grown(-self._margin, self._size)

    def _guess_beyond(self) -> None:
        """Continue the known area a little beyond its edges, for cuts to lean on."""
        ground, spread = self._exemplar.ground, self._exemplar.spread
        for turns in range(4):  # each side in turn is brought to the left; np.rot90 gives views
            pixels, state = np.rot90(self.pixels, turns), np.rot90(self._state, turns)
            core = _bounds(state == quilting.FIXED)
            reach = min(self._margin, core.left // 3, core.width - 1)
            if reach < 1:
                continue
            inside = core.rows, slice(core.left, core.left + reach + 1)
            beyond = core.rows, slice(core.left - reach, core.left)
            known = (state[inside] == quilting.FIXED).all(axis=1, keepdims=True)
            guessed = known & (state[beyond] == quilting.EMPTY)
            guess = edges.continued(pixels[inside], ground, spread)[:, ::-1]
            pixels[beyond][guessed] = guess[guessed]
            state[beyond][guessed] = quilting.GUESSED

    def fill(self, cell: Area) -> None:
        """Paint one cell and a margin around it."""
        window = cell.grown(self._margin, self._size)
        old, state = self.pixels[window.pixels].copy(), self._state[window.pixels].copy()
        patches = self._finalists(cell, old, state)
        limit = TOLERANCE * min(patch.cost for patch in patches)
        good = [patch for patch in patches if patch.cost <= limit]
        some = [good[i] for i in self._rng.integers(len(good), size=CHOICES)]
        chosen = min(some, key=lambda patch: abs(self._excess_with(patch)))
        self._excess = self._excess_with(chosen)
        self._usage.mark(chosen.origin)
        quilting.join(old, chosen.pixels, state, chosen.shows)
        self.pixels[window.pixels], self._state[window.pixels] = old, state

    def _finalists(self, cell: Area, old: quilting.Pixels, state: quilting.State) -> list[_Patch]:
        """Random places of the exemplar, the best of them fitted into a window."""
        rng, exemplar = self._rng, self._exemplar
        height, width = state.shape
        scale = relative_scale(self._core, self._shape, cell) if self._graded else 1.0
        scale *= 2 ** rng.uniform(-0.2, 0.2)
        level = exemplar.level_for(scale, max(height, width))
        source = exemplar.level(level)
        poses = rng.integers(8 if exemplar.turnable else quilting.FLIP_X + 1, size=CANDIDATES)
        turned = poses & quilting.TURN != 0
        heights, widths = np.where(turned, width, height), np.where(turned, height, width)
        ys = rng.integers(source.shape[0] - heights + 1)
        xs = rng.integers(source.shape[1] - widths + 1)
        misfits = quilting.misfits(source, ys, xs, poses, old, state, self._cap)
        inner = self._margin // 2
        places = np.stack([ys + inner, xs + inner, ys + heights - inner, xs + widths - inner])
        origins = places.T * 2 ** (level / LEVELS_PER_OCTAVE)
        penalties = self._usage.penalties(origins)
        best = np.argsort((misfits + self._noise) * penalties, kind="stable")[:FINALISTS]
        patches = []
        for i in best:
            block = quilting.posed(source, ys[i], xs[i], (height, width), poses[i])
            cost, shows = quilting.cuts(old, block, state, 2 * self._margin, self._guess)
            cost += self._overhang(cell, block) + self._noise * (height + width)
            patches.append(_Patch(cost * float(penalties[i]), block, shows, origins[i]))
        return patches

    def _overhang(self, cell: Area, block: quilting.Pixels) -> int:
        """What hangs over the canvas's edges if this block fills the cell's window."""
        sides = (
            (cell.top == 0, block[0]),
            (cell.left == 0, block[:, 0]),
            (cell.bottom == self._shape[0], block[-1]),
            (cell.right == self._shape[1], block[:, -1]),
        )
        return sum(self._cut_cost(line) for on_edge, line in sides if on_edge)

    def _cut_cost(self, line: NDArray[np.uint8]) -> int:
        return edges.cut_cost(line, self._exemplar.ground, self._exemplar.spread)

    def _excess_with(self, patch: _Patch) -> float:
        """Brightness above the exemplar's mean, summed over all that patches show with this one."""
        shown = patch.pixels[patch.shows]
        return self._excess + float(shown.sum()) - self._exemplar.mean * shown.size


def _bounds(known: NDArray[np.bool_]) -> Area:
    """The smallest area around what is known; without pixels where nothing is."""
    return Area(*(Image.fromarray(known).getbbox() or (0, 0, 0, 0)))
