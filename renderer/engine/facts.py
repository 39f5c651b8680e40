"""A render in a few plain values: what messages, metrics and status lines say of it.

From the folder, from what its engine says, or from both. Knows none of those that say it.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renderer.painting.figures import BESIDE_TIME, FIGURES, Figures
from renderer.project.records import name_of
from renderer.project.status import State, Status

if TYPE_CHECKING:  # a project that is not rendered needs no engine's words
    from renderer.engine.state import RenderState


WAITING = {"paused": State.PAUSED, "review": State.REVIEW}
"""Phases in which nothing is painted, as a project's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A moment of a render; None: there is no end, no rate yet, or that source can't tell."""

    project: str
    """Folder, absolute."""
    state: State
    keyframes: int
    """Keyframes of the film on disk."""
    total: int | None
    """Keyframes in all."""
    frames: int
    """Frames committed."""
    total_frames: int | None
    seconds: float
    """Length of the film so far."""
    size: int
    """Bytes of the film so far."""
    keyframes_size: int | None = None
    """Bytes of all keyframes."""
    pace: float | None
    """Seconds a keyframe."""
    left: float | None
    """Seconds until it is finished."""
    restarts: int | None = None
    """Of this session, after crashes."""
    prompt: str
    figures: Figures | None
    """Of the newest keyframe, with times averaged over the last ones."""

    @property
    def name(self) -> str:
        return name_of(Path(self.project))

    def plain(self) -> dict[str, Any]:
        """Plain JSON values by the fields' names; the figures stand among the rest."""
        values = {"name": self.name, **asdict(self)}
        figures = values.pop("figures") or dict.fromkeys(FIGURES)
        return {**values, **{name: figures[name] for name in BESIDE_TIME}}


def facts_of_project(status: Status, engine: RenderState | None = None) -> Facts:
    """What the folder holds; ``engine``: what its engine says, if one runs and answers."""
    pace, total = status.seconds_per_keyframe, status.total_keyframes
    left = pace * max(0, total - status.keyframes) if pace is not None and total else None
    facts = Facts(
        project=os.path.abspath(status.project),  # noqa: PTH100 - a link keeps its name
        state=status.state,
        keyframes=status.keyframes,
        total=total,
        frames=status.frames,
        total_frames=status.total_frames,
        seconds=status.duration,
        size=status.film_size,
        keyframes_size=status.keyframes_size,
        pace=pace,
        left=left,
        restarts=status.session.restarts,
        prompt=status.prompt,
        figures=status.figures,
    )
    if engine is None or not status.state.live:
        return facts
    said = facts_of_engine(engine)
    return replace(facts, state=said.state, left=left if said.left is None else said.left)


def facts_of_engine(engine: RenderState) -> Facts:
    """What the engine has said of itself."""
    return Facts(
        project=os.path.abspath(engine.project),  # noqa: PTH100
        state=_state(engine),
        keyframes=engine.keyframes,
        total=engine.total_keyframes,
        frames=engine.frames,
        total_frames=engine.total_frames,
        seconds=engine.duration,
        size=engine.size,
        pace=engine.seconds_per_keyframe,
        left=engine.seconds_left,
        prompt=engine.prompt,
        figures=engine.typical,
    )


def _state(engine: RenderState) -> State:
    if engine.failure is not None:
        return State.FAILED
    if engine.finished:
        return State.STOPPED if engine.stopped else State.FINISHED
    return WAITING.get(engine.phase, State.RUNNING)
