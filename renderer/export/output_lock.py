"""One export at a time to one name: a lock on a file, which ends with its holder.

The kernel drops the lock when its holder ends, however it ends, so it can't go stale. Knows nothing
of what is made meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from renderer.errors import SettingsError

_LOCKLESS = (errno.ENOLCK, errno.ENOTSUP)
"""Errors of a disk that knows no locks: nothing is guarded there, and nothing refused."""


@contextmanager
def claimed(path: Path, folder: Path) -> Iterator[None]:
    """Be the only export that makes ``path``, by a file in ``folder``, while the block runs.

    Raises SettingsError where another one does, and OSError.
    """
    lock = folder / f".{path.name}.exporting"
    handle = _claim(lock, path)
    try:
        yield
    finally:
        try:
            # While it is held: a process that opened it meanwhile looks again.
            lock.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _claim(lock: Path, path: Path) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with ExitStack() as opened:
            opened.callback(os.close, handle)
            try:
                _lock(handle)
            except BlockingIOError:
                raise SettingsError(
                    f"{path} is being made by another export; wait for it, or choose another name",
                    "out",
                ) from None
            if _is_at(handle, lock):  # else its holder has just ended, and removed it
                opened.pop_all()
                return handle


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _LOCKLESS:
            raise


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False
