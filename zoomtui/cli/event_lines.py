"""What a headless render says: a plain line for each event that is worth one.

Where the render stands, its rate and its time left are ``engine.state``'s. Pure: no terminal, no
clock of its own (times are handed in), so that every line can be tested.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from renderer.engine import events
from renderer.engine.event_text import told
from renderer.engine.events import Event, Phase
from renderer.engine.state import RenderState, apply
from renderer.formatting import clean, count_text, duration_text, path_text, size_text
from renderer.painting.figures import BESIDE_TIME, texts
from renderer.project.records import EXPORTS

_PHASES = {
    Phase.LOADING: "loading the painter",
    Phase.RENDERING: "painting",
    Phase.PAUSED: "paused",
    Phase.REVIEW: "waiting for a decision",
    Phase.DRAINING: "finishing",
}


class Progress:
    """Where a render stands, in words. ``tell`` each event in order."""

    def __init__(self) -> None:
        self.state = RenderState()
        self.now = "starting"
        """What is being done, in a few words."""
        self._start: str | None = None
        """The first line; it is kept until the painter is there, which may fail."""

    def tell(self, event: Event, at: float) -> str | None:
        """Take one event that came ``at`` (seconds, any origin); the line it is worth, if any."""
        self.state = apply(self.state, event, at)
        match event:
            case events.RenderStarted():
                self._start = _started(event)
                return None
            case events.PhaseChanged():
                self.now = _PHASES[event.phase]
                if event.phase is Phase.LOADING:
                    return None
                line, self._start = self._start, None
                return line
            case events.StepDone():
                number = count_text(event.keyframe + 1, self.state.total_keyframes)
                self.now = f"keyframe {number}, step {event.step}/{event.steps}"
                return None
            case events.KeyframeReady():
                return self._keyframe(event)
            case events.SegmentWritten():
                return self._segment(event)
            case events.Note():
                return f"note: {clean(event.text)}"
            case events.RenderFinished():
                return finished_line(event)
            case events.Steered() | events.Rewound() | events.Marked():
                return clean(told(event))
            case events.Held():
                decide = f"zoomtui choose {path_text(self.state.project)} {event.keyframe + 1} TAKE"
                return f"{told(event)}; `{decide}` goes on"
            case _:  # an error is reported by the caller, once; the rest is worth no line
                return None

    def _keyframe(self, event: events.KeyframeReady) -> str:
        number = f"keyframe {count_text(event.keyframe + 1, self.state.total_keyframes)}"
        line = f"{number}  painted in {duration_text(event.seconds)}"
        if not event.keyframe:
            return line
        return "  ".join([line, *texts(asdict(event), BESIDE_TIME)])

    def _segment(self, event: events.SegmentWritten) -> str:
        rate, left = self.state.frame_rate, self.state.seconds_left
        parts = [
            f"segment {event.segment + 1}",
            f"{count_text(event.total_frames, self.state.total_frames)} frames",
            f"{duration_text(event.duration)} of film",
            size_text(event.size),
        ]
        if rate is not None:
            parts.append(f"{rate:.1f} frames/s")
        if left and left >= 0.5:
            parts.append(f"{duration_text(left)} left")
        return "  ".join(parts)


def _started(event: events.RenderStarted) -> str:
    where, end = clean(event.project), "" if event.total_frames else ", until stopped"
    if event.frames or event.keyframes > 1:
        keyframes = count_text(event.keyframes, event.total_keyframes)
        frames = count_text(event.frames, event.total_frames)
        return f"resuming {where}: {keyframes} keyframes, {frames} frames done{end}"
    goal = f": {event.total_frames} frames" if event.total_frames else end
    return f"rendering {where}{goal}"


def finished_line(event: events.RenderFinished) -> str:
    """What there is at the end."""
    what = f"{event.keyframes} keyframes, {event.frames} frames"
    length = f"{duration_text(event.duration)}, {size_text(event.size)}"
    if not event.stopped:
        return f"finished: {what}, {length}"
    return f"stopped after {what}, {length}" if event.frames else f"stopped after {what}"


def watch_lines(folder: Path, *, finished: bool) -> list[str]:
    """Where the film is and how to watch it."""
    film = f"film       {path_text((folder / 'film.mp4').absolute())}"
    if finished:
        mpv = f"mpv {path_text(folder / 'film.mp4')}"
        lines = [film, f"watch      {mpv}   (or any other player, or a browser)"]
        for way in ("in", "out"):
            other_way = folder / EXPORTS / f"{way}.mp4"
            if other_way.exists():
                lines.insert(1, f"zooming {way} {path_text(other_way.absolute())}")
        return lines
    return [
        f"{film}   (playable)",
        f"watch      mpv {path_text(folder / 'film.mp4')}   (what there is so far)",
        f"follow     mpv {path_text(folder / 'live.m3u8')}   (from where the render is)",
    ]
