"""A session in the foreground of a process: its log file, its signals, its exit code.

Used by `python -m renderer` and by the interface's headless verbs. Knows no terminal: events go
to a ``show`` callable, always on the calling thread, so that a slow terminal never slows a render.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from renderer.engine import places
from renderer.engine.control import Control
from renderer.engine.inward import Inward
from renderer.engine.layout import LOG
from renderer.engine.project import Project
from renderer.engine.session import Session
from renderer.errors import StorageError
from renderer.events import Event, RenderFailed, RenderFinished, StepDone
from renderer.files import storage_errors

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CROWD = 256
"""Events that may wait for a slow ``show`` before steps are left out."""
_GLANCE = 0.5
"""Seconds: Python runs a signal's handler only between waits, so no wait may be without an end."""


log = logging.getLogger("renderer.engine")


class Abandoned(BaseException):
    """A second signal: end at once. The film is whole at every moment, so nothing need be saved."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def run(
    folder: Path, show: Callable[[Event], None], on_open: Callable[[], None] = lambda: None
) -> int:
    """Render the project at ``folder`` until it ends; returns the exit code.

    0 finished · 130 stopped by SIGINT · 143 stopped by SIGTERM · else the error's (``errors.py``).
    A finished film that was asked for zooming in as well gets that before the last event; where it
    can't be made, that is a Note, and the exit code is the error's. The first signal ends the
    render after the segment in hand; a second raises Abandoned, after which the caller must end the
    process (``os._exit``). SIGHUP, a lost terminal, changes nothing.
    ``on_open`` is called once the project is locked and viewers can connect. Must be called on the
    main thread. Raises RendererError if the project can't be opened.
    """
    with _kept_when_abandoned(Project.open(folder)) as project, log_file(folder / LOG):
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()

        def emit(event: Event) -> None:
            if not isinstance(event, StepDone) or events.qsize() < _CROWD:
                events.put(event)
            if not isinstance(event, RenderFinished):
                publish(event)

        def tell(event: Event) -> None:
            publish(event)
            show(event)

        session = Session(project, emit)
        wanted = project.settings.direction == "in"
        inward = Inward(folder, lambda: session.stop_asked) if wanted else None
        with _control(folder, session) as control, stopping(session) as signals:
            publish = control.publish if control else _to_nobody
            on_open()
            worker = threading.Thread(target=session.run, name="renderer-session")
            worker.start()
            with _joined(worker, session):
                outcome = _show_all(events, show)
                code = _end(outcome, inward, tell)
        return 128 + signals[0] if code is None and signals else code or 0


@contextmanager
def _control(folder: Path, session: Session) -> Iterator[Control | None]:
    """The control socket, and a place on the list of renders; a render goes on without them."""
    try:
        places.remember(folder)
        control = Control(places.socket_path(folder), folder, session)
    except StorageError as error:
        log.warning("no control socket: %s", error)
        yield None
        return
    with control:
        yield control


def _to_nobody(event: Event) -> None:
    """Where events go without a socket."""


@contextmanager
def _kept_when_abandoned(project: Project) -> Iterator[Project]:
    """Close ``project``, unless its threads still write to it while the process ends."""
    try:
        yield project
    except Abandoned:
        raise
    except BaseException:
        project.close()
        raise
    project.close()


@contextmanager
def _joined(worker: threading.Thread, session: Session) -> Iterator[None]:
    """Never leave the block while ``worker`` still writes to the project, but when abandoned."""
    try:
        yield
    except Abandoned:
        raise
    except BaseException:
        session.stop()
        worker.join()
        raise
    worker.join()


def _show_all(
    events: queue.SimpleQueue[Event], show: Callable[[Event], None]
) -> RenderFinished | RenderFailed:
    """Up to the outcome, which is returned, shown only where nothing can come before it."""
    while True:
        try:
            event = events.get(timeout=_GLANCE)
        except queue.Empty:
            continue
        if isinstance(event, RenderFinished):
            return event
        show(event)
        if isinstance(event, RenderFailed):
            return event


def _end(
    outcome: RenderFinished | RenderFailed, inward: Inward | None, tell: Callable[[Event], None]
) -> int | None:
    """Do what belongs to the end, and tell of it; the exit code, None for a stop."""
    if isinstance(outcome, RenderFailed):
        return outcome.exit_code
    code = None if outcome.stopped else 0
    if inward is not None and not outcome.stopped:
        code = inward.make(tell)
    tell(outcome)
    return code


@contextmanager
def stopping(session: Session) -> Iterator[list[int]]:
    """Signals stop ``session`` while the block runs; yields the list of those that came."""
    came: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise Abandoned(128 + number)
        session.stop()

    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _LogFile(logging.FileHandler):
    """Loses what it can't write: a full disk is told once, by the render's own error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Everything that the engine logs, and Python's warnings, goes to ``path`` and nowhere else."""
    with storage_errors(path):
        handler = _LogFile(path, encoding="utf-8")
    formatter = logging.Formatter(
        "%(asctime)sZ %(levelname)-7s %(threadName)s %(name)s: %(message)s"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
