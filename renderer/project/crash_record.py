"""What the parent of an engine leaves in the project: that it is there, and what it has seen.

``supervisor`` is locked as long as there is a parent that starts the engine again; ``crashes.json``
is there only where the last session had a crash, and says of the last one. Both are for viewers
of the project: nothing here is part of the film.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from renderer.errors import ProjectBusy
from renderer.files import replace_file, storage_errors
from renderer.project.lock import Holder, ProjectLock, busy_message, holder
from renderer.project.records import CRASHES, LOCK, SUPERVISOR

RESTARTS = 3
"""How often an engine is started again within ``WINDOW``."""
WINDOW = 600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Crashes:
    """The last crash of a session, and what came of it."""

    why: str
    """One line."""
    at: float
    """Unix time."""
    restarts: int
    """Of the whole session, the one after this crash included."""
    recent: int
    """Those of them within ``WINDOW``: at most ``RESTARTS``."""
    restarting: bool
    """The engine is being started again, and not there yet."""
    gave_up: str = ""
    """The line with which the session ended, because it was not started again; empty: it was."""
    exit_code: int = 0
    """Of that end."""

    @property
    def progress(self) -> str:
        """What is being done about it, while it is."""
        return f"{self.why}; being restarted, {self.recent} of {RESTARTS}"

    @property
    def news(self) -> str:
        """What the restarted engine says first."""
        return f"{self.why}; restarted, {self.recent} of {RESTARTS}"


def supervise(folder: Path) -> ProjectLock:
    """Be the parent of whatever renders ``folder``, until the lock is released.

    Raises ProjectBusy, naming who renders it, where there is one; StorageError.
    """
    try:
        return ProjectLock(folder / SUPERVISOR)
    except ProjectBusy:
        held = LOCK if holder(folder / LOCK) else SUPERVISOR
        raise ProjectBusy(busy_message(folder / held)) from None


def supervisor(folder: Path) -> Holder | None:
    """The process that starts the engine of ``folder`` again if it crashes; None: there is none."""
    return holder(folder / SUPERVISOR)


def record(folder: Path, crashes: Crashes) -> None:
    """Leave word. Raises StorageError."""
    replace_file(folder / CRASHES, json.dumps(asdict(crashes)).encode(), durable=False)


def clear(folder: Path) -> None:
    """A new session begins. Raises StorageError."""
    path = folder / CRASHES
    with storage_errors(path):
        path.unlink(missing_ok=True)


def read_crashes(folder: Path) -> Crashes | None:
    """What is known of the last session's crashes; None: it had none."""
    try:
        return Crashes(**json.loads((folder / CRASHES).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # a hint that can't be read is no hint


def renders(folder: Path) -> Holder | None:
    """What renders ``folder``: its engine, or the parent that is starting one again; or None.

    Takes nothing, changes nothing.
    """
    engine = holder(folder / LOCK)
    if engine is not None:
        return engine
    crashes = read_crashes(folder)
    return supervisor(folder) if crashes is not None and crashes.restarting else None
