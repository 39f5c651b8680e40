"""When the camera is where: frame number → depth, exact where nothing bends it. Pure arithmetic.

Depth is measured in keyframes from the first picture: 0 … D for a chain of D intervals. Constant
speed in depth is constant perceived speed, since the view grows by ρ for every 1; so easing acts on
depth (the logarithm of the zoom), never on the view's width. Knows no pictures and no boxes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from renderer.errors import SettingsError
from renderer.settings.export import Direction, ExportOptions, Speed

Depth = Fraction | float
"""A Fraction wherever speed is constant: 7/60 of an interval then is what the film has, exactly."""

MOST_FRAMES = 20_000_000


class Shot(NamedTuple):
    """What one frame shows."""

    depth: Depth
    other: Depth | None = None
    """A second view that lies over the first one; None: there is none."""
    share: float = 0.0
    """How much of the second one is seen, 0 … 1."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All frames of an export, by number."""

    fps: Fraction
    depth: int
    """D: intervals that the chain has."""
    steps: int
    """Frame periods in which the camera moves."""
    direction: Direction
    """``out``: along the chain, as it was rendered."""
    ramps: tuple[float, float]
    """Shares of each way during which the camera gets going, and comes to rest."""
    holds: tuple[int, int]
    """Frames by which the first and the last view are prolonged."""
    knots: tuple[tuple[float, float], ...]
    """(time, depth) where the speed changes, both from 0; empty: the same speed all the way."""
    closed: bool
    """The frame after the last one is the first one: it is not shown twice."""
    overlap: Fraction
    """Depth over which the end is dissolved into the beginning; 0: not at all."""

    @classmethod
    def of(
        cls, options: ExportOptions, depth: int, fps: Fraction, seconds_per_keyframe: Fraction
    ) -> Timeline:
        """The timeline of ``options`` for ``depth`` intervals, at the given speed by default.

        Raises SettingsError for options that contradict each other.
        """
        both_ways = options.direction in ("in-out", "out-in")
        _refuse_stop_in_loop(options, both_ways)
        crossed = options.loop and not both_ways
        overlap = min(Fraction(1), Fraction(depth, 2)) if crossed else Fraction(0)
        knots = _knots(options.speeds, depth)
        holds = round(options.hold_start * fps), round(options.hold_end * fps)
        if options.duration is not None:
            moving = round(options.duration * fps) - sum(holds)
            steps = moving if options.loop else moving - 1
        else:
            asked = options.seconds_per_keyframe
            each = (seconds_per_keyframe if asked is None else Fraction(asked)) * fps
            length = knots[-1][0] if knots else depth
            ways = 2 if both_ways else 1
            steps = round(ways * each * Fraction(length) * (depth - overlap) / depth)
            steps = max(ways, steps)
        _check_steps(steps, sum(holds), options)
        ramps = _ramps(options, Fraction(steps, 2 if both_ways else 1) / fps)
        way = options.direction or "out"
        return cls(fps, depth, steps, way, ramps, holds, knots, options.loop, overlap)

    @property
    def frames(self) -> int:
        return sum(self.holds) + self.steps + (not self.closed)

    @property
    def seconds(self) -> Fraction:
        """Length, the last frame's own time included."""
        return self.frames / self.fps

    def shot(self, frame: int) -> Shot:
        """What ``frame`` (0 … frames - 1) shows."""
        last = self.steps - self.closed
        depth = self._depth(min(max(frame - self.holds[0], 0), last))
        entered = depth - (self.depth - self.overlap)
        if not self.overlap or entered <= 0:
            return Shot(depth)
        gone = float(entered / self.overlap)
        return Shot(depth, entered, gone * gone * (3 - 2 * gone))

    def _depth(self, step: int) -> Depth:
        """Where the camera is after ``step`` steps."""
        way = Fraction(step, self.steps)
        if self.direction in ("in-out", "out-in"):
            way = min(2 * way, 2 - 2 * way)  # there, and exactly the same way back
        eased = self._eased(way)
        if self.direction in ("in", "in-out"):
            eased = 1 - eased
        return self.overlap + self._warped(eased)

    def _eased(self, way: Fraction) -> Depth:
        """The share of the way covered after that share of its time.

        Speed rises and falls as a smoothstep, x² (3 - 2x), so that nothing jerks; the way covered
        since the start of a ramp is its integral, x³ - x⁴ / 2.
        """
        rise, fall = self.ramps
        if not rise and not fall:
            return way
        time = float(way)
        covered = min(time, 1 - fall) - rise if time > rise else 0.0
        if rise:
            covered += rise * _ramp(min(time / rise, 1.0))
        if fall and time > 1 - fall:
            covered += fall * (0.5 - _ramp((1 - time) / fall))
        return min(max(covered / (1 - rise / 2 - fall / 2), 0.0), 1.0)

    def _warped(self, share: Depth) -> Depth:
        """The depth, from ``overlap`` on, at that share of the time at unit speed."""
        span = self.depth - self.overlap
        if not self.knots:
            return share * span
        time = float(share) * self.knots[-1][0]
        at = min(bisect_right(self.knots, time, key=lambda knot: knot[0]), len(self.knots) - 1)
        (t0, z0), (t1, z1) = self.knots[at - 1], self.knots[at]
        return min(z0 + (time - t0) / (t1 - t0) * (z1 - z0), float(self.depth)) * float(
            span / self.depth
        )


def _ramp(x: float) -> float:
    return x * x * x * (1 - x / 2)


def _ramps(options: ExportOptions, seconds: Fraction) -> tuple[float, float]:
    """(rise, fall), shares of a way that takes ``seconds``; together at most 1."""
    rises, falls = "ease-in" in options.easing, options.easing in ("ease-out", "ease-in-out")
    most = 0.5 if rises and falls else 1.0
    share = most
    if options.ease_seconds is not None:
        share = min(most, options.ease_seconds / float(seconds))
    return rises * share, falls * share


def _knots(speeds: Sequence[Speed], depth: int) -> tuple[tuple[float, float], ...]:
    """(time, depth) at every change of speed; time 1 is what an interval takes at speed 1."""
    if not speeds:
        return ()
    spans = []
    end = 0
    for speed in sorted(speeds, key=lambda speed: speed.first):
        first, last = speed.first - 1, depth if speed.last is None else speed.last - 1
        if last > depth or first >= depth:
            raise SettingsError(
                f"speed {speed.first}-{speed.last or ''} reaches past the last keyframe, "
                f"which is number {depth + 1}",
                "speeds",
            )
        if first < end:
            raise SettingsError(
                f"two speeds are given for the way from keyframe {speed.first} on", "speeds"
            )
        spans += [(first - end, 1.0), (last - first, speed.factor)]
        end = last
    spans.append((depth - end, 1.0))
    knots = [(0.0, 0.0)]
    for length, factor in spans:
        if length:
            knots.append((knots[-1][0] + length / factor, knots[-1][1] + length))
    assert all(a < b for a, b in pairwise(knots))
    return tuple(knots)


def _refuse_stop_in_loop(options: ExportOptions, both_ways: bool) -> None:
    stops = options.easing != "linear" or options.hold_start or options.hold_end
    if options.loop and not both_ways and stops:
        raise SettingsError(
            "a loop in one direction is joined while the camera moves, so it can't ease or hold; "
            "leave that out, or take --direction out-in",
            "loop",
        )


def _check_steps(steps: int, held: int, options: ExportOptions) -> None:
    if steps < 1:
        raise SettingsError(
            f"duration {options.duration:g} s leaves no time to move; make it longer, or the holds "
            f"shorter",
            "duration",
        )
    if steps + held > MOST_FRAMES:
        raise SettingsError(
            f"that would be {steps + held} frames; at most {MOST_FRAMES}", "duration"
        )
