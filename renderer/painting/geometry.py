"""Where everything lies: pads, canvases, and the part of each canvas that is already known.

Pure arithmetic on whole pixels. Knows no pictures, no painters and no film.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from renderer.errors import SettingsError
from renderer.settings.film import MAX_SIDE
from renderer.settings.painting import Method
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

_FLOAT_NOISE = 1e-6
"""An excess over whole multiples up to this (of a multiple) is rounding noise of ρ, not a need."""


class Area(NamedTuple):
    """A rectangle of whole pixels: columns left ≤ x < right, rows top ≤ y < bottom."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.right)

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Their index in an array."""
        return self.rows, self.columns

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def seen_from(self, other: Area) -> Area:
        """The same rectangle, counted from the top left corner of ``other``."""
        x, y = other.left, other.top
        return Area(self.left - x, self.top - y, self.right - x, self.bottom - y)

    def grown(self, pixels: int, size: Size) -> Area:
        """This and ``pixels`` around it, as far as a canvas of that size goes."""
        width, height = size
        return Area(
            max(self.left - pixels, 0),
            max(self.top - pixels, 0),
            min(self.right + pixels, width),
            min(self.bottom + pixels, height),
        )


@dataclass(frozen=True, slots=True)
class Growth:
    """One paint call: a canvas, and where the known part lies in it."""

    canvas_size: Size
    known: Area

    @property
    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is added to the known part, as numpy.pad wants it: (top, bottom), (left, right)."""
        width, height = self.canvas_size
        left, top, right, bottom = self.known
        return (top, height - bottom), (left, width - right)

    def inside(self, pixels: float, multiple: int) -> Area:
        """The known part without a band of ``pixels`` along the sides where it is to grow.

        The band is a whole number of ``multiple``, rounded up, but at least half of the known part
        is left.
        """
        (top, bottom), (left, right) = self.pads
        known = self.known
        across = _band(pixels, known.width, multiple)
        down = _band(pixels, known.height, multiple)
        return Area(
            known.left + (across if left else 0),
            known.top + (down if top else 0),
            known.right - (across if right else 0),
            known.bottom - (down if bottom else 0),
        )


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of one film's chain of keyframes, the same for every keyframe from the second on.

    The pads are multiples of ``canvas_multiple``, so the canvas is ρW x ρH or a little larger; what
    the next picture and the film see is always ``view``, exactly ρW x ρH.
    """

    keyframe_size: Size
    canvas_size: Size
    pad: tuple[int, int]
    """Pixels added at the left and right, and at the top and bottom."""
    zoom_factor: float

    @classmethod
    def of(cls, settings: RenderSettings) -> Geometry:
        """The geometry that these settings mean."""
        width, height = settings.keyframe_size
        px = pad_for(width, settings.zoom_factor, settings.canvas_multiple)
        py = pad_for(height, settings.zoom_factor, settings.canvas_multiple)
        return cls(
            keyframe_size=(width, height),
            canvas_size=(width + 2 * px, height + 2 * py),
            pad=(px, py),
            zoom_factor=settings.zoom_factor,
        )

    def stored_size(self, keyframe: int) -> Size:
        """Of the picture that is kept: keyframe 0 is the first picture, all others are canvases."""
        return self.canvas_size if keyframe else self.keyframe_size

    @property
    def known(self) -> Area:
        """Where the previous picture lies on the canvas."""
        (width, height), (px, py) = self.keyframe_size, self.pad
        return Area(px, py, px + width, py + height)

    @property
    def view(self) -> tuple[float, float, float, float]:
        """The next picture's box on the canvas: left, top, right, bottom, real numbers."""
        (cw, ch), (w, h), rho = self.canvas_size, self.keyframe_size, self.zoom_factor
        # Never outside the canvas, not even by the noise that pad_for forgives.
        left, top = max(0.0, (cw - rho * w) / 2), max(0.0, (ch - rho * h) / 2)
        return left, top, cw - left, ch - top

    def place(self, left: int, top: int) -> Area:
        """A picture that begins there in a canvas: what comes next where the film dives."""
        width, height = self.keyframe_size
        return Area(left, top, left + width, top + height)

    def holds(self, dives_to: tuple[int, int]) -> bool:
        """Whether the film sees the whole of the picture at that left and top of a canvas."""
        left, top, right, bottom = self.view
        area = self.place(*dives_to)
        return (
            left <= area.left and top <= area.top and area.right <= right and area.bottom <= bottom
        )

    @property
    def direct(self) -> tuple[Growth]:
        """All four sides in one call."""
        return (Growth(self.canvas_size, self.known),)

    @property
    def sequential(self) -> tuple[Growth, Growth, Growth, Growth]:
        """Left, top, right, bottom; each call's canvas is the next one's known part."""
        (w, h), (px, py) = self.keyframe_size, self.pad
        return (
            Growth((px + w, h), Area(px, 0, px + w, h)),
            Growth((px + w, py + h), Area(0, py, px + w, py + h)),
            Growth((px + w + px, py + h), Area(0, 0, px + w, py + h)),
            Growth((px + w + px, py + h + py), Area(0, 0, px + w + px, py + h)),
        )

    def calls(self, method: Method, window: int = 0) -> tuple[Growth, ...]:
        """The steps in which a canvas grows to one keyframe, in order.

        ``window``: the side, pixels, of the windows in which a canvas that is larger is painted one
        after the other; it then grows in one step. 0: there are none.
        """
        at_once = method != "sequential" or 0 < window < max(self.canvas_size)
        return self.direct if at_once else self.sequential


def pad_for(side: int, zoom_factor: float, multiple: int) -> int:
    """Pixels to add at each end of a side: the least multiple that reaches ρ times the side."""
    needed = (zoom_factor - 1) * side / 2 / multiple
    return max(1, math.ceil(needed - _FLOAT_NOISE)) * multiple


def whole(pixels: float, multiple: int) -> int:
    """``pixels`` ≥ 0 in whole multiples, rounded up."""
    return math.ceil(pixels / multiple) * multiple


def _band(pixels: float, side: int, multiple: int) -> int:
    """``pixels`` in whole multiples, at most a quarter of ``side``."""
    return min(whole(pixels, multiple), side // 4 // multiple * multiple)


def zoom_factor_from_pixels(outpaint_pixels: int, keyframe_size: Size) -> float:
    """ρ for a border of ``outpaint_pixels`` at every end of the picture's shorter edge.

    The longer edge grows in proportion. Raises SettingsError for a border of no pixels, or of more
    than any picture has.
    """
    if outpaint_pixels < 1:
        raise SettingsError(
            f"outpaint size must be at least 1 pixel, not {outpaint_pixels}", "outpaint_size"
        )
    if outpaint_pixels > MAX_SIDE:
        raise SettingsError(f"outpaint size must be at most {MAX_SIDE} pixels", "outpaint_size")
    short = min(keyframe_size)
    return (short + 2 * outpaint_pixels) / short
