"""One run of the engine: a thread that paints keyframes, and one that has them made into film.

Everything meets here and only here: producer, consumer, the channel between them, and what the
outside may ask. Knows no terminal, no socket and no signals.

    renderer-gpu   settings → painter → keyframe ─┐ channel (bounded)
    renderer-cpu   ┌──────────────────────────────┘
                   └→ durable on disk → journal → segment → journal → playlists
    renderer-film       ├→ PNG           several at once, as many as there are workers
    renderer-zoom       └→ frames → encoder
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from renderer.engine.channel import Channel
from renderer.engine.conditions import Conditions
from renderer.engine.consumer import Consumer
from renderer.engine.controls import Controls
from renderer.engine.event_text import told
from renderer.engine.events import (
    Emit,
    Event,
    KeyframeReady,
    Marked,
    Note,
    Phase,
    PhaseChanged,
    RenderFailed,
    RenderFinished,
    RenderStarted,
    Steered,
)
from renderer.engine.preview import PreviewRequests
from renderer.engine.producer import Keyframe, PainterSource, Producer
from renderer.engine.revisions import Revisions
from renderer.errors import Cancelled, RendererError
from renderer.formatting import clean
from renderer.painting.painters import PainterFactory
from renderer.painting.upscale import make_painter
from renderer.project.history import Placed
from renderer.project.project import Project
from renderer.project.session_record import read_session

CAPACITY = 2
"""Keyframes that may wait between the threads; the painter has one, and each worker another."""

log = logging.getLogger("renderer.engine")


class Session:
    """Render ``project`` until its last keyframe, a stop, or an error. Use once.

    The project stays the caller's to close. Every event goes to ``emit``; see ``events.py`` for
    the order. All methods but ``run`` may be called from any thread.
    """

    def __init__(
        self,
        project: Project,
        emit: Emit,
        meter: Callable[[], Mapping[str, float | None]] = dict,
        painters: PainterFactory = make_painter,
    ) -> None:
        """``meter``: how busy the machine is, as ``StoredKeyframe`` names it; asked seldom.
        ``painters``: what makes a painter, on the thread that will paint."""
        self._project = project
        self._meter = meter
        self._listener = emit
        self._channel: Channel[Keyframe] = Channel(CAPACITY)
        self._controls = Controls()
        self.preview_requests = PreviewRequests()
        """For viewers that want to see the keyframe in the painter's hands, unfinished as it is."""
        self._painters = PainterSource(self._controls, self._emit, painters)
        self.revisions = Revisions(project, self._controls)
        """For viewers that want other keyframes than there are."""
        self._producer = self._new_producer()
        record = read_session(project.folder)
        self._of_session = {"session": record.began or time.time(), "restarts": record.restarts}
        self._conditions = Conditions(project.folder, self._of_session["session"])
        self._errors: list[BaseException] = []
        self._saying = threading.RLock()  # a listener may itself pause or steer
        self._begun = False
        self._over = False
        self._phase: PhaseChanged | None = None
        self.stop_asked = False
        """Whether it was asked to end, even where it then came to its end by itself."""

    def stop(self, *, now: bool = False) -> None:
        """End soon: drop the painting, finish the segment in hand; ``now``: drop that as well."""
        self.stop_asked = True
        if not self._controls.stopped:
            self._emit(PhaseChanged(Phase.DRAINING))
        self._controls.stop(now=now)

    def fail(self, error: RendererError) -> None:
        """End at once, because of that error."""
        self._errors.append(error)
        self._give_up()

    def pause(self, paused: bool) -> None:
        """Hold the painter at its next step, or let it go on."""
        if paused != self._controls.paused and not self.stop_asked:
            self._controls.pause(paused)
            unpaused = Phase.RENDERING if self._controls.holding is None else Phase.REVIEW
            self._emit(PhaseChanged(Phase.PAUSED if paused else unpaused))

    def steer(self, changes: Mapping[str, Any]) -> None:
        """Change settings from the next keyframe that is not begun. See ``Project.steer``."""
        with self.revisions.undisturbed():
            start, changed = self._producer.steer(changes)
        if changed:
            self._emit(self._steered(start, changed))

    def mark(self, keyframe: int, note: str) -> None:
        """Note something about a keyframe. See ``Project.mark``."""
        with self.revisions.undisturbed():
            self._project.mark(keyframe, note)
        self._emit(Marked(keyframe, note))

    def place(self, placed: Placed) -> None:
        """Let a keyframe that is not begun show a picture that was kept in the project."""
        with self.revisions.undisturbed():
            self._producer.place(placed)
        number = placed.keyframe + 1
        said = f"keyframe {number} will show a picture of your own"
        gone = f"keyframe {number} will be painted as any other"
        self._emit(Note(said if placed.length else gone))

    def undo(self) -> None:
        """Take back steering that no keyframe has begun with; ProjectError where there is none."""
        with self.revisions.undisturbed():
            start = self._producer.undo()
        self._emit(self._steered(start, {}))

    def run(self) -> RenderFinished | RenderFailed:
        """Run both threads to their end; the last event is also returned."""
        self._emit(self._started())
        if self._project.recovered:
            self._emit(Note(self._project.recovered))
        self._run_threads()
        while self._revised():
            self._run_threads()
        outcome = self._outcome()
        self._emit(outcome)
        return outcome

    def _run_threads(self) -> None:
        """Both threads, until there is nothing to do, a stop, an interruption, or an error."""
        threads = [
            threading.Thread(target=self._guarded, args=(body, end), name=name)
            for name, body, end in (
                ("renderer-gpu", self._producer.run, self._channel.finish),
                ("renderer-cpu", self._consume, self._give_up),
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _revised(self) -> bool:
        """Do what was asked for meanwhile; True: the threads are to go on."""
        said: list[Event] = []
        end = bool(self._errors) or self.stop_asked
        self._guarded(lambda: said.extend(self.revisions.do(end=end)), lambda: None)
        again = not self.revisions.ended and not self._errors
        if again:
            self._channel = Channel(CAPACITY)
            self._producer = self._new_producer()
            self.revisions.begun()
        with self._saying:
            for event in said:
                self._emit(event)
            if again:
                paused = self._controls.paused
                self._emit(PhaseChanged(Phase.PAUSED if paused else Phase.RENDERING))
        return again

    def _new_producer(self) -> Producer:
        return Producer(
            self._project,
            self._channel,
            self._controls,
            self._emit,
            self.preview_requests,
            self._painters,
            self.revisions,
        )

    def _consume(self) -> None:
        Consumer(self._project, self._channel, self._controls, self._emit, self._noted).run()

    def _noted(self) -> Mapping[str, Any]:
        return {**self._of_session, **self._meter()}

    def _give_up(self) -> None:
        """Nothing more is filmed, so the painter must end, even where it is paused."""
        self._channel.abort()
        self._controls.interrupt()

    def _emit(self, event: Event) -> None:
        """Hand ``event`` to the listener, and to the log if it is worth a line there.

        Nothing follows the outcome, even where a viewer pauses a render that is just ending, and
        nothing precedes the start: a request made before it shows in the events after it. A phase
        is reported once, however many reasons there are for it.
        """
        with self._saying:
            self._begun = self._begun or isinstance(event, RenderStarted)
            if self._over or not self._begun or event == self._phase:
                return
            if isinstance(event, PhaseChanged):
                self._phase = event
            self._over = isinstance(event, RenderFinished | RenderFailed)
            line = told(event)
            if line:
                log.info("%s", clean(line))
            self._listener(event)
            if isinstance(event, KeyframeReady):
                self._heed(event)

    def _heed(self, newest: KeyframeReady) -> None:
        """Stop or pause by itself where the settings want that, and something is left to paint."""
        settings = self._project.settings_at(newest.keyframe + 1)
        met, paused = self._conditions.met, self._controls.paused
        if self._controls.stopped or newest.keyframe + 1 == settings.keyframes:
            return
        if why := met(settings.stop_when, newest):
            self._emit(Note(f"stops by itself: {why}"))
            self.stop()
        elif not paused and (why := met(settings.pause_when, newest)):
            self._emit(Note(f"pauses by itself: {why}; unpause goes on"))
            self.pause(True)

    def _guarded(self, body: Callable[[], None], end: Callable[[], None]) -> None:
        """A thread's whole life: run, record what went wrong, and always end the other side."""
        try:
            body()
        except Cancelled:
            log.info("%s left early", threading.current_thread().name)
        except BaseException as error:  # recorded here, reported once by _outcome
            log.exception("%s failed", threading.current_thread().name)
            self._errors.append(error)
        finally:
            end()

    def _started(self) -> RenderStarted:
        project = self._project
        now = replace(project.settings, keyframes=project.current.keyframes)
        session = read_session(project.folder)
        return RenderStarted(
            project=str(project.folder),
            film=str(project.film),
            keyframes=len(project.keyframes),
            frames=project.store.frames,
            size=project.store.size,
            total_keyframes=now.keyframes,
            total_frames=now.film_frames,
            prompt=project.current.prompt,
            fps=float(now.fps),
            frames_per_keyframe=now.frames_per_keyframe,
            capacity=CAPACITY,
            began=session.began,
            restarted=session.at if session.crash else 0.0,
            crash=session.crash,
            stop_when=project.current.stop_when,
            pause_when=project.current.pause_when,
            takes=project.history.other_takes,
            marks=project.history.marks,
        )

    def _steered(self, start: int, changed: Mapping[str, Any]) -> Steered:
        settings = self._project.settings_at(start)
        return Steered(
            from_keyframe=start,
            prompt=settings.prompt,
            negative_prompt=settings.negative_prompt,
            total_keyframes=settings.keyframes,
            changes=changed,
            stop_when=settings.stop_when,
            pause_when=settings.pause_when,
            undone=not changed,
        )

    def _outcome(self) -> RenderFinished | RenderFailed:
        if self._errors:
            return _failure(self._errors[0])
        project = self._project
        return RenderFinished(
            film=str(project.film),
            keyframes=len(project.keyframes),
            frames=project.store.frames,
            duration=project.duration,
            size=project.store.size,
            stopped=not project.finished,
        )


def _failure(error: BaseException) -> RenderFailed:
    if isinstance(error, RendererError):
        return RenderFailed(str(error), error.exit_code, error.field)
    text = f"internal error: {type(error).__name__}: {error} (the details are in render.log)"
    return RenderFailed(text, RendererError.exit_code)
