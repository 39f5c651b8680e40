"""What can be known of a running render: a frozen value, folded from its events.

Pure: the engine keeps one to greet viewers with, every viewer continues with its own copy. Knows
no socket, no screen, and no clock of its own (each event comes with its time).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from renderer.engine import events
from renderer.engine.event_text import told
from renderer.engine.events import Event, Phase
from renderer.painting.figures import LAST, Figures, figures_in, typical
from renderer.project.history import Marks

V = TypeVar("V")

WINDOW = 20
"""Segments over which rates are taken."""
LOG_LINES = 200


@dataclass(frozen=True, slots=True)
class LogLine:
    at: float
    """Unix time."""
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    message: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class RenderState:
    """A moment of a render. The defaults are those of one that has not said anything yet."""

    project: str = ""
    film: str = ""
    phase: Phase = Phase.LOADING
    started_at: float = 0.0
    """Unix time at which this session began, with its first engine."""
    restarted_at: float = 0.0
    """Unix time of its last crash; 0: it had none."""
    crash: str = ""
    """That crash, one line."""

    keyframes: int = 0
    """Keyframes of the film on disk."""
    takes: tuple[tuple[int, int], ...] = ()
    """(keyframe, take) of all of which the film has another take than the first."""
    marks: Marks = ()
    """(keyframe, note)."""
    held: int | None = None
    """The keyframe that waits for a decision; see ``Held``."""
    total_keyframes: int | None = None
    """None: until stopped."""
    stop_when: tuple[str, ...] = ()
    """Conditions on which it will stop by itself."""
    pause_when: tuple[str, ...] = ()
    painting: int | None = None
    """The keyframe in the painter's hands."""
    step: int = 0
    steps: int = 0
    prompt: str = ""
    """Of the keyframe in hand, or the newest."""
    next_changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that change from ``next_from`` on, as plain values; empty: nothing is queued."""
    next_from: int = 0
    seed: int = 0
    figures: tuple[Figures, ...] = ()
    """Of the last keyframes, the newest last."""

    frames: int = 0
    """Frames committed."""
    frames_per_keyframe: int = 0
    fps: float = 0.0
    duration: float = 0.0
    """Length of the film so far, seconds."""
    size: int = 0
    """Bytes of the film so far."""
    segment_seconds: tuple[float, ...] = ()
    """Times that the last segments took."""
    progress: tuple[tuple[float, int, int], ...] = ()
    """(Unix time, frames, film bytes) at the last segments: what rates are taken from."""

    queued: int = 0
    """Keyframes that wait between painting and film."""
    capacity: int = 0
    viewers: int = 0
    meters: Mapping[str, float | str | None] | None = None
    """The newest ``Metered``'s values."""
    log: tuple[LogLine, ...] = ()
    failure: Failure | None = None
    finished: bool = False
    """The session has ended well: finished, or stopped."""
    stopped: bool = False
    """It was stopped before its last keyframe."""

    def take(self, keyframe: int) -> int:
        """The take of ``keyframe`` that the film has."""
        return dict(self.takes).get(keyframe, 1)

    @property
    def next_prompt(self) -> str:
        """The prompt from the next keyframe on that is not begun."""
        prompt: str = self.next_changes.get("prompt", self.prompt)
        return prompt

    @property
    def over(self) -> bool:
        return self.finished or self.failure is not None

    @property
    def typical(self) -> Figures | None:
        """The newest keyframe's figures, with times averaged over the last ones."""
        return typical(self.figures)

    @property
    def seconds_per_keyframe(self) -> float | None:
        """Painting time, mean of the last keyframes."""
        return self.typical.seconds if self.typical else None

    @property
    def frame_rate(self) -> float | None:
        """Frames committed a second, over the last segments; None before there are two."""
        return self._rate(1)

    @property
    def byte_rate(self) -> float | None:
        """Bytes of film a second, over the last segments."""
        return self._rate(2)

    def disk_rate(self, keyframe_size: int) -> float | None:
        """Bytes a second of the film and of keyframes of that size, as ``byte_rate``."""
        if not self.byte_rate or not self.frame_rate or not self.frames_per_keyframe:
            return None
        return self.byte_rate + keyframe_size * self.frame_rate / self.frames_per_keyframe

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of film made a second; 1 = as fast as it plays."""
        rate = self.frame_rate
        return rate / self.fps if rate and self.fps else None

    @property
    def total_frames(self) -> int | None:
        """Of the finished film; None: until stopped."""
        if self.total_keyframes is None:
            return None
        return (self.total_keyframes - 1) * self.frames_per_keyframe + 1

    @property
    def seconds_left(self) -> float | None:
        """None where there is no end, or no rate yet."""
        if self.total_frames is None or not self.frame_rate:
            return None
        return max(0, self.total_frames - self.frames) / self.frame_rate

    @property
    def bottleneck(self) -> str:
        """``painting`` or ``encoding``: which side the other waits for; empty: can't tell yet."""
        if not self.figures or not self.segment_seconds:
            return ""
        return "encoding" if self.queued >= self.capacity else "painting"

    def _rate(self, which: int) -> float | None:
        """By how much that part of ``progress`` grows in a second."""
        if len(self.progress) < 2:
            return None
        first, last = self.progress[0], self.progress[-1]
        seconds = last[0] - first[0]
        return (last[which] - first[which]) / seconds if seconds > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` takes them back."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RenderState:
        """The inverse of ``to_json``. Raises ValueError for what is no state of this version."""
        if not cls.__annotations__.keys() <= values.keys():
            raise ValueError("it lacks something")
        return msgspec.convert(values, cls)


def apply(state: RenderState, event: Event, at: float) -> RenderState:
    """The state after ``event``, which came ``at`` (Unix time)."""
    state = _applied(state, event, at)
    line = told(event)
    if line:
        state = replace(state, log=(*state.log, LogLine(at, line))[-LOG_LINES:])
    return state


def _applied(state: RenderState, event: Event, at: float) -> RenderState:
    match event:
        case events.RenderStarted():
            return _started(state, event, at)
        case events.PhaseChanged():
            return _phase_changed(state, event.phase, at)
        case events.Steered():
            earlier = state.next_changes if event.from_keyframe == state.next_from else {}
            return replace(
                state,
                next_changes={} if event.undone else {**earlier, **event.changes},
                next_from=event.from_keyframe,
                total_keyframes=event.total_keyframes,
                stop_when=event.stop_when,
                pause_when=event.pause_when,
            )
        case events.Rewound():
            return _rewound(state, event, at)
        case events.Held():
            return replace(state, held=event.keyframe)
        case events.Marked():
            note = ((event.keyframe, event.note),) if event.note else ()
            return replace(state, marks=_spliced(state.marks, event.keyframe, note, 1))
        case events.KeyframeStarted():
            return _keyframe_started(state, event)
        case events.StepDone():
            return replace(state, painting=event.keyframe, step=event.step, steps=event.steps)
        case events.KeyframeReady():
            return _keyframe_ready(state, event)
        case events.SegmentWritten():
            return _segment_written(state, event, at)
        case events.Metered():
            return replace(state, meters=event.values)
        case events.ViewersChanged():
            return replace(state, viewers=event.viewers)
        case events.RenderFinished():
            return replace(state, finished=True, stopped=event.stopped, painting=None)
        case events.RenderFailed():
            return replace(state, failure=Failure(event.message, event.exit_code), painting=None)
        case events.Note():
            return state


_AT_START = RenderState.__annotations__.keys() & events.RenderStarted.__annotations__.keys()
"""What the first event says of a render, by the same names."""


def _started(state: RenderState, event: events.RenderStarted, at: float) -> RenderState:
    """All anew, except viewers and meters: a viewer may be there before the session."""
    return RenderState(
        **{name: getattr(event, name) for name in _AT_START},
        started_at=event.began or at,
        restarted_at=event.restarted,
        duration=event.frames / event.fps,
        progress=((at, event.frames, event.size),),
        viewers=state.viewers,
        meters=state.meters,
    )


def _phase_changed(state: RenderState, phase: Phase, at: float) -> RenderState:
    began = state.progress
    if phase is Phase.RENDERING and len(began) == 1:  # loading a model says nothing of the rate
        began = ((at, *began[0][1:]),)
    held = state.held if phase in (Phase.REVIEW, Phase.PAUSED) else None
    return replace(state, phase=phase, progress=began, held=held)


def _rewound(state: RenderState, event: events.Rewound, at: float) -> RenderState:
    """The figures of keyframes that are left are still right; rates are taken anew."""
    left = len(state.figures) - (event.before - event.keyframe)
    return replace(
        state,
        keyframes=event.keyframes,
        takes=_spliced(state.takes, event.keyframe, event.takes),
        marks=_spliced(state.marks, event.keyframe, event.marks),
        total_keyframes=event.total_keyframes,
        painting=None,
        step=0,
        prompt=event.prompt,
        next_changes={},
        figures=state.figures[: max(0, left)] if event.keyframes == event.keyframe else (),
        frames=event.frames,
        duration=event.duration,
        size=event.size,
        progress=((at, event.frames, event.size),),
    )


def _spliced(
    known: tuple[tuple[int, V], ...],
    keyframe: int,
    new: tuple[tuple[int, V], ...],
    count: int | None = None,
) -> tuple[tuple[int, V], ...]:
    """``known``, but from ``keyframe`` on ``new``, for so many keyframes; None: for the rest."""
    begin = bisect_left(known, keyframe, key=itemgetter(0))
    end = len(known)
    if count is not None:
        end = bisect_left(known, keyframe + count, key=itemgetter(0))
    return (*known[:begin], *new, *known[end:])


def _keyframe_started(state: RenderState, event: events.KeyframeStarted) -> RenderState:
    return replace(
        state,
        painting=event.keyframe,
        step=0,
        prompt=event.prompt,
        next_changes={} if event.keyframe >= state.next_from else state.next_changes,
    )


def _keyframe_ready(state: RenderState, event: events.KeyframeReady) -> RenderState:
    return replace(
        state,
        keyframes=event.keyframe + 1,
        painting=None if state.painting == event.keyframe else state.painting,
        takes=state.takes if event.take == 1 else (*state.takes, (event.keyframe, event.take)),
        seed=event.seed,
        queued=event.queued,
        figures=(*state.figures, Figures(**figures_in(asdict(event))))[-LAST:],
    )


def _segment_written(state: RenderState, event: events.SegmentWritten, at: float) -> RenderState:
    return replace(
        state,
        frames=event.total_frames,
        duration=event.duration,
        size=event.size,
        queued=event.queued,
        segment_seconds=(*state.segment_seconds, event.seconds)[-WINDOW:],
        progress=(*state.progress, (at, event.total_frames, event.size))[-WINDOW:],
    )
