"""Writing whole files so that a crash leaves the old one or the new one, never a torn one.

Knows bytes and names only. ``OSError`` becomes ``StorageError`` with a line that says what to do.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from renderer.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put ``data`` at ``path`` at one stroke; see ``replacing_file``."""
    with replacing_file(path, durable=durable) as write:
        write(data)


@contextmanager
def replacing_file(path: Path, *, durable: bool = True) -> Iterator[Callable[[bytes], object]]:
    """Write beside ``path``, then rename over it when the block ends without an error.

    ``durable`` also flushes file and folder to the disk (fsync), so that the file survives a power
    cut from then on; leave it out for what can be derived again. Raises StorageError.
    """
    beside = path.with_name(path.name + ".part")
    with storage_errors(path):
        try:
            with beside.open("wb") as file:
                yield file.write
                _flush(file, durable)
            beside.replace(path)
            if durable:
                flush_folder(path.parent)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _flush(file: BinaryIO, durable: bool) -> None:
    file.flush()
    if durable:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make renames and new names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into the StorageError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise StorageError(storage_message(path, error)) from error


def storage_message(path: Path, error: OSError) -> str:
    """One line: what failed, where, and what to do about it."""
    if error.errno in _FULL:
        return (
            f"no space left for {path} ({free_text(path.parent)} free): the film so far is safe "
            f"and playable; free some space, then `zoomtui resume` goes on"
        )
    return f"can't write {path}: {error.strerror or error}"


def free_bytes(folder: Path) -> int | None:
    """Bytes that an ordinary user may still write under ``folder``; None where it can't be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def free_text(folder: Path) -> str:
    free = free_bytes(folder)
    return "?" if free is None else size_text(free)


def size_text(size: float) -> str:
    """Bytes in words a person reads: ``"3.2 GiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def fill_standard_handles() -> None:
    """Open standard handles that the caller closed (``>&-``), on nothing.

    Otherwise the next file to be opened, the film perhaps, would get such a number, and every line
    would be written into it.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
