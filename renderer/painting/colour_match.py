"""Makes painted borders agree with the picture that they surround, and measures how well they do.

A painter changes the colours of what it was given: a VAE's round trip shifts, softens and adds
grain. So the known area is compared with what came back for it, and the border is corrected by
what was learned there. Everything follows from one earlier keyframe and the canvas at hand; nothing
else is remembered, so a resumed render continues exactly as an uninterrupted one. Values are sRGB,
0 … 255. Knows no painters, settings or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.painting.feather import close, fade, falling, tattered
from renderer.painting.geometry import Area
from renderer.painting.kernels import Floats, Pixels, plain, recolour, round_up_by
from renderer.painting.low_pass import LUMA, Cells, low_passed

GAIN_LIKELY = 0.1
"""How far from 1 a painter's gain is to be expected (standard deviation). A fit is pulled to 1 as
far as it is uncertain: a picture that is nearly flat, or grey, says nothing about the gain."""
GAIN_LIMITS = (0.8, 1.25)
GRAIN_MOST = 1.0
"""Variance, levels², that grain can have in a box; what differs by more was painted so."""
TINY = 1e-6
"""Levels²: less than rounding can tell apart."""

MEAN_SLACK = 24.0
"""Levels that the mean colour may wander from the reference's before the guard acts."""
SPREAD_SLACK = 1.6
"""Factor by which contrast or saturation may grow or shrink before the guard acts."""
SPREAD_FLOORS = (8.0, 4.0)
"""Contrast and saturation below this count as this: a flat picture must not outlaw all contrast,
nor a grey one all colour."""
GUARD_MOST = (4.0, 0.05)
"""The most that the guard moves means (levels) and spreads (logarithm) at each keyframe."""

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
    """A keyframe in a few figures: what hundreds of keyframes must not drift away from."""

    mean: tuple[float, float, float]
    """Mean of each channel."""
    spread: float
    """Contrast: standard deviation of the low-passed picture about those means, all channels
    together."""
    saturation: float = 0.0
    """The same of its chroma."""

    @classmethod
    def of(cls, picture: Pixels) -> Reference:
        """The figures of an (H, W, 3) picture."""
        cells = low_passed(picture)
        red, green, blue = map(float, cells.mean)
        return cls((red, green, blue), *cells.spreads(1, 1))


@dataclass(frozen=True, slots=True)
class Correction:
    """value → gain · luma + chroma · (value - luma) + offset, and of that only the last differs
    from channel to channel."""

    gain: float
    offset: Sequence[float]
    chroma: float = 1.0

    def apply(self, picture: Pixels) -> Floats:
        """(H, W, 3) → float32, neither rounded nor clipped."""
        offset = np.asarray(self.offset, np.float32)
        out = np.empty(picture.shape, np.float32)
        weights = ((self.gain - self.chroma) * LUMA).astype(np.float32)
        recolour(plain(picture), weights, np.float32(self.chroma), offset, out)
        return out


def _regained(colour: NDArray[np.float64], gain: float, chroma: float) -> NDArray[np.float64]:
    """What becomes of a colour, (3), by these gains alone."""
    luma = float(LUMA @ colour)
    return gain * luma + chroma * (colour - luma)


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
    painted: Pixels,
    picture: Pixels,
    known: Area,
    reference: Reference | None,
    how: Joining = PLAIN,
) -> Pixels:
    """The new canvas: ``picture`` itself in ``known``, and around it the painted border, corrected.

    ``painted`` is the whole (H, W, 3) picture that the painter gave back, ``picture`` what lies in
    ``known``, pixel for pixel. A painter that kept the known area as it was is taken at its word:
    its border stays as painted, bit for bit. Otherwise three things happen to the border, each as
    far as ``how`` says: the painter's change is undone (``fit``), the drift guard acts (``guard``;
    not without a ``reference``),
    and what still differs at the paste border fades away from it, so that no square shows.
    Colours are compared only where the painter was shown them; known pixels that it painted anew
    tell how far the border is off at the join, pixel for pixel.
    """
    if np.array_equal(painted[known.pixels], picture):
        return painted.copy()
    shown, back = _shown(painted, picture, known, how)
    correction = fit(shown, back) if how.fit else UNCHANGED
    if reference is not None and not np.array_equal(shown, back):
        correction = guard(correction, painted, reference, how.guard)
    corrected = correction.apply(painted)
    if how.feather:
        fade(corrected, picture, known, how.feather, how.inner)
        if how.inner is not None:
            close(corrected, picture, known, min(how.feather, CLOSE_REACH))
    canvas = _dithered(corrected)
    canvas[known.pixels] = picture
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
    window = known.grown(band, (canvas.shape[1], canvas.shape[0]))
    picture = canvas[known.pixels]
    correction = fit(*_shown(painted, picture, known, how)) if how.fit else UNCHANGED
    corrected = correction.apply(painted)
    close(corrected, picture, known, band)
    share = falling(known, window, band)[:, :, None]
    if ragged is not None:
        share = tattered(share, band, ragged)
    joined = canvas.copy()
    joined[window.pixels] = _dithered(
        share * corrected[window.pixels] + (1 - share) * canvas[window.pixels]
    )
    joined[known.pixels] = picture
    return joined


def _shown(painted: Pixels, picture: Pixels, known: Area, how: Joining) -> tuple[Pixels, Pixels]:
    """What the painter was really shown of ``picture``, and what it made of that."""
    inner = how.inner or known
    seen = inner.seen_from(known)
    return picture[seen.pixels], painted[inner.pixels]


def fit(picture: Pixels, back: Pixels) -> Correction:
    """The correction that brings ``back`` closest to ``picture``, both (H, W, 3) and low-passed.

    Least squares with one gain for luma and one for chroma: a gain for each channel would follow
    chance and tint the border a little more at every keyframe.
    """
    wanted, found = low_passed(picture), low_passed(back)
    gain, chroma = (
        float(np.clip(_gain(asked, answer, wanted), *GAIN_LIMITS))
        for asked, answer in zip(wanted.parts, found.parts, strict=True)
    )
    return Correction(gain, tuple(wanted.mean - _regained(found.mean, gain, chroma)), chroma)


def _gain(asked: NDArray[np.float64], answer: NDArray[np.float64], cells: Cells) -> float:
    """What ``answer`` is to be multiplied by, pulled to 1 as far as that is uncertain.

    Ridge regression (Hoerl & Kennard, Technometrics 12, 1970) with the prior GAIN_LIKELY; what
    little grain is left in ``answer`` is taken out first, or it would pass for contrast.
    """
    square, both, other = (
        float(cells.mean_of(values).mean()) for values in (asked**2, asked * answer, answer**2)
    )
    if square > GRAIN_MOST and both * abs(both) < square * other / 4:
        return GAIN_LIMITS[0]  # next to nothing of the picture came back: the less of it the better
    grain = min(max(other - both**2 / max(square, TINY), 0.0), GRAIN_MOST)
    pull = grain / (cells.weights.size * GAIN_LIKELY**2) + TINY
    return (both + pull) / (other - grain + pull)


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
    cells = low_passed(painted)
    mean = _regained(cells.mean, correction.gain, correction.chroma) + correction.offset
    away = np.asarray(reference.mean) - mean
    excess = np.sign(away) * np.maximum(np.abs(away) - MEAN_SLACK, 0)
    shift = np.clip(pull * excess, -GUARD_MOST[0], GUARD_MOST[0])
    spreads = np.maximum(cells.spreads(correction.gain, correction.chroma), SPREAD_FLOORS)
    apart = np.log(np.maximum((reference.spread, reference.saturation), SPREAD_FLOORS) / spreads)
    beyond = np.sign(apart) * np.maximum(np.abs(apart) - np.log(SPREAD_SLACK), 0)
    factors = np.exp(np.clip(pull * beyond, -GUARD_MOST[1], GUARD_MOST[1]))
    if not shift.any() and np.all(factors == 1):
        return correction
    gain, chroma = correction.gain * float(factors[0]), correction.chroma * float(factors.prod())
    return Correction(gain, tuple(mean + shift - _regained(cells.mean, gain, chroma)), chroma)


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


def drift(canvas: Pixels, reference: Reference | None) -> float:
    """Distance of the mean colour from the reference's: root mean square over channels, of 255;
    0 without one."""
    if reference is None:
        return 0.0
    away = low_passed(canvas).mean - reference.mean
    return float(np.sqrt(np.mean(away**2)))


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
