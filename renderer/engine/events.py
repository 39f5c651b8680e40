"""What the engine says while it renders, and the order that it promises.

Plain frozen values, made on the engine's threads and handed to one ``emit`` callable; nothing here
knows who listens. The promise:

1. ``RenderStarted`` comes first, exactly once.
2. Then everything else, freely interleaved; for each keyframe ``KeyframeStarted``, ``StepDone``
   and ``KeyframeReady`` in this order; keyframes and segments each in rising order, and a segment
   only after both its keyframes. After ``Rewound`` they go on from where that says.
3. One ``RenderFinished`` or ``RenderFailed`` comes last, and nothing after it.

Where an engine crashes and another takes its place (``service.supervisor``), its events
break off, and all begins anew with ``RenderStarted``, then a ``Note`` that says why.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from renderer.painting.figures import Figures
from renderer.project.history import Marks


class Phase(enum.StrEnum):
    """What the engine is busy with as a whole."""

    LOADING = "loading"
    """The painter is being loaded."""
    RENDERING = "rendering"
    PAUSED = "paused"
    """Painting waits; the film side finishes what is in hand."""
    REVIEW = "review"
    """Painting waits until it is decided which take of the newest keyframe the film has."""
    DRAINING = "draining"
    """A stop was asked for, or the last keyframe is painted: what is in hand is finished."""


@dataclass(frozen=True, slots=True)
class RenderStarted:
    """The project is open and locked; what it holds already."""

    project: str
    """Folder."""
    film: str
    """Path of the growing film."""
    keyframes: int
    """Keyframes on disk from earlier sessions."""
    frames: int
    """Frames committed by earlier sessions."""
    size: int
    """Bytes of the film so far."""
    total_keyframes: int | None
    """Pictures in all; None: until stopped."""
    total_frames: int | None
    prompt: str
    """In force for the next keyframe."""
    fps: float
    frames_per_keyframe: int
    capacity: int
    """Keyframes that may wait between painting and film."""
    began: float = 0.0
    """Unix time at which the session's first engine began; 0: this one is it."""
    restarted: float = 0.0
    """Unix time of the crash after which this engine was started; 0: there was none."""
    crash: str = ""
    """That crash, one line."""
    stop_when: tuple[str, ...] = ()
    """Conditions on which it will stop by itself."""
    pause_when: tuple[str, ...] = ()
    takes: tuple[tuple[int, int], ...] = ()
    """(keyframe, take) of all keyframes of which the film has another take than the first."""
    marks: Marks = ()
    """(keyframe, note) of all keyframes with a note."""


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    phase: Phase


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step inside a paint call."""

    keyframe: int
    step: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyframeReady(Figures):
    """A keyframe is painted, durable on disk and journalled."""

    keyframe: int
    take: int = 1
    seed: int
    prompt: str
    queued: int
    """Keyframes that wait between painting and film; full: encoding is the bottleneck."""


@dataclass(frozen=True, slots=True)
class SegmentWritten:
    """An interval is committed: from now on the film holds it, whatever happens."""

    segment: int
    frames: int
    """Frames of this segment."""
    total_frames: int
    """Frames of the film so far."""
    duration: float
    """Length of the film so far, seconds."""
    size: int
    """Bytes of the film so far."""
    seconds: float
    """Time that making and committing this segment took."""
    queued: int
    """Keyframes that wait between painting and film."""


@dataclass(frozen=True, slots=True)
class Steered:
    """Settings change from a keyframe that is still to come; the journal has it."""

    from_keyframe: int
    prompt: str
    """In force from there on."""
    negative_prompt: str
    total_keyframes: int | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What changes there: plain values by the settings' names."""
    stop_when: tuple[str, ...] = ()
    """In force from there on."""
    pause_when: tuple[str, ...] = ()
    undone: bool = False
    """These are the settings as they were: what was steered is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """Keyframes are taken back, or other takes are chosen; the journal has it."""

    keyframe: int
    """The first that is not what it was."""
    before: int
    """How many keyframes there were."""
    keyframes: int
    """How many there are now; painting goes on behind them."""
    takes: tuple[tuple[int, int], ...]
    """(keyframe, take) from there on, where the film has another take than the first."""
    marks: Marks
    """(keyframe, note) from there on; before it all is as it was."""
    frames: int
    """Of the film, which ends there until what follows is made."""
    duration: float
    """Seconds."""
    size: int
    """Bytes."""
    prompt: str
    """In force for the next keyframe."""
    total_keyframes: int | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A keyframe has a note, or none any more."""

    keyframe: int
    note: str
    """Empty: none any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """A keyframe waits for the decision which of its takes the film has."""

    keyframe: int
    takes: int
    """How many there are."""
    until: float = 0.0
    """Unix time at which it goes on by itself; 0: never."""


@dataclass(frozen=True, slots=True)
class KeyframeStarted:
    """Painting begins; steering can't reach this keyframe any more."""

    keyframe: int
    prompt: str


@dataclass(frozen=True, slots=True)
class Metered:
    """How busy the machine is; sent only while a viewer watches."""

    values: Mapping[str, float | str | None]
    """By the names in ``service/metrics.py``; None: this machine can't tell."""


@dataclass(frozen=True, slots=True)
class ViewersChanged:
    viewers: int


@dataclass(frozen=True, slots=True)
class Note:
    """A line worth showing that is no error: a retry, a fallback, a correction."""

    text: str


@dataclass(frozen=True, slots=True)
class RenderFinished:
    """The last event of a render that ended well."""

    film: str
    keyframes: int
    frames: int
    duration: float
    size: int
    stopped: bool
    """True: ended by a stop before its last keyframe; ``resume`` goes on."""


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """The last event of a render that ended badly; what is committed stays playable."""

    message: str
    exit_code: int
    field: str = ""
    """The setting that is to blame; empty: unknown."""


Event = (
    RenderStarted
    | PhaseChanged
    | Steered
    | Rewound
    | Marked
    | Held
    | KeyframeStarted
    | StepDone
    | KeyframeReady
    | SegmentWritten
    | Metered
    | ViewersChanged
    | Note
    | RenderFinished
    | RenderFailed
)

Emit = Callable[[Event], None]
"""Takes each event, on whichever engine thread made it; must be quick and must not raise."""


def to_json(event: Event) -> dict[str, Any]:
    """The event as plain JSON values: its class's name under ``event``, then its fields."""
    return {"event": type(event).__name__, **msgspec.to_builtins(event)}


def from_json(values: Mapping[str, Any]) -> Event:
    """The inverse of ``to_json``. Raises ValueError for what is no event of this version."""
    kind = _KINDS.get(str(values.get("event")))
    if kind is None:
        raise ValueError(f"unknown event {values.get('event')!r}")
    return msgspec.convert(values, kind)


_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
