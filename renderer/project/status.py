"""What a project holds, seen from outside: finished, running or killed; reads only.

Never takes the lock, never recovers, never writes: what a crash left at the end is left out.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from renderer.painting.figures import FIGURES, Figures, typical
from renderer.project.history import Marks
from renderer.project.lock import Holder
from renderer.project.records import FILM, read_settings
from renderer.project.session_record import SessionRecord, read_session, renders
from renderer.project.summary import sum_up
from renderer.settings.render import RenderSettings


class State(enum.StrEnum):
    """What a project is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    REVIEW = "review"
    """A keyframe is held for a decision. Only its engine knows this and ``PAUSED``: read from the
    folder alone, both count as running."""
    FINISHED = "finished"
    FAILED = "failed"
    """Its last session ended with an error; ``resume`` goes on."""
    STOPPED = "stopped"
    """Stopped or killed before it was finished; ``resume`` goes on either way."""
    MISSING = "missing"
    """No folder is there any more."""
    DAMAGED = "damaged"
    """What is there can't be read."""

    @property
    def live(self) -> bool:
        """An engine is at work on it."""
        return self in (State.RUNNING, State.PAUSED, State.REVIEW)

    @property
    def resumable(self) -> bool:
        return self in (State.STOPPED, State.FAILED)

    @property
    def readable(self) -> bool:
        return self not in (State.MISSING, State.DAMAGED)


@dataclass(frozen=True, slots=True)
class Status:
    """A moment of a project."""

    project: str
    state: State
    holder: Holder | None
    """The engine that renders it now, or the process that is restarting it after a crash."""
    film: str
    prompt: str
    painter: str
    model: str
    keyframes: int
    """Keyframes of the film on disk."""
    total_keyframes: int | None
    """None: until stopped."""
    frames: int
    """Frames committed."""
    total_frames: int | None
    duration: float
    """Length of the film so far, seconds."""
    film_size: int
    """Bytes of the film so far."""
    keyframes_size: int
    """Bytes of all keyframes."""
    figures: Figures | None
    """Of the newest keyframe, with times averaged over the last ones. None: none was painted."""
    session: SessionRecord
    """What the last session has been through: crashes, and why it failed."""
    takes: tuple[tuple[int, int], ...] = ()
    """(keyframe, take) of all of which the film has another take than the first."""
    marks: Marks = ()
    """(keyframe, note)."""
    parent: str = ""
    """The folder of the project that this is a branch of; empty: it is none."""
    branched_at: int = 0
    """The last keyframe that both have, from 0."""
    settings: RenderSettings | None = None
    """In force for the next keyframe; no part of the JSON."""

    @property
    def seconds_per_keyframe(self) -> float | None:
        """Painting time, mean of the last keyframes."""
        return self.figures.seconds if self.figures else None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the figures stand among the rest, null where there are none."""
        values = asdict(replace(self, settings=None))
        del values["settings"]
        figures = values.pop("figures") or dict.fromkeys(FIGURES)
        return {**values, "seconds_per_keyframe": figures.pop("seconds"), **figures}


def read_status(folder: Path) -> Status:
    """Look at ``folder``. Raises ProjectError or SettingsError when it is no readable project."""
    settings = read_settings(folder)
    running = renders(folder)
    told = sum_up(folder)
    now = told.settings(settings)
    session = read_session(folder)
    return Status(
        project=str(folder),
        state=_state(running, told.finished, session),
        holder=running,
        film=str(folder / FILM),
        prompt=now.prompt,
        painter=now.painter,
        model=now.model,
        keyframes=told.keyframes,
        takes=told.takes,
        marks=told.marks,
        parent=told.parent,
        branched_at=told.branched_at,
        total_keyframes=now.keyframes,
        frames=told.frames,
        total_frames=replace(settings, keyframes=now.keyframes).film_frames,
        duration=float(told.frames / settings.fps),
        film_size=told.film_size if told.frames else 0,
        keyframes_size=told.keyframes_size,
        figures=typical(told.painted),
        session=session,
        settings=now,
    )


def _state(running: Holder | None, finished: bool, session: SessionRecord) -> State:
    if running:
        return State.RUNNING
    if finished:
        return State.FINISHED
    return State.FAILED if session.failure else State.STOPPED
