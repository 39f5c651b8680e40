"""What a render's log says of each event. Knows events alone."""

from __future__ import annotations

from dataclasses import asdict

from renderer.engine.events import (
    Event,
    KeyframeReady,
    Note,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    RenderStarted,
    SegmentWritten,
    Steered,
)
from renderer.painting.figures import BESIDE_TIME, texts


def told(event: Event) -> str:
    """The log's line for an event, keyframes counted from 1; empty: it is worth none."""
    match event:
        case RenderStarted():
            return (
                f"session started with {event.keyframes} keyframes, {event.frames} frames on disk"
            )
        case PhaseChanged():
            return str(event.phase)
        case Steered():
            number = event.from_keyframe + 1
            if event.undone:
                return f"the change from keyframe {number} on is taken back"
            return f"settings change from keyframe {number} on"
        case KeyframeReady():
            painted = f"keyframe {event.keyframe + 1} painted in {event.seconds:.1f} s"
            if not event.keyframe:
                return painted
            return ", ".join([painted, *texts(asdict(event), BESIDE_TIME)])
        case SegmentWritten():
            number = event.segment + 1
            return f"segment {number} written: {event.frames} frames in {event.seconds:.1f} s"
        case Note():
            return event.text
        case RenderFinished():
            return "stopped" if event.stopped else "finished"
        case RenderFailed():
            return event.message
        case _:
            return ""
