"""One writer per project: an open-file-description lock on the ``lock`` file.

The kernel drops the lock when its holder ends, however it ends, so it can't go stale; the text in
the file only says who holds it. Such a lock, unlike flock, can be asked about without taking it
(F_OFD_GETLK, Linux), so that looking at a project never gets in the way of starting it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from renderer.errors import ProjectBusy
from renderer.files import NO_LINK, storage_errors
from renderer.journal import Moment

_FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a project."""

    pid: int
    host: str
    since: Moment
    """Unix time."""

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host} since {when}"


class ProjectLock:
    """Held from construction to ``release``. Raises ProjectBusy, naming the holder."""

    def __init__(self, path: Path, also: Path | None = None) -> None:
        """``also``: a file that is locked as well, and not changed, so that two processes stay
        apart even where ``path`` is deleted meanwhile."""
        self._handles: list[int] = []
        with storage_errors(path):
            try:
                signed = self._take(path, os.O_CREAT)
                if also is not None and os.access(also, os.W_OK):
                    self._take(also)
                mine = Holder(pid=os.getpid(), host=socket.gethostname(), since=time.time())
                os.ftruncate(signed, 0)
                os.pwrite(signed, msgspec.json.encode(mine), 0)
            except BaseException:
                self.release()
                raise

    def _take(self, path: Path, flags: int = 0) -> int:
        handle = os.open(path, os.O_RDWR | flags | NO_LINK, 0o644)
        self._handles.append(handle)
        try:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, _request())
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: it is held
            raise ProjectBusy(busy_message(path)) from None
        return handle

    def release(self) -> None:
        """Let go. Harmless when called again."""
        while self._handles:
            os.close(self._handles.pop())

    def __enter__(self) -> ProjectLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(path: Path) -> Holder | None:
    """The process that holds the lock at ``path`` now; None: it is free. Changes nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        answer = fcntl.fcntl(handle, fcntl.F_OFD_GETLK, _request(fcntl.F_RDLCK))
        if struct.unpack(_FLOCK, answer)[0] == fcntl.F_UNLCK:
            return None
        return _read_holder(os.pread(handle, 4096, 0))
    finally:
        os.close(handle)


def _request(kind: int = fcntl.F_WRLCK) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)


def _read_holder(text: bytes) -> Holder:
    try:
        return msgspec.json.decode(text, type=Holder)
    except ValueError:
        return Holder(pid=0, host="?", since=0.0)  # not signed: not yet, or another file


def busy_message(path: Path, by: Holder | None = None) -> str:
    """The line that says which process renders the project whose lock is at ``path``."""
    return (
        f"{path.parent} is being rendered by {by or holder(path) or 'another process'}; "
        f"`zoomtui status {path.parent}` shows it, or stop that one first"
    )
