"""What the last session of a render leaves in its project: its crashes, and why it failed.

``session.json`` says what has happened since the session began; ``supervisor`` is locked as long as
there is a parent that starts the engine again. Both are for viewers of the project: nothing here is
part of the film.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec

from renderer.errors import ProjectBusy, StorageError
from renderer.files import Place, overwrite_file, replace_file
from renderer.journal import Moment
from renderer.project.lease import leaseholder
from renderer.project.lock import Holder, ProjectLock, busy_message, holder
from renderer.project.records import LOCK, SESSION, SETTINGS, SUPERVISOR

RESTARTS = 3
"""How often an engine is started again within ``WINDOW``."""
WINDOW = 600.0
"""Seconds."""
_ROOM = 4096
"""Bytes that the file has from the start, so that a failure fits in even on a full disk."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a session has been through; by default nothing yet."""

    crash: str = ""
    """Its last crash, one line; empty: it had none."""
    at: Moment = 0.0
    """Unix time of that crash, or of the failure that ended the session."""
    restarts: int = 0
    """Of the whole session, the one after this crash included."""
    recent: int = 0
    """Those of them within ``WINDOW``: at most ``RESTARTS``."""
    restarting: bool = False
    """The engine is being started again, and is not there yet."""
    failure: str = ""
    """The line with which the session failed; empty: it runs, was stopped or killed, or is done."""
    exit_code: int = 0
    """Of that failure."""
    began: Moment = 0.0
    """Unix time at which the session's first engine opened the project."""

    @property
    def progress(self) -> str:
        """What is being done about the crash, while ``restarting``."""
        return f"{self.crash}; being restarted, {self.recent} of {RESTARTS}"

    @property
    def news(self) -> str:
        """What the restarted engine says first."""
        return f"{self.crash}; restarted, {self.recent} of {RESTARTS}"


def supervise(folder: Path) -> ProjectLock:
    """Be the parent of the engines that render ``folder``, until the lock is released.

    Raises ProjectBusy, naming the process, where one renders it already; StorageError.
    """
    try:
        return ProjectLock(folder / SUPERVISOR)
    except ProjectBusy:
        held = LOCK if engine(folder) else SUPERVISOR
        raise ProjectBusy(busy_message(folder / held)) from None


def engine(folder: Path) -> Holder | None:
    """The process that holds ``folder`` to render it; None: there is none."""
    return holder(folder / LOCK) or holder(folder / SETTINGS) or leaseholder(folder)


def supervisor(folder: Path) -> Holder | None:
    """The process that starts the engine of ``folder`` again if it crashes; None: there is none."""
    return holder(folder / SUPERVISOR)


def read_session(folder: Path) -> SessionRecord:
    """The record of the last session of ``folder``; an empty one where none can be read."""
    try:
        return msgspec.convert(json.loads((folder / SESSION).read_bytes()), SessionRecord)
    except (OSError, ValueError, RecursionError):
        return SessionRecord()


def record(folder: Path, session: SessionRecord, *, at: Place | None = None) -> None:
    """Write ``session`` down; ``at``: ``folder``, where it is held.

    Where the disk can't take it, viewers do without: the render meets the same error itself.
    """
    path, data = folder / SESSION, json.dumps(asdict(session)).encode().ljust(_ROOM)
    try:
        replace_file(path, data, at=at)
    except StorageError:
        with contextlib.suppress(StorageError):
            overwrite_file(path, data, at=at)


def begin(folder: Path, *, at: Place) -> None:
    """An engine has opened ``folder``: a session begins, or one that crashed continues."""
    known = read_session(folder)
    anew = SessionRecord(began=time.time())
    record(folder, replace(known, restarting=False) if known.restarting else anew, at=at)


def fail(folder: Path, why: str, exit_code: int, *, at: Place | None = None) -> None:
    """The session of ``folder`` ends with an error, whose line is ``why``."""
    known = read_session(folder)
    failed = replace(known, at=time.time(), restarting=False, failure=why, exit_code=exit_code)
    record(folder, failed, at=at)


def renders(folder: Path) -> Holder | None:
    """The process that renders ``folder``: its engine, or the parent restarting it; or None.

    Takes no lock, changes nothing.
    """
    return engine(folder) or (supervisor(folder) if read_session(folder).restarting else None)
