"""Writing whole files so that a crash leaves the old one or the new one, never a torn one.

Knows bytes and names only. ``OSError`` becomes ``StorageError`` with a line that says what to do.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from renderer.errors import StorageError
from renderer.formatting import size_text

_AT_ONCE = 1 << 20
"""Bytes."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
"""For opening files that only a render may have put there: see ``open_own``."""


def user_path(text: str) -> Path:
    """The path that a user wrote, its ~ replaced where there is such a home; never raises."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def full_path(text: str) -> str:
    """The same from anywhere; a link keeps its own name, and so its ending. Never raises."""
    path = user_path(text)
    with suppress(FileNotFoundError):  # the working directory is gone, and so is what was in it
        return os.path.abspath(path)  # noqa: PTH100
    return str(path)


def is_there(path: Path) -> bool:
    """Whether there is anything of that name, as far as this user can see.

    Never raises, where ``Path`` does for a name that is too long or a folder that may not be
    entered; nor do ``is_folder`` and ``is_file``.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


class Place:
    """A folder held by its handle: files written through it land there, wherever it is moved.

    Raises StorageError where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with storage_errors(folder):
            self.handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def check(self) -> None:
        """Raise StorageError unless the folder is still where it was opened."""
        try:
            there = is_named(self.handle, self.folder)
        except OSError:
            there = False
        if not there:
            raise StorageError(
                f"{self.folder} was moved away while it was rendered: nothing more is written, the "
                f"film so far is whole, and `zoomtui resume` goes on with it at its new place"
            )

    def close(self) -> None:
        os.close(self.handle)


def is_named(handle: int, path: Path) -> bool:
    """Whether what is open is still what ``path`` names; asks the server where that is on a network
    (NFS does so when a file is opened). Raises OSError."""
    try:
        found = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE, errno.ENOTDIR):
            return False
        raise
    try:
        return os.path.samestat(os.fstat(handle), os.fstat(found))
    finally:
        os.close(found)


def part_of(path: Path) -> Path:
    """Where a file is written before it is whole; a kill may leave it there."""
    return path.with_name(path.name + ".part")


def open_own(path: Path, flags: int, at: Place | None = None) -> int:
    """A handle on a file of the render's own: never on what a symbolic link names. Raises OSError.

    ``flags``: ``os.O_…``. ``at``: the folder that it lies in, if it is held open.
    """
    flags |= NO_LINK
    return os.open(path.name, flags, 0o666, dir_fd=at.handle) if at else os.open(path, flags, 0o666)


def open_plain(path: Path) -> int:
    """A handle to read a file from that a foreign project may bring, a plain one and no link.

    Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | NO_LINK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(path)
    return handle


def open_to_append(path: Path, at: Place | None = None) -> int:
    """A handle on the file, which is made if need be; see ``open_own``."""
    return open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, at)


def shorten(handle: int, end: int) -> None:
    """Let the open file end there, durably. Raises OSError."""
    os.ftruncate(handle, end)
    os.fsync(handle)


def replace_file(
    path: Path, data: bytes, *, durable: bool = True, at: Place | None = None, mode: int = 0o666
) -> None:
    """Put ``data`` at ``path`` at one stroke; see ``replacing_file``."""
    with replacing_file(path, durable=durable, at=at, mode=mode) as file:
        file.write(data)


@contextmanager
def replacing_file(
    path: Path, *, durable: bool = True, at: Place | None = None, mode: int = 0o666
) -> Iterator[BinaryIO]:
    """Write beside ``path``, then rename over it when the block ends without an error.

    ``durable`` also flushes file and folder to the disk (fsync), so that the file survives a power
    cut from then on; leave it out for what can be derived again. ``at``: the folder that ``path``
    lies in, if it is held open. ``mode``: who may read it, as far as the umask lets
    them. Raises StorageError.
    """
    place = at or Place(path.parent)
    name, beside, folder = path.name, part_of(path).name, place.handle
    try:
        with storage_errors(path), _unlinked(beside, folder):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
            with os.fdopen(os.open(beside, flags, mode, dir_fd=folder), "wb") as file:
                yield file
                _flush(file, durable)
            os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            if durable:
                os.fsync(folder)
    finally:
        if at is None:
            place.close()


def overwrite_file(path: Path, data: bytes, *, at: Place | None = None) -> None:
    """Write ``data`` over a file that is no shorter, for which even a full disk has room.

    Unlike with ``replace_file`` a crash may leave it torn. Raises StorageError.
    """
    with storage_errors(path), os.fdopen(open_own(path, os.O_WRONLY, at), "wb") as file:
        file.write(data)
        _flush(file, durable=True)


def copy_part(path: Path, new: Path, start: int, end: int) -> None:
    """Put the bytes of ``path`` from ``start`` to ``end`` into ``new``, durably, at one stroke.

    Where the file system can (``copy_file_range(2)``) both files share them, and no space is taken.
    Fewer where the file ends before. Raises OSError where it can't be read, else StorageError.
    """
    with path.open("rb") as file, replacing_file(new) as copy:
        copy_bytes(file.fileno(), copy, start, end)


def copy_bytes(handle: int, copy: BinaryIO, start: int, end: int) -> None:
    """Write those bytes of a file to ``copy``, which is new; see ``copy_part``. Raises OSError."""
    shared = 1
    with suppress(OSError):  # another file system, or one that can't
        while start < end and shared:
            shared = os.copy_file_range(handle, copy.fileno(), end - start, start)
            start += shared
    os.lseek(copy.fileno(), 0, os.SEEK_END)
    while start < end and (part := os.pread(handle, min(end - start, _AT_ONCE), start)):
        copy.write(part)
        start += len(part)


def share_file(path: Path, new: Path) -> None:
    """Let ``new`` be ``path``, by another name where that can be, else as a copy; durable.

    For files that are never changed, only replaced. Raises OSError where it can't be read, else
    StorageError.
    """
    try:
        os.link(path, new)
    except OSError:
        replace_file(new, path.read_bytes())


@contextmanager
def making_folder(new: Path) -> Iterator[Path]:
    """Where the block is to make a folder, which becomes ``new`` when that ends without an error.

    Else it is removed, and so is what killed processes of this machine have left of theirs. Raises
    StorageError.
    """
    beside = new.with_name(f".{new.name}.{os.getpid()}.part")
    with storage_errors(new):
        for left in new.parent.glob(f".{glob.escape(new.name)}.*.part"):
            if left == beside or not _runs(left.suffixes[-2]):
                shutil.rmtree(left, ignore_errors=True)
        try:
            yield beside
            beside.rename(new)
            flush_folder(new.parent)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def _runs(process: str) -> bool:
    """Whether there is a process of that number, given as ``.1234``."""
    try:
        os.kill(int(process[1:]), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


@contextmanager
def _unlinked(name: str, folder: int) -> Iterator[None]:
    """Remove the file of that name before the block, and again after an error."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    try:
        yield
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
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
    if error.errno == errno.ENOSPC and _without_inodes(path.parent):
        return (
            f"no room for another file at {path}: the disk has no inodes left; the film so far is "
            f"safe and playable; delete some files, then `zoomtui resume` goes on"
        )
    if error.errno in _FULL:
        return (
            f"no space left for {path} ({free_text(path.parent)} free): the film so far is safe "
            f"and playable; free some space, then `zoomtui resume` goes on"
        )
    return f"can't write {path}: {error.strerror or error}"


def _without_inodes(folder: Path) -> bool:
    """Whether there is room, but none for another file's name."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0


def free_bytes(folder: Path) -> int | None:
    """Bytes that an ordinary user may still write under ``folder``; None where it can't be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def free_text(folder: Path) -> str:
    free = free_bytes(folder)
    return "?" if free is None else size_text(free)


def fill_standard_handles() -> None:
    """Open the standard handles that the caller closed (``>&-``), on the null device.

    Otherwise the next file to be opened, the film perhaps, would get such a number, and every line
    would be written into it.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
