"""A session in the foreground of a process: its log file, its signals, its exit code.

Used by `python -m renderer`, with a parent that starts it again after a crash (``parent``) or
alone. Knows no terminal: events go to a ``show`` callable, always on the calling thread, so that a
slow terminal never slows a render.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from renderer.engine.events import Event, Note, RenderFailed, RenderFinished, StepDone
from renderer.engine.session import Session
from renderer.errors import ProjectBusy, SettingsError, StorageError
from renderer.export.other_way import OtherWay
from renderer.files import open_to_append, storage_errors
from renderer.painting.painters import PainterFactory
from renderer.painting.upscale import make_painter
from renderer.project import registry, session_record
from renderer.project.project import Project
from renderer.project.records import LOG
from renderer.project.trust import check_trust
from renderer.service.logfile import log_file
from renderer.service.metrics import Metrics
from renderer.service.server import ControlServer
from renderer.service.signals import GLANCE, Abandoned, stopping
from renderer.settings.render import OPTIONS

_CROWD = 256
"""Events that may wait for a slow ``show`` before steps are left out."""

Say = Callable[[str], None]
"""Takes a line for the log and, as a Note, for viewers; from any thread."""

log = logging.getLogger("renderer.engine")


def run(
    folder: Path,
    show: Callable[[Event], None],
    *,
    on_open: Callable[[Session, Say], None] = lambda session, say: None,
    withheld: Callable[[Event], bool] = lambda event: False,
    painters: PainterFactory = make_painter,
) -> int | None:
    """Render the project at ``folder`` until it ends; returns the exit code.

    0 finished · 130 stopped by SIGINT · 143 stopped by SIGTERM · None stopped through the session,
    by a viewer or by what ``on_open`` passed it to · else the error's (``errors.py``).
    Where a film that runs the other way was asked for as well, it is made before the last event; if
    that fails, a Note says so, and the exit code is the error's. The first signal ends the render
    after the segment in hand; a second raises Abandoned, after which the caller must end the
    process (``os._exit``). SIGHUP, a lost terminal, changes nothing. A segfault leaves the stacks
    of all threads in the log.
    ``on_open`` is called once the project is locked and viewers can connect. Events for which
    ``withheld`` is true are shown, but not told to viewers. ``painters``: see ``Session``. Must be
    called on the main thread. Raises RendererError if the project can't be opened, or would run
    code that the user does not trust yet.
    """
    path = folder / LOG
    project = Project.open(folder)
    with _unless_abandoned(project.close), log_file(path), _stacks(path):
        check_trust(folder, project.settings_to_come())
        _check_needs(project)
        session_record.begin(folder, at=project.place)
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()

        def emit(event: Event) -> None:
            if not (isinstance(event, RenderFinished) or withheld(event)):
                # What takes the place of one that lost its lease writes its own.
                if isinstance(event, RenderFailed) and event.exit_code != ProjectBusy.exit_code:
                    session_record.fail(folder, event.message, event.exit_code, at=project.place)
                publish(event)
            if not isinstance(event, StepDone) or events.qsize() < _CROWD:
                events.put(event)

        def tell(event: Event) -> None:
            publish(event)
            show(event)

        def say(text: str) -> None:
            log.warning("%s", text)
            emit(Note(text))

        def end() -> None:
            session.stop()  # nothing to one that has ended
            worker.join()

        session = Session(project, emit, Metrics(folder).read_briefly, painters)
        if project.lease is not None:
            project.lease.when_lost(session.fail)
        other_way, wanted = None, project.settings.direction
        if project.settings.other_way:
            other_way = OtherWay(folder, wanted, lambda: session.stop_asked)
        with _control(folder, session) as control, stopping(lambda _: session.stop()) as signals:
            publish = control.publish if control else lambda event: None
            on_open(session, say)
            worker = threading.Thread(target=session.run, name="renderer-session")
            worker.start()
            with _unless_abandoned(end):
                outcome = _show_all(events, show)
                code = _end(outcome, other_way, tell)
        return 128 + signals[0] if code is None and signals else code


def _check_needs(project: Project) -> None:
    for settings in project.settings_to_come():
        try:
            settings.check_needs()
        except SettingsError as error:
            option = OPTIONS[error.field].option(error.field)
            remedy = f"`zoomtui resume {project.folder} {option} TEXT` gives it one"
            raise SettingsError(f"{error}; {remedy}", error.field) from None


@contextmanager
def _stacks(path: Path) -> Iterator[None]:
    """Where a fault in native code ends the process, its stacks are written to ``path``."""
    with storage_errors(path):
        file = os.fdopen(open_to_append(path), "a")
    with file:
        faulthandler.enable(file)
        try:
            yield
        finally:
            faulthandler.disable()


@contextmanager
def _control(folder: Path, session: Session) -> Iterator[ControlServer | None]:
    """The control socket, and a place on the list of renders; a render can do without them."""
    try:
        registry.remember(folder)
        control = ControlServer(registry.socket_path(folder), folder, session)
    except StorageError as error:
        log.warning("no control socket: %s", error)
        yield None
        return
    with control:
        yield control


@contextmanager
def _unless_abandoned(end: Callable[[], None]) -> Iterator[None]:
    """Do ``end`` after the block, unless threads still write while the process ends."""
    try:
        yield
    except Abandoned:
        raise
    except BaseException:
        end()
        raise
    end()


def _show_all(
    events: queue.SimpleQueue[Event], show: Callable[[Event], None]
) -> RenderFinished | RenderFailed:
    """Show events up to the outcome; that is returned, and shown only if it is a failure."""
    while True:
        try:
            event = events.get(timeout=GLANCE)
        except queue.Empty:
            continue
        if isinstance(event, RenderFinished):
            return event
        show(event)
        if isinstance(event, RenderFailed):
            return event


def _end(
    outcome: RenderFinished | RenderFailed,
    other_way: OtherWay | None,
    tell: Callable[[Event], None],
) -> int | None:
    """Make the film that runs the other way, if any, and report the end.

    Returns the exit code, None for a stop.
    """
    if isinstance(outcome, RenderFailed):
        return outcome.exit_code
    code = None if outcome.stopped else 0
    if other_way is not None and not outcome.stopped:
        code = other_way.make(tell)
    tell(outcome)
    return code
