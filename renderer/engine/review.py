"""Holding the painter after each keyframe until it is decided which of its takes the film has.

Only where the settings want that (``review``). Knows the painter's thread, on which it waits, and
what can be asked of a session; no viewer.
"""

from __future__ import annotations

import time

from renderer.engine.controls import Controls
from renderer.engine.events import Emit, Held, Phase, PhaseChanged
from renderer.engine.revisions import Revisions
from renderer.painting.candidate_cost import cost
from renderer.project.history import StoredKeyframe
from renderer.project.project import Project
from renderer.project.records import path_of


class Review:
    """For the producer, on its thread."""

    def __init__(
        self, project: Project, controls: Controls, revisions: Revisions, emit: Emit
    ) -> None:
        self._project = project
        self._controls = controls
        self._revisions = revisions
        self._emit = emit

    def wanted(self, keyframe: int) -> bool:
        """Whether ``keyframe``, painted now or before, waits for a decision."""
        project = self._project
        if not project.settings_at(keyframe).review or keyframe <= self._controls.settled:
            return False
        if keyframe < len(project.keyframes) - 1:
            return False  # another one is painted around it already
        if keyframe < len(project.keyframes) and not project.keyframes[keyframe].seconds:
            return False  # a picture of the user's own
        first = keyframe == 0 and len(project.keyframes) <= 1
        return first or keyframe > project.store.intervals

    def hold(self, keyframe: int) -> None:
        """Wait for the decision; have more takes painted first, as many as are to choose from.

        Raises Cancelled where the decision is another take, and where the render is stopped.
        """
        self._controls.wait_until(lambda: keyframe < len(self._project.keyframes))
        settings, takes = self._project.settings_at(keyframe), self._takes(keyframe)
        if len(takes) < settings.review:
            self._revisions.reroll(keyframe, {})
            self._controls.checkpoint()  # raises Cancelled
        until = time.time() + settings.review_wait if settings.review_wait else 0.0
        self._controls.about_to_hold(keyframe)  # a viewer that hears of it may answer at once
        self._emit(PhaseChanged(Phase.REVIEW))
        self._emit(Held(keyframe, len(takes), until))
        if not self._controls.hold(keyframe, settings.review_wait):
            best = min(takes, key=_cost)
            if best != self._project.keyframes[keyframe]:
                self._revisions.choose(keyframe, best.take)
                self._controls.checkpoint()  # raises Cancelled
            self._controls.settle(keyframe)
        self._emit(PhaseChanged(Phase.PAUSED if self._controls.paused else Phase.RENDERING))

    def _takes(self, keyframe: int) -> list[StoredKeyframe]:
        """Those that can be chosen from, the one that the film has among them."""
        history = self._project.history
        film_has = history.keyframes[keyframe]
        return [
            stored
            for stored in history.takes(keyframe)
            if stored.around == film_has.around
            and (stored == film_has or path_of(self._project.folder, stored).exists())
        ]


def _cost(stored: StoredKeyframe) -> float:
    """How bad it is; of first pictures, which have no border, none is worse."""
    return cost(stored.seam, stored.drift) if stored.seam else 0.0
