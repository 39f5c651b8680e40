"""The camera: which box of a canvas the film sees at which time. Pure arithmetic, no pixels.

The camera pulls back at constant perceived speed: its view grows by the factor ρ^t, so every frame
is larger than the one before by the same ratio. Boxes are real numbers and are never rounded: that
is what keeps a slow zoom from shaking. Knows nothing of keyframes on disk, of resampling or of time
beyond t in [0, 1] inside one interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from renderer.errors import ProjectError
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

_ROUNDING = 1e-6
"""Pixels by which floating point may put a view outside its canvas: 168 x (184/168) > 184."""

Place = tuple[int, int]
"""Left and top of a picture in a canvas."""
Drift = tuple[float, float]
"""How fast a view moves across and down: in its own widths and heights, for each interval."""


class Canvas(Protocol):
    """What the camera is told of the canvas of an interval."""

    @property
    def dives_to(self) -> Place | None:
        """The picture that comes next, where the film dives; None: it zooms out."""

    @property
    def stops(self) -> bool:
        """The film comes to rest at its end, since it goes the other way from there."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the camera goes through the canvas of one interval."""

    dives_to: Place | None = None
    """The picture that comes next, where the film dives; None: it zooms out."""
    from_rest: bool = False
    """It begins at rest: the one before went the other way."""
    to_rest: bool = False
    """It ends at rest."""
    drift: Drift | None = None
    """The drift that a dive begins with, which the one before ended with; None: its own."""
    ease: float = 0.0
    """Share of the interval in which that becomes its own."""


OUT = Way()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a canvas, in pixels, edge to edge: pixel i spans i to i + 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Camera:
    """The path of one film's camera; the same for all its intervals, but for where a dive goes.

    The outer keyframe of an interval is a canvas that holds the picture before it, of
    ``keyframe_size``, pixel for pixel in its middle. At t = 0 the film shows the largest box of its
    own aspect inside that picture, at t = 1 the same box ρ times larger: what the next interval
    starts with.
    """

    film_size: Size
    keyframe_size: Size
    zoom_factor: float
    """ρ > 1."""
    ease: float = 0.0
    """Share of an interval in which a dive changes its direction."""

    @classmethod
    def of(cls, settings: RenderSettings) -> Camera:
        """The camera of the film that ``settings`` describe."""
        return cls(settings.size, settings.keyframe_size, settings.zoom_factor, settings.focus_ease)

    def ways(self, canvas_size: Size, canvases: Iterable[Canvas]) -> Iterator[Way]:
        """The way through each canvas.

        It follows from those before it, never from what comes: that may not be painted yet.
        """
        before: Way | None = None
        drift: Drift | None = None
        whole = self.view(canvas_size, 1.0)
        for canvas in canvases:
            place = canvas.dives_to
            rests = before is not None and (
                before.to_rest or (place is None) != (before.dives_to is None)
            )
            way = Way(place, from_rest=rests, to_rest=canvas.stops)
            before = self._eased(whole, way, None if rests else drift)
            yield before
            drift = self._drifts(whole, before)[1] if place else None

    def _eased(self, whole: Box, way: Way, drift: Drift | None) -> Way:
        """``way`` from ``drift`` on, as gently as can be.

        No view can drift faster than a dive into a corner does, or it would leave the canvas.
        """
        if drift is None:
            return way
        most = math.log(self.zoom_factor) / 2 + _ROUNDING
        for ease in (self.ease, self.ease / 2, self.ease / 4, self.ease / 8):
            eased = replace(way, drift=drift, ease=ease)
            if ease and max(map(abs, self._drifts(whole, eased)[1])) <= most:
                return eased
        return way

    def view(self, canvas_size: Size, t: float, way: Way = OUT) -> Box:
        """The box seen at ``t`` (0 … 1) of an interval whose canvas is this large.

        A dive begins with what the film else ends with, and goes straight to the first view of the
        picture that comes next, about the one point that both have at the same place; where it
        begins with another drift, in a curve. Raises ProjectError for a canvas too small to hold
        the view: it is no keyframe of this film.
        """
        t = _paced(t, way)
        if way.dives_to is not None:
            return self._diving(canvas_size, t, way)
        width, height = self._first_view
        grown = self.zoom_factor**t
        width, height = width * grown, height * grown
        canvas_width, canvas_height = canvas_size
        if width > canvas_width + _ROUNDING or height > canvas_height + _ROUNDING:
            raise ProjectError(
                f"a keyframe of {canvas_width}x{canvas_height} pixels is too small for this film, "
                f"which looks at {width:.1f}x{height:.1f} of it; it belongs to other settings"
            )
        left, top = (canvas_width - width) / 2, (canvas_height - height) / 2
        return Box(left, top, left + width, top + height)

    def _diving(self, canvas_size: Size, t: float, way: Way) -> Box:
        whole, shrunk = self.view(canvas_size, 1.0), self.zoom_factor**-t
        began, drift = self._drifts(whole, way)
        curved = self._gone(t, way.ease) if way.ease else 0.0
        edges = []
        for start, size, first, last in zip(
            (whole.left, whole.top), (whole.width, whole.height), began, drift, strict=True
        ):
            moved = last * self._gone(t) + (first - last) * curved
            edges.append(start + size * ((1 - shrunk) / 2 + moved))
        x, y = edges
        return Box(x, y, x + whole.width * shrunk, y + whole.height * shrunk)

    def _drifts(self, whole: Box, way: Way) -> tuple[Drift, Drift]:
        """With which a dive begins, and ends, so that it arrives."""
        assert way.dives_to is not None
        (left, top), (width, height) = way.dives_to, self.keyframe_size
        aims = (
            (left + width / 2 - (whole.left + whole.right) / 2) / whole.width,
            (top + height / 2 - (whole.top + whole.bottom) / 2) / whole.height,
        )
        straight = self._gone(1.0)
        if way.drift is None:
            own = (aims[0] / straight, aims[1] / straight)
            return own, own
        curved = self._gone(1.0, way.ease)
        x, y = (
            (aim - first * curved) / (straight - curved)
            for aim, first in zip(aims, way.drift, strict=True)
        )
        return way.drift, (x, y)

    def _gone(self, t: float, ease: float | None = None) -> float:
        """How far, in widths of the first view, a drift of 1 goes until ``t``.

        ``ease``: a drift that falls steadily from 1 to 0 in that time, and stays there. The view
        shrinks as ρ^-t meanwhile: these are the integrals of ρ^-t and of (1 - t / ease) ρ^-t.
        """
        log_rho = math.log(self.zoom_factor)
        end = t if ease is None else min(t, ease)
        left = math.exp(-log_rho * end)
        gone = (1 - left) / log_rho
        if ease is None:
            return gone
        return gone - (1 - left * (1 + log_rho * end)) / (ease * log_rho**2)

    @property
    def enlargement(self) -> float:
        """Film pixels for each keyframe pixel at t = 0, where it is largest; above 1 is soft."""
        return self.film_size[0] / self._first_view[0]

    @property
    def _first_view(self) -> tuple[float, float]:
        """(width, height) of the largest box of the film's aspect inside the picture."""
        film_width, film_height = self.film_size
        width, height = self.keyframe_size
        return (
            min(width, height * film_width / film_height),
            min(height, width * film_height / film_width),
        )


def _paced(t: float, way: Way) -> float:
    """Time with which the camera starts or stops gently; its speed is 1 where it does neither."""
    if way.from_rest and way.to_rest:
        return t * t * (3 - 2 * t)
    if way.from_rest:
        return t * t * (2 - t)
    if way.to_rest:
        return 1 - (1 - t) ** 2 * (1 + t)
    return t
