"""A queue: a folder of small records, each of a project that is to be rendered in its turn.

A record says what is wanted of a project, and what became of it. Whether it is being rendered, and
how far it is, is read from the project itself, so that a queue survives all that a project does.
"""

from __future__ import annotations

import enum
import json
import math
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path

import msgspec

from renderer.errors import ProjectError
from renderer.files import replace_file, storage_errors
from renderer.project import registry
from renderer.project.lock import Holder, ProjectLock, holder

_RECORD, _LOCK, _PAUSED = ".job.json", "lock", "paused"


class Turn(enum.StrEnum):
    """Whether a job is to be rendered."""

    WAITING = "waiting"
    """As soon as a device is free; a job that is being rendered keeps this until it has ended."""
    HELD = "held"
    """Not before it is released."""
    DONE = "done"
    FAILED = "failed"
    """Set aside; ``why`` gives the reason."""


@dataclass(frozen=True, slots=True)
class Job:
    """The record of one project."""

    project: str
    """Its folder, an absolute path."""
    place: float
    """Jobs with lower numbers come first."""
    turn: Turn = Turn.WAITING
    why: str = ""
    """Why it is held or failed, in one line; empty: the user wants it so."""
    device: str = ""
    """The device that it was given to, until it has ended there."""
    killed: int = 0
    """How often in a row its processes were killed before it ended."""

    @property
    def folder(self) -> Path:
        return Path(self.project)


_PLACE = attrgetter("place")
_OURS = 0, 0
"""No file; the next look reads the record."""


class Queue:
    """The queue at ``folder``, which any number of processes may read and change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[tuple[int, int], Job]] = {}
        """By the files' names: which file it was, and what it said."""
        self._looked = -math.inf

    def jobs(self, age: float = 0.0) -> list[Job]:
        """All, in the order of their turns; reads only records that have changed.

        ``age``: what other processes have changed in the last so many seconds may be missing.
        Raises ProjectError for one that can't be read.
        """
        if time.monotonic() - self._looked >= age:
            self._look()
        return sorted((job for _, job in self._seen.values()), key=_PLACE)

    def _look(self) -> None:
        self._looked = time.monotonic()
        seen: dict[str, tuple[tuple[int, int], Job]] = {}
        for entry in self._records():
            try:
                found = entry.stat()
                version = found.st_ino, found.st_mtime_ns
                known = self._seen.get(entry.name)
                fresh = known if known and known[0] == version else (version, _read(Path(entry)))
            except FileNotFoundError:
                continue  # it was taken out just now
            seen[entry.name] = fresh
        self._seen = seen

    def _records(self) -> list[os.DirEntry[str]]:
        with suppress(FileNotFoundError):
            return [each for each in os.scandir(self.folder) if each.name.endswith(_RECORD)]
        return []

    def find(self, project: Path) -> Job:
        """Raises ProjectError where ``project`` is not in the queue."""
        try:
            return _read(self._path(project))
        except FileNotFoundError:
            what = "is not in the queue; `zoomtui queue ls` lists what is"
            raise ProjectError(f"{project} {what}") from None

    def turn(self, project: Path) -> Turn | None:
        """Of ``project``, as it is now; None: it is not in the queue."""
        try:
            return _read(self._path(project)).turn
        except FileNotFoundError:
            return None

    def before_all(self) -> float:
        """A place before those of all jobs."""
        return min([0.0, *(job.place for job in self.jobs())]) - 1

    def add(self, projects: Sequence[Path], *, first: bool = False) -> None:
        """Let them wait, in that order, behind all others or before them. Raises StorageError.

        One that is in the queue already, whatever became of it, waits anew.
        """
        start = self.before_all() - len(projects) if first else time.time()
        for number, project in enumerate(projects):
            self.put(Job(str(project.resolve()), start + number * 1e-3))

    def put(self, job: Job, *, durable: bool = True) -> None:
        """Write its record. Raises StorageError."""
        self.make()
        path = self._path(job.folder)
        replace_file(path, json.dumps(asdict(job)).encode(), durable=durable)
        self._seen[path.name] = _OURS, job

    def update(self, job: Job, *, durable: bool = True, **changes: object) -> Job:
        """``job`` with ``changes``, as far as its record is still there. Raises StorageError.

        ``durable``: also through a power cut.
        """
        changed = replace(job, **changes)  # type: ignore[arg-type]
        if self._path(job.folder).exists():
            self.put(changed, durable=durable)
        return changed

    def move(self, project: Path, by: int) -> None:
        """Let it change places with the one that waits before it (-1) or behind it (1), if any.

        Raises ProjectError where it is not in the queue, StorageError.
        """
        job = self.find(project)
        waiting = [each for each in self.jobs() if each.turn is Turn.WAITING]
        there = waiting.index(job) + by if job in waiting else -1
        if 0 <= there < len(waiting):
            other = waiting[there]
            self.update(job, place=other.place)
            self.update(other, place=job.place)

    def remove(self, project: Path) -> None:
        """Take ``project`` out; the project itself stays. Raises StorageError."""
        with storage_errors(self.folder):
            self._path(project).unlink(missing_ok=True)

    @property
    def paused(self) -> str | None:
        """Why no job is begun, in one line, empty where the user wants it so; None: they are."""
        with suppress(FileNotFoundError):
            return (self.folder / _PAUSED).read_text(encoding="utf-8")
        return None

    def pause(self, why: str = "") -> None:
        """Begin no job until ``go_on``; those that are rendered go on. Raises StorageError."""
        self.make()
        replace_file(self.folder / _PAUSED, why.encode(), durable=False)

    def go_on(self) -> None:
        """Raises StorageError."""
        with storage_errors(self.folder):
            (self.folder / _PAUSED).unlink(missing_ok=True)

    def lock(self) -> ProjectLock:
        """Held by the one process that begins its jobs. Raises ProjectBusy, StorageError."""
        self.make()
        return ProjectLock(self.folder / _LOCK)

    @property
    def runner(self) -> Holder | None:
        """The process that begins its jobs; None: nothing does."""
        return holder(self.folder / _LOCK)

    def make(self) -> None:
        """Have its folder. Raises StorageError."""
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def _path(self, project: Path) -> Path:
        """Its record, by the path as it is written, or by where that leads: a project may have been
        moved since, and a link left in its place."""
        written = self.folder / f"{registry.digest(project.absolute())}{_RECORD}"
        if written.exists():
            return written
        return self.folder / f"{registry.identity(project)}{_RECORD}"


def own_queue() -> Queue:
    """The user's own. Raises StorageError."""
    return Queue(registry.private_directory("queue"))


def _read(path: Path) -> Job:
    """Raises FileNotFoundError, ProjectError."""
    try:
        return msgspec.convert(json.loads(path.read_bytes()), Job)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ProjectError(f"the job {path} can't be read: {why}; delete it to go on") from None
