"""What happens to a render that is worth a message, each time once.

Pure: states and times in, occasions out; knows neither who is told nor how. It looks at states, not
at events, so that it does not matter how often it looks, and so that time alone can be an occasion:
a render that stands still says nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from renderer.engine.events import Phase
from renderer.engine.facts import Facts, facts_of_engine
from renderer.engine.state import RenderState
from renderer.formatting import age_text, count_text, duration_text, shortened, size_text

LATE = 5
"""A keyframe is late after so many times its usual time, …"""
LEAST_LATE = 60.0
"""… but not before so many seconds: now and then quick painters wait for a busy disk."""
LASTS, LASTS_AGAIN = 3600.0, 7200.0
"""Seconds: a disk that lasts no longer is low, until it lasts so long again."""
GAP = 60.0
"""Seconds between two messages of a kind; what is still so by then is said then."""


class Kind(enum.StrEnum):
    """What a message is about."""

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    RESTARTED = "restarted"
    """After a crash."""
    STALLED = "stalled"
    """Neither a keyframe nor film came for ``LATE`` times what that usually takes."""
    RECOVERED = "recovered"
    """It goes on after it had stalled."""
    DISK = "disk"
    """At this pace the disk is full within an hour, and before the film is finished."""
    REVIEW = "review"
    """A keyframe waits for the decision which of its takes the film has."""
    TEST = "test"
    """The user wants to see one."""


_LAST = (Kind.FINISHED, Kind.STOPPED, Kind.FAILED)
"""Said at once, since nothing comes after them."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something worth a message."""

    kind: Kind
    text: str
    """One line, harmless on a terminal."""
    facts: Facts

    def plain(self) -> dict[str, Any]:
        """Plain JSON values: what it is, the text, and the facts beside them."""
        return {"event": str(self.kind), "text": self.text, **self.facts.plain()}


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the project lies on."""

    free: float
    """Bytes."""
    keyframe: int
    """Bytes of the newest keyframe: the film is not all that fills it."""


class Occasions:
    """For one viewer of one render. What is so at the first look is no news."""

    def __init__(self) -> None:
        self._progress: tuple[object, ...] | None = None
        self._since = 0.0
        """When that was something else."""
        self._usual = 0.0
        """Seconds from one keyframe, or segment, to the next; 0: not known yet."""
        self._said: dict[Kind, Hashable] = {}
        """What is so, and was said; which crash or keyframe it is about."""
        self._times: dict[Kind, float] = {}
        """When each kind was said last."""

    def look(self, state: RenderState, at: float, disk: Disk | None = None) -> list[Occasion]:
        """What is new. ``at``: seconds of any clock that doesn't jump; ``disk``: None: unknown."""
        first = self._progress is None
        self._note_progress(state, at)
        now = self._now(state, at, disk)
        self._said = {kind: which for kind, which in self._said.items() if now.get(kind) == which}
        if first:
            self._said = now
        new = [kind for kind in now if kind not in self._said and self._may_say(kind, at)]
        self._said |= {kind: now[kind] for kind in new}
        self._times |= dict.fromkeys(new, at)
        texts = {kind: self._text(kind, state, at, disk) for kind in new}
        return [Occasion(kind, text, facts_of_engine(state)) for kind, text in texts.items()]

    def _may_say(self, kind: Kind, at: float) -> bool:
        return kind in _LAST or kind not in self._times or at >= self._times[kind] + GAP

    def _note_progress(self, state: RenderState, at: float) -> None:
        progress = (state.phase, state.keyframes, state.takes, state.frames, state.started_at)
        if progress != self._progress:
            self._progress, self._since = progress, at
        if state.seconds_per_keyframe is not None:
            self._usual = max(state.seconds_per_keyframe, fmean(state.segment_seconds or (0.0,)))

    def _now(self, state: RenderState, at: float, disk: Disk | None) -> dict[Kind, Hashable]:
        """All that is so, said or not."""
        now: dict[Kind, Hashable] = {}
        if state.restarted_at:
            now[Kind.RESTARTED] = state.restarted_at
        if end := _end(state):  # with a restart that no look has met, never before one
            return end if end.items() <= self._said.items() else now | end
        if state.held is not None:
            now[Kind.REVIEW] = state.held
        now |= self._standing(state, at)
        if self._is_low(state, disk):
            now[Kind.DISK] = True
        return now

    def _standing(self, state: RenderState, at: float) -> dict[Kind, Hashable]:
        """Whether it stands still; it does until something is made, paused meanwhile or not."""
        made = (state.keyframes, state.takes, state.frames)
        limit = max(LATE * self._usual, LEAST_LATE)
        late = state.phase is Phase.RENDERING and self._usual and at - self._since >= limit
        if late or self._said.get(Kind.STALLED) == made:
            return {Kind.STALLED: made}
        recovered = Kind.STALLED in self._said or Kind.RECOVERED in self._said
        return {Kind.RECOVERED: True} if recovered else {}

    def _is_low(self, state: RenderState, disk: Disk | None) -> bool:
        lasts = _lasts(state, disk)
        if lasts is None:
            return Kind.DISK in self._said
        suffices = state.seconds_left is not None and state.seconds_left < lasts
        return not suffices and lasts < (LASTS_AGAIN if Kind.DISK in self._said else LASTS)

    def _text(self, kind: Kind, state: RenderState, at: float, disk: Disk | None) -> str:
        count = f"{count_text(state.keyframes, state.total_keyframes)} keyframes"
        match kind:
            case Kind.FINISHED | Kind.STOPPED:
                return f"{kind}: {count}, {duration_text(state.duration)} of film"
            case Kind.FAILED:
                return f"failed: {shortened(state.failure.message if state.failure else '', 400)}"
            case Kind.RESTARTED:
                return f"restarted at {count}: {shortened(state.crash, 400)}"
            case Kind.STALLED:
                usual = f"usually one comes in {duration_text(self._usual)}"
                return f"stands still: no keyframe for {duration_text(at - self._since)}, {usual}"
            case Kind.DISK:
                free, lasts = disk.free if disk else 0, _lasts(state, disk) or 0
                return f"disk full in about {age_text(lasts)}: {size_text(free)} are free"
            case Kind.REVIEW:
                return f"waits for review of keyframe {(state.held or 0) + 1}"
            case _:
                return f"goes on: {count}"


def _end(state: RenderState) -> dict[Kind, Hashable]:
    if state.failure is not None:
        return {Kind.FAILED: state.failure}
    if state.finished:
        return {Kind.STOPPED if state.stopped else Kind.FINISHED: state.started_at}
    return {}


def _lasts(state: RenderState, disk: Disk | None) -> float | None:
    """Seconds that the disk has room for, at the present pace; None where that can't be told."""
    rate = state.disk_rate(disk.keyframe) if disk else None
    return disk.free / rate if disk and rate and state.phase is Phase.RENDERING else None
