"""Depth → which canvas, and which box of it, also about a focus off the centre. Pure arithmetic.

Lengths are in pixels of the first picture P0, the chain's middle at the origin; k and h are P0's
and the first view's half sides, so |f| <= h for a focus f in the first view. About the middle, the
view at depth z has the half side h ρ^z, and canvas k + 1 holds all that is seen up to z = k + 1.

About another focus the view is P0's, grown by σ about f: its middle is -f (σ - 1) and f keeps its
place on the screen, from the first frame to the last. It reaches |f| (σ - 1) + h σ from the origin
on its longer side, so it lies in every canvas from the depth ζ on at which ρ^ζ k equals that; the
interval is ζ's, not z's. The last view is the largest that the last canvas holds; in between, σ
grows by the same factor every frame, which is constant perceived speed. Where the first view is all
of P0 (k = h), a view off the centre uses as little as 1 / (1 + |f| / h) of its canvas's width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from renderer.export.timeline import Depth
from renderer.film.camera import OUT, Box, Camera, Way
from renderer.settings.focus import CENTRE
from renderer.settings.plain_values import Size


class Sight(NamedTuple):
    """One view."""

    interval: int
    """Its canvas is keyframe ``interval`` + 1."""
    t: float
    """As the camera's, but may be below 0 where the focus is off the centre."""
    shift: tuple[float, float] = (0.0, 0.0)
    """From the canvas's middle to the view's, pixels of the canvas."""


@dataclass(frozen=True)
class ViewPath:
    """The views of one export."""

    camera: Camera
    depth: int
    """D: intervals of the chain."""
    focus: tuple[float, float] = CENTRE
    """A point of the first view: across from the left, down from the top, 0 … 1."""
    ways: Sequence[Way] = ()
    """Through each interval's canvas; empty: the film zooms out."""

    def sight(self, depth: Depth) -> Sight:
        """The view at ``depth`` (0 … D). The end belongs to the last interval, at t = 1."""
        if self.focus != CENTRE:
            return self._about_focus(float(depth))
        interval = min(int(depth), self.depth - 1)
        return Sight(interval, float(depth - interval))

    def box(self, canvas_size: Size, sight: Sight) -> Box:
        """Where ``sight`` lies on its canvas. Raises ProjectError for a canvas too small."""
        way = self.ways[sight.interval] if self.ways else OUT
        box = self.camera.view(canvas_size, sight.t, way)
        dx, dy = sight.shift
        return Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy)

    @property
    def sharpness(self) -> float:
        """Share of a canvas's width that the narrowest view uses; 1 about the centre."""
        return 1 / (1 + max(abs(2 * part - 1) for part in self.focus))

    def _about_focus(self, depth: float) -> Sight:
        log_rho = math.log(self.camera.zoom_factor)
        grown = self._log_last * depth / self.depth  # ln σ
        reach = max(
            grown
            + math.log((h + abs(f)) / k)
            + math.log1p(-abs(f) / (h + abs(f)) / math.exp(grown))
            if grown < _HUGE
            else grown + math.log((h + abs(f)) / k)
            for f, h, k in self._axes
        )
        interval = min(max(math.floor(reach / log_rho), 0), self.depth - 1)
        unit = -interval * log_rho  # of this interval's canvas, ln
        away = math.exp(grown + unit) - math.exp(unit)  # (σ - 1) in its pixels
        (fx, _, _), (fy, _, _) = self._axes
        return Sight(interval, grown / log_rho - interval, (-fx * away, -fy * away))

    @cached_property
    def _axes(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """(f, h, k) across and down."""
        first = self.camera.view(self.camera.keyframe_size, 0.0)
        (x, y), (width, height) = self.focus, self.camera.keyframe_size
        return (
            ((x - 0.5) * first.width, first.width / 2, width / 2),
            ((y - 0.5) * first.height, first.height / 2, height / 2),
        )

    @cached_property
    def _log_last(self) -> float:
        """ln σ of the last view: the smaller of (ρ^D k + |f|) / (h + |f|) across and down."""
        whole = self.depth * math.log(self.camera.zoom_factor)
        return min(
            (math.log(math.exp(whole) * k + abs(f)) if whole < _HUGE else whole + math.log(k))
            - math.log(h + abs(f))
            for f, h, k in self._axes
        )


_HUGE = 600.0
"""Logarithms from here on are near the end of floats, and small terms added no longer count."""
