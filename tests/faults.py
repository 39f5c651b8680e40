"""A disk that fails at a chosen call, for all that this process writes below one folder.

Every call that changes a file counts: create, write, fsync, truncate, rename, unlink, mkdir. The
files themselves are real; only the answer of the kernel is made up, before or halfway through.
"""

from __future__ import annotations

import errno
import io
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.marks import slower

DIRECT = ("fsync", "fdatasync", "ftruncate", "unlink", "mkdir", "rename", "replace")
WRITES = ("write", "pwrite")
CHANGING = os.O_WRONLY | os.O_RDWR

KINDS: dict[str, dict[str, Any]] = {
    "full": {"number": errno.ENOSPC, "lasting": True, "short": True},
    "device": {"number": errno.EIO},
    "cut off": {"number": errno.EIO, "short": True},
    "quota": {"number": errno.EDQUOT, "lasting": True},
    "read-only": {"number": errno.EROFS, "lasting": True},
}
POINTS = pytest.mark.parametrize("few", [2, *slower([None])])
"""How many calls of a kind of fault `make test` tries; `make slow` tries all."""
BY_KIND = pytest.mark.parametrize(
    "kind", ["full", "device", *slower(["cut off", "quota", "read-only"])]
)


@dataclass
class Disk:
    """``at``: the number of the call that fails, from 0; None: none does, and all are counted.

    ``lasting``: all calls after it fail as well, as on a disk that is full and stays so. ``short``:
    a write that fails has written half of its bytes. A full disk can still unlink and shorten.
    """

    folder: Path
    at: int | None = None
    number: int = errno.EIO
    lasting: bool = False
    short: bool = False
    calls: list[str] = field(default_factory=list)
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fails(self, call: str) -> bool:
        """Whether this call is one that fails; counts it."""
        with self._lock:
            here = len(self.calls)
            self.calls.append(call)
            due = self.at is not None and (here >= self.at if self.lasting else here == self.at)
            full = self.number in (errno.ENOSPC, errno.EDQUOT)
            if not due or (full and call in ("unlink", "ftruncate")):
                return False
            self.failed += 1
            return True

    def error(self, what: Any) -> OSError:
        return OSError(self.number, os.strerror(self.number), str(what))

    def holds(self, what: Any, at: int | None = None) -> bool:
        """Whether a path, or what a handle is open on, lies below the folder."""
        if isinstance(what, int):
            place = str(Path(f"/proc/self/fd/{what}").readlink())
        else:
            base = str(Path(f"/proc/self/fd/{at}").readlink()) if at is not None else ""
            place = os.path.join(base, os.fspath(what))  # noqa: PTH118
        return os.path.abspath(place).startswith(str(self.folder))  # noqa: PTH100


class _Counted(io.RawIOBase):
    """A file whose every write goes through ``os.write``."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def fileno(self) -> int:
        return self._handle

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return os.write(self._handle, data)

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                os.close(self._handle)


@contextmanager
def failing(disk: Disk) -> Iterator[Disk]:
    """The functions of ``os`` as they are on ``disk``."""
    with ExitStack() as replaced:
        for name in DIRECT:
            replaced.enter_context(patch.object(os, name, _direct(disk, name, getattr(os, name))))
        for name in WRITES:
            replaced.enter_context(patch.object(os, name, _write(disk, name, getattr(os, name))))
        replaced.enter_context(patch.object(os, "open", _open(disk, os.open)))
        replaced.enter_context(patch.object(os, "fdopen", _fdopen(disk, os.fdopen)))
        yield disk


def _direct(disk: Disk, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(what: Any, *rest: Any, **more: Any) -> Any:
        if disk.holds(what, more.get("dir_fd", more.get("src_dir_fd"))) and disk.fails(name):
            raise disk.error(what)
        return real(what, *rest, **more)

    return call


def _write(disk: Disk, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(handle: int, data: Any, *rest: Any) -> Any:
        if disk.holds(handle) and disk.fails(name):
            if disk.short:
                real(handle, bytes(data)[: len(data) // 2], *rest)
            raise disk.error(handle)
        return real(handle, data, *rest)

    return call


def _open(disk: Disk, real: Callable[..., int]) -> Callable[..., int]:
    def call(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        changing = flags & CHANGING and disk.holds(path, more.get("dir_fd"))
        if changing and disk.fails("create" if flags & os.O_CREAT else "open"):
            raise disk.error(path)
        return real(path, flags, *rest, **more)

    return call


def _fdopen(disk: Disk, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(handle: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if mode == "wb" and disk.holds(handle):
            return io.BufferedWriter(_Counted(handle))
        return real(handle, mode, *rest, **more)

    return call


def points(disk: Disk, few: int | None) -> list[int]:
    """Every call that was counted, or a ``few`` of them."""
    every = range(len(disk.calls))
    return list(every) if few is None else sorted(random.Random(5).sample(every, few))


def sweep(
    kind: str,
    few: int | None,
    make: Callable[[Path], Path],
    trial: Callable[[Path, Disk], None],
    check: Callable[[Path], None],
    where: Path,
) -> Counter[str]:
    """``trial`` on what ``make`` makes, with a fault at every call; how many failed, by call."""
    counted = Disk(make(where / "counted.zoom"))
    trial(counted.folder, counted)
    check(counted.folder)
    tried: Counter[str] = Counter()
    for point in points(counted, few):
        folder = make(where / f"{point}.zoom")
        disk = Disk(folder, at=point, **KINDS[kind])
        trial(folder, disk)
        check(folder)
        if disk.failed:
            tried[disk.calls[point]] += 1
        shutil.rmtree(folder, ignore_errors=True)
    return tried
