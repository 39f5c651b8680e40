"""The producer, renderer-gpu: keyframes from disk and from the painter, into the channel.

Knows painting and the project; knows nothing of film. Nothing here waits for a disk while there is
something to paint, but for keyframes that an earlier session has left.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from renderer.engine.channel import Channel
from renderer.engine.controls import Controls
from renderer.engine.events import Emit, KeyframeStarted, Note, Phase, PhaseChanged, StepDone
from renderer.engine.looks import Looks
from renderer.engine.preview import Preview, PreviewRequests
from renderer.engine.review import Review
from renderer.engine.revisions import Revisions
from renderer.errors import ProjectError
from renderer.images import Picture
from renderer.painting.figures import Figures
from renderer.painting.outpaint import Outpainted, first_picture, outpaint, picture_of
from renderer.painting.painters import (
    AdjustablePainter,
    CheckingPainter,
    OnStep,
    Painter,
    PainterFactory,
)
from renderer.painting.painters.idle_time import Timed
from renderer.painting.painters.notices import listening
from renderer.painting.painters.preview_hook import showing
from renderer.painting.prompt_blend import Blend
from renderer.painting.seeds import derive_seed, varied_seed
from renderer.project.history import Placed
from renderer.project.project import Project
from renderer.project.records import path_of
from renderer.settings.plain_values import to_plain
from renderer.settings.render import OPTIONS, RenderSettings


@dataclass(frozen=True, slots=True)
class Keyframe:
    """What passes through the channel."""

    index: int
    picture: Picture
    """The canvas, or for keyframe 0 the first picture."""
    made: Mapping[str, Any] | None
    """How it was painted; None: it is on disk already."""
    held: bool = False
    """It is only to be kept, not filmed: it comes again once it is decided that the film has it."""

    @property
    def dives_to(self) -> tuple[int, int] | None:
        """For the camera, of one that was just painted."""
        place = (self.made or {}).get("dives_to")
        return (place[0], place[1]) if place else None

    @property
    def stops(self) -> bool:
        return bool((self.made or {}).get("stops"))


class Producer:
    """Runs once, on its own thread: to the last keyframe, an interruption, a stop, or an error."""

    def __init__(
        self,
        project: Project,
        channel: Channel[Keyframe],
        controls: Controls,
        emit: Emit,
        preview_requests: PreviewRequests,
        painters: PainterSource,
        revisions: Revisions,
    ) -> None:
        self._project = project
        self._channel = channel
        self._controls = controls
        self._emit = emit
        self._preview_requests = preview_requests
        self._step = StepDone(0, 0, 0)
        self._painters = painters
        self._review = Review(project, controls, revisions, emit)
        self._begun = len(project.keyframes)
        self._beginning = threading.Lock()

    def steer(self, changes: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Change settings from the next keyframe not begun: its index, and what really changes.

        From any thread. Raises ProjectError or SettingsError.
        """
        with self._beginning:
            self._painters.check(self._project.settings_at(self._begun).changed(changes))
            return self._begun, self._project.steer(changes, self._begun)

    def place(self, placed: Placed) -> None:
        """Let a keyframe that is not begun show a picture. From any thread. Raises ProjectError."""
        with self._beginning:
            if placed.keyframe < self._begun:
                number = placed.keyframe + 1
                raise ProjectError(
                    f"keyframe {number} is begun already; `zoomtui rewind` takes it back"
                )
            self._project.show_placed(placed)

    def undo(self) -> int:
        """Take back steering that no keyframe has begun with; returns the index it was for.

        From any thread. Raises ProjectError when there is none.
        """
        with self._beginning:
            if not self._project.drop_steering(self._begun):
                raise ProjectError("nothing to undo: the next keyframe is painted as the last one")
            return self._begun

    def run(self) -> None:
        """Hand over what is on disk but not in the film, then paint on from there."""
        if self._project.finished:
            return
        picture: Picture | None = None
        for index in self._unfilmed():
            canvas = self._project.load_keyframe(index)
            picture = self._picture_after(index, canvas, self._project.keyframes[index].dives_to)
            if self._review.wanted(index):
                self._review.hold(index)
            self._channel.put(Keyframe(index, canvas, made=None))
        try:
            with (
                listening(lambda text: self._emit(Note(text))),
                showing(self._preview_requests.wanted, self._show),
            ):
                self._paint_on(picture)
        finally:
            if not self._controls.interrupted:
                self._emit(PhaseChanged(Phase.DRAINING))

    def _unfilmed(self) -> range:
        """Keyframes on disk from the last filmed one on, which is needed for what follows."""
        project = self._project
        start, end = project.store.intervals, len(project.keyframes)
        for index in range(start + 1, end):
            if not project.intact(stored := project.keyframes[index]):
                name = path_of(project.folder, stored).name
                self._emit(Note(f"keyframes/{name} is damaged, so it is painted again"))
                project.drop_damaged(index)
                self._begun = end = index
                break
        return range(start, end)

    def _paint_on(self, picture: Picture | None) -> None:
        """Keyframe after keyframe, each around ``picture``, the one before it."""
        looks = Looks(self._project)
        while (index := self._begin()) is not None:
            settings, history = self._project.settings_at(index), self._project.history
            blend = history.timeline.blend_at(self._project.settings, index)
            painter = self._painters.get(settings)
            variation = history.variation(index)
            settings = replace(settings, seed=varied_seed(settings.seed, index, variation))
            self._emit(KeyframeStarted(index, settings.prompt))
            began = time.monotonic() - self._controls.waited
            if picture is None:
                done = self._first(painter, settings)
            else:
                done = outpaint(
                    painter,
                    picture,
                    settings,
                    keyframe=index,
                    reference=looks.reference(index),
                    on_step=self._on_step(index),
                    blend=blend,
                    placed=self._project.placed_picture(index),
                )
            seconds = time.monotonic() - self._controls.waited - began
            picture = self._picture_after(index, done.canvas, done.dives_to)
            figures = Figures(
                seconds=seconds,
                seam=done.seam,
                drift=done.drift,
                idle=painter.idle(),
                residue=done.residue,
            )
            made = _made(settings, blend, done, figures)
            look = looks.add(index, done.canvas)
            made |= {"variation": variation, "stops": self._turns_after(index), "look": look}
            held = self._review.wanted(index)
            self._channel.put(Keyframe(index, done.canvas, made, held))
            if held:
                self._review.hold(index)
                self._channel.put(Keyframe(index, done.canvas, made=None))

    def _begin(self) -> int | None:
        """The number of the next keyframe, out of reach for steering from now on; None: no more."""
        if self._controls.stopped:
            return None
        with self._beginning:
            index = self._begun
            total = self._project.settings_at(index).keyframes
            if total is not None and index >= total:
                return None
            self._begun = index + 1
            return index

    def _turns_after(self, index: int) -> bool:
        """Whether the film goes the other way from there, as far as is known by now."""
        dives, next_dives = (
            self._project.settings_at(keyframe).method == "refine"
            for keyframe in (index, index + 1)
        )
        return index > 0 and dives != next_dives

    def _first(self, painter: Painter, settings: RenderSettings) -> Outpainted:
        picture = first_picture(painter, settings, self._on_step(0))
        return Outpainted(picture, seam=0.0, drift=0.0, seed=derive_seed(settings.seed, 0, 0))

    def _picture_after(
        self, index: int, canvas: Picture, dives_to: tuple[int, int] | None
    ) -> Picture:
        """The picture P that the next keyframe is painted around, or shows in finer detail."""
        return canvas if index == 0 else picture_of(canvas, self._project.settings, dives_to)

    def _on_step(self, keyframe: int) -> OnStep:
        def on_step(step: int, steps: int) -> None:
            self._controls.checkpoint()
            self._step = StepDone(keyframe, step, steps)
            self._emit(self._step)

        return on_step

    def _show(self, picture: Picture) -> None:
        """A small (h, w, 3) picture of what is being painted."""
        now, (height, width) = self._step, picture.shape[:2]
        self._preview_requests.show(
            Preview(now.keyframe, now.step, now.steps, width, height, picture.tobytes())
        )


_OF_THE_PAINTER = [name for name, option in OPTIONS.items() if option.new_painter]
"""Settings that a painter is made for; others come with each job, or no painter sees them."""


class PainterSource:
    """The painter for the settings in force; made anew only when they name another."""

    def __init__(self, controls: Controls, emit: Emit, make: PainterFactory) -> None:
        self._controls = controls
        self._emit = emit
        self._make = make
        self._painter: Timed | None = None
        self._made_for: tuple[Any, ...] = ()
        self._named = ("", "")
        """Painter and model."""

    def check(self, settings: RenderSettings) -> None:
        """Ask the painter in force, if it would paint with these. Raises SettingsError.

        From any thread.
        """
        painter, named = self._painter, self._named
        same = (settings.painter, settings.model) == named
        if same and painter is not None and isinstance(painter.inner, CheckingPainter):
            painter.inner.check(settings)

    def get(self, settings: RenderSettings) -> Timed:
        """The painter for ``settings``, made anew only for a setting that is ``new_painter``."""
        wanted = tuple(getattr(settings, name) for name in _OF_THE_PAINTER)
        if self._painter is None or not (wanted == self._made_for or self._adjusted(settings)):
            self._emit(PhaseChanged(Phase.LOADING))
            self._painter = None  # let go of the old model before the new one is loaded
            self._painter = Timed(self._make(settings))
            self._emit(PhaseChanged(Phase.PAUSED if self._controls.paused else Phase.RENDERING))
        self._made_for, self._named = wanted, (settings.painter, settings.model)
        return self._painter

    def _adjusted(self, settings: RenderSettings) -> bool:
        """Whether the painter that there is goes on with these."""
        inner = self._painter and self._painter.inner
        same = settings.painter == self._named[0]
        return same and isinstance(inner, AdjustablePainter) and inner.adjust(settings)


def _made(
    settings: RenderSettings, blend: Blend, done: Outpainted, figures: Figures
) -> dict[str, Any]:
    """How a keyframe was made, for the journal, its file and its event."""
    chosen = {
        name: to_plain(option, getattr(settings, name))
        for name, option in OPTIONS.items()
        if option.provenance
    }
    return {
        **chosen,
        "earlier_prompt": blend.earlier_prompt,
        "blend": round(blend.share, 4),
        "seed": done.seed,
        "kept": list(done.kept),
        **({"dives_to": list(done.dives_to)} if done.dives_to else {}),
        **{name: round(value, 4) for name, value in asdict(figures).items()},
    }
