"""Makes painted borders agree with the picture that they surround, and measures how well they do.

A painter changes the colours of what it was given: a VAE's round trip shifts, softens and adds
grain. So the known area is compared with what came back for it, and the border is corrected by
what was learned there. Everything follows from keyframe 0 and the canvas at hand; nothing is
remembered, so a resumed render continues exactly as an uninterrupted one. Values are sRGB, 0 … 255.
Knows no painters, settings or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.painting.feather import close, fade, falling, tattered
from renderer.painting.geometry import Area
from renderer.painting.kernels import Floats, Pixels, box_sums, round_up_by

CELLS, CELL_SIDE, CELLS_LEAST = 12, 16, 4
"""Boxes along a picture's shorter side over which it is low-passed for the fit; fewer, but at
least CELLS_LEAST, where they would be smaller than CELL_SIDE. Small boxes still hold detail that
softness takes away, and the fit would mistake that for lost contrast: boxes of 8 pixels make the
gain 0.3 to 1.6 % too high at every keyframe; these 0.0 to 0.2 %."""
GAIN_PULL = 1.0
"""Levels² by which the gain is pulled towards 1 (ridge regression): where a picture is nearly flat
its contrast says nothing about the painter's gain."""
GAIN_LIMITS = (0.8, 1.25)

MEAN_SLACK = 24.0
"""Levels that the mean colour may wander from keyframe 0's before the guard acts."""
SPREAD_SLACK = 1.6
"""Factor by which contrast may grow or shrink before the guard acts."""
SPREAD_FLOOR = 8.0
"""Spreads below this count as this: a flat first picture must not outlaw all contrast."""
GUARD_MOST = (4.0, 0.05)
"""The most that the guard moves mean (levels) and contrast (logarithm) at each keyframe."""

CLOSE_REACH = 16
"""Pixels of border that are bent to meet the picture pixel for pixel; the broad part of the
difference fades over all of the feather."""

PLASTIC = 1.324717957244746
"""The plastic ratio, x³ = x + 1: to two dimensions what the golden ratio is to one."""

SEAM_REACH = 8
"""Pixels on either side of the paste border that count as its surroundings."""
SEAM_FLOOR = 0.5
"""Gradients, in levels, that no eye can see: flat pictures give a seam of 1, not 0 ÷ 0."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Keyframe 0 in two figures: what hundreds of keyframes must not drift away from."""

    mean: tuple[float, float, float]
    """Mean of each channel."""
    spread: float
    """Standard deviation of the low-passed picture about those means, all channels together."""

    @classmethod
    def of(cls, picture: Pixels) -> Reference:
        """The figures of an (H, W, 3) picture."""
        mean, spread = _cells(picture).figures()
        return cls((float(mean[0]), float(mean[1]), float(mean[2])), spread)


@dataclass(frozen=True, slots=True)
class Correction:
    """value → gain · value + offset, one gain for all channels and an offset for each."""

    gain: float
    offset: Sequence[float]

    def apply(self, picture: Pixels) -> Floats:
        """(H, W, 3) → float32, neither rounded nor clipped."""
        height, width = picture.shape[:2]
        # Row by row: with three numbers at a time numpy takes five times as long.
        lines: Floats = picture.reshape(height, -1) * np.float32(self.gain)
        lines += np.tile(np.asarray(self.offset, np.float32), width)
        return lines.reshape(height, width, 3)


UNCHANGED = Correction(1.0, (0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """How a painted border is joined to what it surrounds; ``RenderSettings`` says why."""

    feather: int = 48
    """Pixels of border over which the difference fades to nothing; 0: it stays as it is."""
    fit: bool = True
    """Undo the painter's change of colours."""
    guard: float = 0.15
    """Share of the excess that the drift guard takes back at each keyframe, 0 … 1."""
    inner: Area | None = None
    """The part of the known area that the painter was really shown; None: all of it."""


PLAIN = Joining()


def match(
    painted: Pixels, picture: Pixels, known: Area, reference: Reference, how: Joining = PLAIN
) -> Pixels:
    """The new canvas: ``picture`` itself in ``known``, and around it the painted border, corrected.

    ``painted`` is the whole (H, W, 3) picture that the painter gave back, ``picture`` what lies in
    ``known``, pixel for pixel. A painter that kept the known area as it was is taken at its word:
    its border stays as painted, bit for bit. Otherwise three things happen to the border, each as
    far as ``how`` says: the painter's change is undone (``fit``), the drift guard acts (``guard``),
    and what still differs at the paste border fades away from it, so that no square shows.
    Colours are compared only where the painter was shown them; known pixels that it painted anew
    tell how far the border is off at the join, pixel for pixel.
    """
    if np.array_equal(painted[known.rows, known.columns], picture):
        return painted.copy()
    shown, back = _shown(painted, picture, known, how)
    correction = fit(shown, back) if how.fit else UNCHANGED
    if not np.array_equal(shown, back):
        correction = guard(correction, painted, reference, how.guard)
    corrected = correction.apply(painted)
    if how.feather:
        fade(corrected, picture, known, how.feather, how.inner)
        if how.inner is not None:
            close(corrected, picture, known, min(how.feather, CLOSE_REACH))
    canvas = _dithered(corrected)
    canvas[known.rows, known.columns] = picture
    return canvas


def rejoin(
    painted: Pixels,
    canvas: Pixels,
    known: Area,
    band: int,
    how: Joining,
    ragged: int | None = None,
) -> Pixels:
    """``canvas`` with ``band`` > 0 pixels around ``known`` replaced by what was painted there.

    ``painted`` is the whole (H, W, 3) picture that a painter made of ``canvas`` when a band on both
    sides of the edge of ``known`` was masked. Everything outside the outer half of that band stays,
    pixel for pixel. The new pixels meet ``known`` exactly and blend smoothly into the old ones.
    The drift guard has acted on the canvas already. ``ragged``: the seed of an uneven edge, where
    the new pixels and the old show different things, so that no square shows.
    """
    left, top, right, bottom = window = known.grown(band, (canvas.shape[1], canvas.shape[0]))
    picture = canvas[known.rows, known.columns]
    correction = fit(*_shown(painted, picture, known, how)) if how.fit else UNCHANGED
    corrected = correction.apply(painted)
    close(corrected, picture, known, band)
    share = falling(known, window, band)[:, :, None]
    if ragged is not None:
        share = tattered(share, band, ragged)
    mixed = share * corrected[top:bottom, left:right]
    mixed += (1 - share) * canvas[top:bottom, left:right]
    joined = canvas.copy()
    joined[top:bottom, left:right] = _dithered(mixed)
    joined[known.rows, known.columns] = picture
    return joined


def _shown(painted: Pixels, picture: Pixels, known: Area, how: Joining) -> tuple[Pixels, Pixels]:
    """What the painter was really shown of ``picture``, and what it made of that."""
    inner = how.inner or known
    seen = inner.seen_from(known)
    return picture[seen.rows, seen.columns], painted[inner.rows, inner.columns]


def fit(picture: Pixels, back: Pixels) -> Correction:
    """The correction that brings ``back`` closest to ``picture``, both (H, W, 3) and low-passed.

    Least squares with one gain for all channels: a gain for each would follow chance and tint the
    border a little more at every keyframe.
    """
    wanted, found = _cells(picture), _cells(back)
    wanted_mean, _ = wanted.figures()
    found_mean, found_spread = found.figures()
    together = found.mean_of((wanted.means - wanted_mean) * (found.means - found_mean)).mean()
    gain = (float(together) + GAIN_PULL) / (found_spread**2 + GAIN_PULL)
    gain = min(max(gain, GAIN_LIMITS[0]), GAIN_LIMITS[1])
    return Correction(gain, tuple(wanted_mean - gain * found_mean))


def guard(
    correction: Correction, painted: Pixels, reference: Reference, pull: float = PLAIN.guard
) -> Correction:
    """``correction``, and a nudge towards ``reference`` where the result is too far from it.

    ``painted`` is the whole canvas before correction, ``pull`` the share of the excess that is
    taken back; with 0 nothing changes. Within the slack nothing changes, so that
    scenes may change; beyond it the nudge stays small, so that it bends a trend and never shows.
    """
    if not pull:
        return correction
    before, spread = _cells(painted).figures()
    mean = correction.gain * before + np.asarray(correction.offset)
    spread *= correction.gain
    away = np.asarray(reference.mean) - mean
    excess = np.sign(away) * np.maximum(np.abs(away) - MEAN_SLACK, 0)
    shift = np.clip(pull * excess, -GUARD_MOST[0], GUARD_MOST[0])
    apart = float(np.log(max(reference.spread, SPREAD_FLOOR) / max(spread, SPREAD_FLOOR)))
    beyond = np.sign(apart) * max(abs(apart) - float(np.log(SPREAD_SLACK)), 0.0)
    factor = float(np.exp(np.clip(pull * beyond, -GUARD_MOST[1], GUARD_MOST[1])))
    offset = factor * (np.asarray(correction.offset) - mean) + mean + shift
    return Correction(factor * correction.gain, tuple(offset))


def seam(canvas: Pixels, known: Area) -> float:
    """Mean gradient across the paste border ÷ mean gradient around it; 1 = invisible.

    Both are of neighbouring pixels in the direction across the border, all channels together.
    """
    across, around, lengths = [], [], []
    height, width = canvas.shape[:2]
    for turned, edges, along, size in (
        (canvas, (known.top, known.bottom), known.columns, height),
        (canvas.swapaxes(0, 1), (known.left, known.right), known.rows, width),
    ):
        for edge in edges:
            if 0 < edge < size:
                first = max(edge - SEAM_REACH, 0)
                band = turned[first : edge + SEAM_REACH, along].astype(np.int16)
                steps = np.abs(np.diff(band, axis=0)).mean(axis=(1, 2))
                at = edge - first - 1
                across.append(steps[at])
                around.append(np.delete(steps, at).mean())
                lengths.append(band.shape[1])
    inner, outer = (np.average(each, weights=lengths) for each in (across, around))
    return float((inner + SEAM_FLOOR) / (outer + SEAM_FLOOR))


def drift(canvas: Pixels, reference: Reference) -> float:
    """Distance of the mean colour from keyframe 0's: root mean square over channels, of 255."""
    mean, _ = _cells(canvas).figures()
    return float(np.sqrt(np.mean((mean - np.asarray(reference.mean)) ** 2)))


@dataclass(frozen=True, slots=True)
class _Cells:
    """A picture low-passed to a few large boxes."""

    means: NDArray[np.float64]
    """(rows, columns, 3)."""
    weights: NDArray[np.float64]
    """(rows, columns): the share of the picture that each box covers."""

    def mean_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the picture of (rows, columns, 3) values, a channel each."""
        return np.tensordot(self.weights, values, axes=2)

    def figures(self) -> tuple[NDArray[np.float64], float]:
        """Mean of each channel, and standard deviation about them, all channels together."""
        mean = self.mean_of(self.means)
        return mean, float(np.sqrt(self.mean_of((self.means - mean) ** 2).mean()))


def _cells(picture: Pixels) -> _Cells:
    """The (H, W, 3) picture in boxes as nearly square and equal as whole pixels allow."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    side = shorter / max(min(CELLS, shorter // CELL_SIDE), CELLS_LEAST)
    tops, lefts = (np.linspace(0, n, round(n / side) + 1).astype(int) for n in (height, width))
    sums = np.empty((len(tops) - 1, len(lefts) - 1, 3), np.int64)
    # Writable only so that numba, to which a read-only array is another type, compiles once.
    lines = np.require(picture.reshape(height, -1), requirements="W")
    box_sums(lines, tops, lefts, sums)
    areas = np.outer(np.diff(tops), np.diff(lefts))
    return _Cells(sums / areas[:, :, None], areas / (height * width))


def _dithered(values: Floats) -> Pixels:
    """(H, W, 3) → uint8, rounded up or down by a fixed pattern, so that means survive.

    Painted values are whole, so plain rounding would err the same way at each level: a dark sky
    would lose 0.2 levels at each keyframe. The pattern is Martin Roberts's R2 sequence (2018).
    """
    height, width = values.shape[:2]
    step = 1 / PLASTIC
    across = np.repeat(step * np.arange(width) % 1, 3).astype(np.float32)
    down = (step * step * np.arange(height) % 1).astype(np.float32)
    dithered = np.empty(values.shape, np.uint8)
    round_up_by(values.reshape(height, -1), across, down, dithered.reshape(height, -1))
    return dithered
