"""What there is to know of a project that is not being rendered, from its folder. No screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from renderer.engine.events import Phase, RenderFailed
from renderer.engine.state import RenderState, apply
from renderer.project.records import read_settings
from renderer.project.session_record import SessionRecord
from renderer.project.status import State, read_status


def state_on_disk(folder: Path) -> RenderState:
    """A project that is not being rendered, as if its last session had just ended.

    One that can go on counts as stopped: a kill looks the same from the outside. Raises
    ProjectError, SettingsError.
    """
    status, settings = read_status(folder), read_settings(folder)
    state = RenderState(
        project=status.project,
        film=status.film,
        phase=Phase.DRAINING,
        keyframes=status.keyframes,
        takes=status.takes,
        marks=status.marks,
        total_keyframes=status.total_keyframes,
        prompt=status.prompt,
        figures=(status.figures,) if status.figures else (),
        frames=status.frames,
        frames_per_keyframe=settings.frames_per_keyframe,
        fps=float(settings.fps),
        duration=status.duration,
        size=status.film_size,
        finished=True,
        stopped=status.state is not State.FINISHED,
    )
    return failed(state, status.session) if status.state is State.FAILED else state


def failed(state: RenderState, session: SessionRecord) -> RenderState:
    """``state`` after the end of ``session``, which this viewer did not hear of."""
    event = RenderFailed(session.failure, session.exit_code)
    return apply(replace(state, finished=False, stopped=False), event, session.at)
