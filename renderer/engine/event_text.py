"""What a render's log says of each event. Knows events alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from renderer.engine import events
from renderer.engine.events import Event
from renderer.formatting import shortened
from renderer.painting.figures import BESIDE_TIME, texts


def told(event: Event) -> str:
    """The log's line for an event, keyframes counted from 1; empty: it is worth none."""
    match event:
        case events.RenderStarted():
            return (
                f"session started with {event.keyframes} keyframes, {event.frames} frames on disk"
            )
        case events.PhaseChanged():
            return str(event.phase)
        case events.Steered():
            number = event.from_keyframe + 1
            if event.undone:
                return f"the change from keyframe {number} on is taken back"
            return f"from keyframe {number} on: {changes_text(event.changes)}"
        case events.Rewound():
            return _rewound_text(event)
        case events.Marked():
            now = f"is marked: {event.note}" if event.note else "is not marked any more"
            return f"keyframe {event.keyframe + 1} {now}"
        case events.Held():
            takes = f"{event.takes} takes" if event.takes > 1 else "1 take"
            return f"keyframe {event.keyframe + 1} is held for review, with {takes}"
        case events.KeyframeReady():
            painted = f"keyframe {event.keyframe + 1} painted in {event.seconds:.1f} s"
            if not event.keyframe:
                return painted
            return ", ".join([painted, *texts(asdict(event), BESIDE_TIME)])
        case events.SegmentWritten():
            number = event.segment + 1
            return f"segment {number} written: {event.frames} frames in {event.seconds:.1f} s"
        case events.Note():
            return event.text
        case events.RenderFinished():
            return "stopped" if event.stopped else "finished"
        case events.RenderFailed():
            return event.message
        case _:
            return ""


def _rewound_text(event: events.Rewound) -> str:
    first, back = event.keyframe + 1, event.before - event.keyframe
    if event.keyframes > event.keyframe:
        return f"from keyframe {first} on the film has other takes: {event.keyframes} keyframes now"
    which = f"keyframe {first} is" if back == 1 else f"keyframes {first} to {event.before} are"
    return f"{which} taken back, and kept; the film ends with keyframe {event.keyframes}"


def changes_text(changes: Mapping[str, Any]) -> str:
    """What changes, in a line: plain values by the settings' names, a prompt without its name."""
    return ", ".join(_change_text(name, value) for name, value in changes.items())


def _change_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = "on" if value else "off"
    elif isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    text = shortened(str(value), _SHOWN) or "none"
    return text if name == "prompt" else f"{name.replace('_', ' ')} {text}"


_SHOWN = 200
"""Characters of a text."""
