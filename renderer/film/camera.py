"""The camera: which box of a canvas the film sees at which time. Pure arithmetic, no pixels.

The camera pulls back at constant perceived speed: its view grows by the factor ρ^t, so every frame
is larger than the one before by the same ratio. Boxes are real numbers and are never rounded: that
is what keeps a slow zoom from shaking. Knows nothing of keyframes on disk, of resampling or of time
beyond t in [0, 1] inside one interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from renderer.errors import ProjectError
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

_ROUNDING = 1e-6
"""Pixels by which floating point may put a view outside its canvas: 168 x (184/168) > 184."""


Place = tuple[int, int]
"""Left and top of a picture in a canvas."""


def turns(before: Place | None, now: Place | None) -> bool:
    """Whether the film changes between zooming out and diving, from an interval to the next one.

    Each is given by where it dives to.
    """
    return (before is None) != (now is None)


def from_rest(t: float) -> float:
    """``t`` of an interval whose camera begins at rest and ends at the speed of any other."""
    return t * t * (2 - t)


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

    @classmethod
    def of(cls, settings: RenderSettings) -> Camera:
        """The camera of the film that ``settings`` describe."""
        return cls(settings.size, settings.keyframe_size, settings.zoom_factor)

    def view(self, canvas_size: Size, t: float, dives_to: Place | None = None) -> Box:
        """The box seen at ``t`` (0 … 1) of an interval whose canvas is this large.

        ``dives_to``: the left and top of the picture that comes next, where the film dives: it then
        begins with what it else ends with, and goes straight to that picture's first view, about
        the one point that both have at the same place. Raises ProjectError for a canvas too small
        to hold the view: it is no keyframe of this film.
        """
        if dives_to is not None:
            return self._diving(canvas_size, t, dives_to)
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

    def _diving(self, canvas_size: Size, t: float, dives_to: Place) -> Box:
        whole = self.view(canvas_size, 1.0)
        shrunk = self.zoom_factor**-t
        gone = (1 - shrunk) / (1 - 1 / self.zoom_factor)
        (left, top), (width, height) = dives_to, self.keyframe_size
        first_width, first_height = self._first_view
        x = whole.left + gone * (left + (width - first_width) / 2 - whole.left)
        y = whole.top + gone * (top + (height - first_height) / 2 - whole.top)
        return Box(x, y, x + whole.width * shrunk, y + whole.height * shrunk)

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
