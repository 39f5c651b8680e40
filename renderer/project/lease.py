"""One writer per project where locks don't reach: a lease on the shared storage itself.

Machines that share a folder may not see each other's locks. A project that a farm renders has a
folder ``lease``, and in it a file whose name is a number: the lease of the one engine that may
write. That engine writes a new beat into it again and again. Another one takes its place only by
making the file of the next number, which succeeds once (O_EXCL), after the last one's holder has
given it back or shown no beat for as long as it had promised. Then it removes the old file, and the
old holder finds that before its next write, however long it was stopped.

No clock is compared with another machine's, and nothing hangs on how long anything takes: what a
holder writes that was cut off between that look and the write itself goes into files that have no
name any more (``taken_over``). Knows no film and no journal.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from renderer.errors import ProjectBusy, StorageError
from renderer.files import NO_LINK, flush_folder, is_named, replace_file, storage_errors
from renderer.journal import Moment
from renderer.project.lock import Holder, busy_message

LEASE = "lease"
SECONDS = 30.0
"""Without a beat, after which an engine may be replaced. One that was only slow is not harmed: it
ends, and the film goes on elsewhere."""
_PROMISE = "seconds"
"""The file that gives another time."""
_BEATS = 10
"""In that time."""
_LONGEST = 512
"""Bytes of a file; always as many, so that a full disk has room for each beat."""

log = logging.getLogger("renderer.engine")


class _Said(msgspec.Struct, frozen=True):
    """What a file says of its holder."""

    pid: int = 0
    host: str = "?"
    since: Moment = 0.0
    """Unix time, for people."""
    seconds: float = SECONDS
    """That its holder may show no beat."""
    beat: int = 0
    given_back: bool = False


def offer(folder: Path, seconds: float = SECONDS) -> None:
    """Have every engine that opens the project at ``folder`` from now on take a lease.

    ``seconds`` without a beat end it. Raises StorageError.
    """
    with storage_errors(folder / LEASE):
        (folder / LEASE).mkdir(exist_ok=True)
    replace_file(folder / LEASE / _PROMISE, str(seconds).encode())


def take_lease(folder: Path) -> Lease | None:
    """As ``Lease``; None where the project has no leases: its lock is enough."""
    return Lease(folder) if (folder / LEASE).is_dir() else None


class Lease:
    """Held from construction to ``release``.

    Waits until the last holder is certain to be gone, at most as long as that one has promised to
    show beats. Raises ProjectBusy where it shows one, or where another engine is quicker;
    StorageError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        place = folder / LEASE
        with storage_errors(place):
            earlier = _all(place)
            self.taken_over = bool(earlier) and _is_abandoned(earlier[-1], folder)
            """The last holder has not given it back, and may not know yet that it is over."""
            self._path = place / f"{int(earlier[-1].name) + 1 if earlier else 1:06}"
            try:
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_LINK)
            except FileExistsError:
                raise _busy(folder, self._path) from None
            mine = os.getpid(), socket.gethostname(), time.time(), _promised(place)
            self._said = _Said(*mine)
            self._write(self._said)
            flush_folder(place)
            for each in earlier:
                each.unlink(missing_ok=True)
            flush_folder(place)
        self._over = threading.Event()
        self._lost: ProjectBusy | None = None
        self._tell: Callable[[ProjectBusy], None] = lambda lost: None
        self._thread = threading.Thread(target=self._beat, name="renderer-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise ProjectBusy unless this is still the one lease; call it before every write.

        Raises StorageError where that can't be told.
        """
        with storage_errors(self._path):
            there = is_named(self._handle, self._path)
        if not there:
            self._lost = ProjectBusy(
                f"{self._folder} is rendered elsewhere now, because nothing was heard of this "
                f"engine for too long; it writes nothing more, and no film is lost"
            )
        if self._lost is not None:
            raise self._lost

    def when_lost(self, tell: Callable[[ProjectBusy], None]) -> None:
        """Call ``tell``, on a thread of the lease's own, should another engine take its place."""
        self._tell = tell

    def release(self) -> None:
        """Give it back, so that the next engine need not wait. Raises StorageError."""
        self._over.set()
        self._thread.join()
        try:
            with suppress(ProjectBusy):
                self.check()
                self._write(msgspec.structs.replace(self._said, given_back=True))
        finally:
            os.close(self._handle)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _beat(self) -> None:
        while not self._over.wait(self._said.seconds / _BEATS):
            try:
                self.check()
                self._said = msgspec.structs.replace(self._said, beat=self._said.beat + 1)
                self._write(self._said)
            except ProjectBusy as lost:
                self._tell(lost)
                return
            except StorageError as error:  # the next beat may get through
                log.warning("no beat: %s", error)

    def _write(self, said: _Said) -> None:
        with storage_errors(self._path):
            os.pwrite(self._handle, msgspec.json.encode(said).ljust(_LONGEST), 0)
            os.fsync(self._handle)


def leaseholder(folder: Path) -> Holder | None:
    """The process on another machine that renders ``folder``; None: there is none, or it can't be
    told. For people: it believes that the clocks agree. Changes nothing."""
    with suppress(OSError):
        for path in _all(folder / LEASE)[-1:]:
            said, beat = _read(path), path.stat().st_mtime
            there = not said.given_back and time.time() - beat < said.seconds
            if there and said.host != socket.gethostname():  # here its lock tells it better
                return Holder(said.pid, said.host, said.since)
    return None


def _is_abandoned(path: Path, folder: Path) -> bool:
    """Whether its holder shows no beat any more; False: it has given it back.

    Raises ProjectBusy as soon as it shows one, OSError.
    """
    first = _read(path)
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    now = first
    while not now.given_back and time.clock_gettime(time.CLOCK_BOOTTIME) - began < first.seconds:
        time.sleep(first.seconds / _BEATS / 2)
        now = _read(path)
        if now != first and not now.given_back:
            raise _busy(folder, path)
    return not now.given_back


def _read(path: Path) -> _Said:
    """Opened anew each time: that is when NFS asks its server. A file that is not written yet, or
    damaged, says nothing, for as long as it promises."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Said)
    except (FileNotFoundError, ValueError):
        return _Said()


def _promised(place: Path) -> float:
    with suppress(OSError, ValueError):
        return max(0.1, float((place / _PROMISE).read_text()))
    return SECONDS


def _all(place: Path) -> list[Path]:
    return sorted(each for each in place.iterdir() if each.name.isdecimal())


def _busy(folder: Path, path: Path) -> ProjectBusy:
    said = _read(path)
    return ProjectBusy(busy_message(folder / LEASE, Holder(said.pid, said.host, said.since)))
