"""A moment of a project, as a viewer knows it: what its engine said, and how the two stand.

Four situations must never be mixed up: an engine is running; the session is over (it said so); the
engine went without a word, and its parent is there to start another; or it is lost: the kernel says
that no engine holds the project.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

from renderer.engine.events import Phase
from renderer.engine.preview import Preview
from renderer.engine.state import RenderState
from renderer.project.records import keyframe_path

SOON = 3.0
"""Seconds: a keyframe that will be ready so soon is not worth a look before it is."""


class Situation(enum.Enum):
    """How the project and this viewer stand to one another."""

    CONNECTING = enum.auto()
    """An engine holds the project, or may; nothing was heard yet."""
    RUNNING = enum.auto()
    UNREACHABLE = enum.auto()
    """An engine holds the project, but can't be talked to; ``View.why`` says more."""
    OVER = enum.auto()
    """The session has ended by its own word, or no engine renders the project."""
    RESTARTING = enum.auto()
    """The engine has crashed and is being started again; ``View.why`` says more."""
    LOST = enum.auto()
    """The engine was running, has gone without a word, and none holds the project."""


@dataclass(frozen=True, slots=True)
class View:
    """A moment of a project, as this viewer knows it."""

    folder: Path
    situation: Situation = Situation.CONNECTING
    state: RenderState = field(default_factory=RenderState)
    why: str = ""
    """Why the engine can't be talked to or is restarted, or the project can't be read; one line."""
    pid: int = 0
    """Of the engine that was heard last."""
    keyframe_size: int = 0
    """Bytes of the newest keyframe on disk."""
    history: tuple[float, ...] = ()
    """Percent, the last readings of the GPU's meter; of the processor's where there is no GPU."""
    preview: Preview | None = None
    """The newest look at the keyframe in the making; None once that is ready."""

    def keyframe_path(self, keyframe: int) -> Path:
        """The file of the take that the film has."""
        return keyframe_path(self.folder, keyframe, self.state.take(keyframe))

    @property
    def running(self) -> bool:
        return self.situation is Situation.RUNNING

    @property
    def paused(self) -> bool:
        return self.running and self.state.phase is Phase.PAUSED

    @property
    def steerable(self) -> bool:
        """Whether there is a keyframe still to come that a prompt could be for."""
        return self.running and self.state.phase is not Phase.DRAINING

    @property
    def seconds_to_keyframe(self) -> float | None:
        """Until the keyframe in hand is painted, by the pace so far; None where that is unknown."""
        state = self.state
        if state.painting is None or not state.steps or not state.seconds_per_keyframe:
            return None
        return state.seconds_per_keyframe * (1 - state.step / state.steps)

    @property
    def worth_a_look(self) -> bool:
        """Whether a keyframe is being painted that won't be ready at once."""
        state = self.state
        if not self.running or self.paused or state.painting is None or not state.steps:
            return False
        left = self.seconds_to_keyframe
        return left is None or left > SOON

    @property
    def resumable(self) -> bool:
        """It is not being rendered, and something is left to do."""
        if self.why:
            return False
        over = self.situation is Situation.OVER
        return self.situation is Situation.LOST or (over and not self.complete)

    @property
    def complete(self) -> bool:
        """The film has its last frame."""
        return self.state.finished and not self.state.stopped
