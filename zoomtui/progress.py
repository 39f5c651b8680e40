"""What a headless render says: events folded into plain lines, rates and time left.

Pure: no terminal, no clock of its own (times are handed in), so that every line can be tested.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

from renderer.engine.layout import INWARD_FILM
from renderer.events import (
    Event,
    KeyframeReady,
    Note,
    Phase,
    PhaseChanged,
    RenderFinished,
    RenderStarted,
    SegmentWritten,
    Steered,
    StepDone,
)
from zoomtui.words import clean, count_text, duration_text, path_text, shortened, size_text

_WINDOW = 8
"""Segments over which the rate is taken."""
_PHASES = {
    Phase.LOADING: "loading the painter",
    Phase.RENDERING: "painting",
    Phase.PAUSED: "paused",
    Phase.PAUSED: "paused",
    Phase.DRAINING: "finishing",
}


class Progress:
    """Where a render stands. ``tell`` each event in order; read the fields for a bar."""

    def __init__(self) -> None:
        self.frames = 0
        self.total_frames: int | None = None
        self.keyframes = 0
        self.total_keyframes: int | None = None
        self.now = "starting"
        """What is being done, in a few words."""
        self._recent: deque[tuple[float, int]] = deque(maxlen=_WINDOW + 1)
        """(time, frames so far): where the count began, then at each segment."""
        self._frames_per_keyframe = 1

    def tell(self, event: Event, at: float) -> str | None:
        """Take one event that came ``at`` (seconds, any origin); the line it is worth, if any."""
        match event:
            case RenderStarted():
                return self._started(event, at)
            case PhaseChanged():
                self._enter(event.phase, at)
                return None
            case StepDone():
                number = count_text(event.keyframe + 1, self.total_keyframes)
                self.now = f"keyframe {number}, step {event.step}/{event.steps}"
                return None
            case KeyframeReady():
                self.keyframes = event.keyframe + 1
                return self._keyframe(event)
            case SegmentWritten():
                self.frames = event.total_frames
                self._recent.append((at, event.total_frames))
                return self._segment(event)
            case Note():
                return f"note: {clean(event.text)}"
            case RenderFinished():
                return self._finished(event)
            case Steered():
                return self._steered(event)
            case _:  # an error is reported by the caller, once; the rest is worth no line
                return None

    @property
    def rate(self) -> float | None:
        """Frames a second over the last segments; None before the first one."""
        if len(self._recent) < 2:
            return None
        (began, before), (ended, after) = self._recent[0], self._recent[-1]
        return (after - before) / (ended - began) if ended > began else None

    @property
    def seconds_left(self) -> float | None:
        if self.rate is None or self.total_frames is None:
            return None
        return max(0, self.total_frames - self.frames) / self.rate

    def _started(self, event: RenderStarted, at: float) -> str:
        self.frames, self.total_frames = event.frames, event.total_frames
        self.keyframes, self.total_keyframes = event.keyframes, event.total_keyframes
        self._frames_per_keyframe = event.frames_per_keyframe
        self._recent.append((at, event.frames))
        where, end = clean(event.project), "" if event.total_frames else ", until stopped"
        if event.frames or event.keyframes > 1:
            keyframes = count_text(event.keyframes, event.total_keyframes)
            frames = count_text(event.frames, event.total_frames)
            return f"resuming {where}: {keyframes} keyframes, {frames} frames done{end}"
        goal = f": {event.total_frames} frames" if event.total_frames else end
        return f"rendering {where}{goal}"

    def _enter(self, phase: Phase, at: float) -> None:
        self.now = _PHASES[phase]
        if phase is Phase.RENDERING and len(self._recent) == 1:
            self._recent[0] = (at, self.frames)  # the time to load a model says nothing of the rate

    def _steered(self, event: Steered) -> str:
        total = self.total_keyframes = event.total_keyframes
        self.total_frames = None if total is None else (total - 1) * self._frames_per_keyframe + 1
        end = "until stopped" if total is None else f"{total} keyframes in all"
        return f"from keyframe {event.from_keyframe + 1} on: {shortened(event.prompt)}; {end}"

    def _keyframe(self, event: KeyframeReady) -> str:
        number = f"keyframe {count_text(event.keyframe + 1, self.total_keyframes)}"
        quality = f"  seam {event.seam:.2f}  drift {event.drift:.1f}" if event.keyframe else ""
        return f"{number}  painted in {duration_text(event.seconds)}{quality}"

    def _segment(self, event: SegmentWritten) -> str:
        number = event.segment + 1
        parts = [
            f"segment {number}",
            f"{count_text(event.total_frames, self.total_frames)} frames",
            f"{duration_text(event.duration)} of film",
            size_text(event.size),
        ]
        if self.rate is not None:
            parts.append(f"{self.rate:.1f} frames/s")
        if self.seconds_left and self.seconds_left >= 0.5:
            parts.append(f"{duration_text(self.seconds_left)} left")
        return "  ".join(parts)

    def _finished(self, event: RenderFinished) -> str:
        what = f"{event.keyframes} keyframes, {event.frames} frames"
        length = f"{duration_text(event.duration)}, {size_text(event.size)}"
        if not event.stopped:
            return f"finished: {what}, {length}"
        return f"stopped after {what}, {length}" if event.frames else f"stopped after {what}"


def watch_lines(folder: Path, *, finished: bool) -> list[str]:
    """Where the film is and how to watch it."""
    film = f"film       {path_text((folder / 'film.mp4').absolute())}"
    if finished:
        inward = folder / INWARD_FILM
        mpv = f"mpv {path_text(folder / 'film.mp4')}"
        lines = [film, f"watch      {mpv}   (or any other player, or a browser)"]
        if inward.exists():
            lines.insert(1, f"zooming in {path_text(inward.absolute())}")
        return lines
    return [
        f"{film}   (playable)",
        f"watch      mpv {path_text(folder / 'watch.m3u8')}   (from the start)",
        f"follow     mpv {path_text(folder / 'live.m3u8')}   (from where the render is)",
    ]
