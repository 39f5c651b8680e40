"""An append-only file of records, one a line, each under its own checksum.

The journal is what makes a render survive ``kill -9``: what a record promises is on the disk before
the record is. Knows bytes, lines and checksums; never what a record means.

A line is a JSON array ``["89abcdef",{…}]``: the CRC-32 of the record's UTF-8 text in hexadecimal,
then the record with its keys sorted and without spaces, so that equal renders write equal bytes.
"""

from __future__ import annotations

import json
import os
import re
import threading
import zlib
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar, overload

import msgspec

from renderer.errors import ProjectError
from renderer.files import (
    Place,
    copy_bytes,
    flush_folder,
    open_own,
    replace_file,
    replacing_file,
    shorten,
    storage_errors,
)

Record = dict[str, Any]
"""JSON values only. What the keys mean is the caller's business."""
Count = Annotated[int, msgspec.Meta(ge=0)]
"""A whole number in a record, 0 or more."""
Moment = Annotated[float, msgspec.Meta(ge=0, lt=1e11)]
"""Unix time, of a year that calendars have."""

K = TypeVar("K")

_PREFIX = len('["89abcdef",')
_BEGUN = re.compile(rb'\["[0-9a-f]{8}",')
_decode = msgspec.json.Decoder().decode
_LONGEST = 1 << 20
"""Bytes; no record is longer, nor is a tail that an interrupted append leaves."""


class Journal:
    """The single writer's view of one journal. ``append`` may be called from any thread."""

    def __init__(
        self,
        path: Path,
        records: list[Record],
        lengths: list[int],
        at: Place | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Internal: use ``create`` or ``open``. ``lengths`` are the lines' sizes in bytes."""
        self.check = check
        """Raises what forbids to write; called before anything is written."""
        self._path = path
        self._records: list[Record] | None = records
        self._ends = array("q", accumulate(lengths))
        """Where each line ends, bytes."""
        self._torn = False
        self._lock = threading.Lock()
        self._at = at
        self._handle = self._opened()

    @classmethod
    def create(cls, path: Path) -> Journal:
        """A new, empty journal, durable at once. Raises ProjectError where one exists already."""
        with storage_errors(path):
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                raise ProjectError(f"{path} exists already; `zoomtui resume` goes on") from None
            flush_folder(path.parent)
            return cls(path, [], [])

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        mend: bool = True,
        at: Place | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> Journal:
        """The journal at ``path``, ready to append to; an unfinished record at its end is cut off.

        Without ``mend`` nothing is changed before ``mend`` is called. ``at``: the folder that it
        lies in, if it is held open. ``check`` is called before every change, and forbids it by
        what it raises. Raises ProjectError where there is no journal, or more of it is
        unreadable than an interrupted append can leave; nothing is changed then.
        """
        with reading(path) as file:
            records, lengths, torn = parse(file, path)
        with storage_errors(path):
            journal = cls(path, records, lengths, at, check)
        journal._torn = torn
        if mend:
            journal.mend()
        return journal

    def mend(self) -> None:
        """Cut off the unfinished record that an interrupted append has left. Raises StorageError.

        Must come before the first ``append``.
        """
        if self._torn:
            self._shorten(self._end)
            self._torn = False

    @property
    def records(self) -> Sequence[Record]:
        """All records, oldest first; not to be changed by the reader."""
        return _OnDisk(self) if self._records is None else self._records

    def let_go(self) -> None:
        """Hold no records in memory from now on: they are read from the disk where needed."""
        self._records = None

    def __len__(self) -> int:
        return len(self._ends)

    def read(self, number: int) -> Record:
        """The record of that number, from the disk. Raises StorageError, ProjectError."""
        with self._lock, storage_errors(self._path):
            start = self._start(number)
            record = _record(os.pread(self._handle, self._ends[number] - start, start))
        if record is None:
            where = f"line {number + 1} can't be read any more"
            raise ProjectError(f"{self._path} is damaged: {where}; {untouched(self._path.parent)}")
        return record

    def append(self, record: Record) -> None:
        """Add ``record``; it is durable when this returns.

        Raises StorageError when the disk is full or fails; the journal is then as it was before.
        """
        line = _line(record)
        with self._lock:
            self.check()
            with storage_errors(self._path):
                try:
                    write_at(self._handle, line, self._end)
                    os.fdatasync(self._handle)
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(self._handle, self._end)
                    raise
            if self._records is not None:
                self._records.append(record)
            self._ends.append(self._end + len(line))

    def remove(self, indices: Collection[int]) -> None:
        """Take the records at ``indices`` out and keep all others, durably and at one stroke.

        Those before the first of them are not looked at. Raises StorageError; the journal is then
        as it was before.
        """
        with self._lock:
            first = min(indices, default=len(self))
            kept = sorted(set(range(first, len(self))).difference(indices))
            parts = [(self._start(number), self._ends[number]) for number in kept]
            if kept:
                self._rewrite(self._start(first), parts)
            else:
                self._shorten(self._start(first))
            del self._ends[first:]
            for begin, end in parts:
                self._ends.append(self._end + end - begin)
            if self._records is not None:
                self._records[first:] = [self._records[number] for number in kept]

    def close(self) -> None:
        """Let go of the file. Everything is durable already."""
        os.close(self._handle)

    def _shorten(self, end: int) -> None:
        with storage_errors(self._path):
            self.check()
            shorten(self._handle, end)

    def _rewrite(self, start: int, parts: Sequence[tuple[int, int]]) -> None:
        """A new file, of what stands before ``start`` and of these ``parts`` behind it, bytes."""
        with replacing_file(self._path, at=self._at) as file:
            copy_bytes(self._handle, file, 0, start)
            for begin, end in parts:
                file.write(os.pread(self._handle, end - begin, begin))
            self.check()
        with storage_errors(self._path):
            renewed = self._opened()
        os.close(self._handle)
        self._handle = renewed

    @property
    def _end(self) -> int:
        return self._start(len(self))

    def _start(self, number: int) -> int:
        """Where that line begins, bytes."""
        return self._ends[number - 1] if number else 0

    def _opened(self) -> int:
        return open_own(self._path, os.O_RDWR, self._at)


class _OnDisk(Sequence[Record]):
    """A journal's records, each read when it is asked for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __len__(self) -> int:
        return len(self._journal)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        numbers = range(len(self))[index]
        if isinstance(numbers, range):
            return [self._journal.read(number) for number in numbers]
        return self._journal.read(numbers)


def read_journal(path: Path) -> list[Record]:
    """The records of a journal that another process may be writing; changes nothing.

    Raises ProjectError as ``Journal.open`` does.
    """
    with reading(path) as file:
        return parse(file, path)[0]


def write_journal(path: Path, records: Sequence[Record]) -> None:
    """Put a journal of these records at ``path``, durably and at one stroke. Raises StorageError.

    Never where a ``Journal`` is open.
    """
    replace_file(path, b"".join(map(_line, records)))


def salvage(path: Path) -> tuple[list[Record], int]:
    """(every readable record, number of unreadable lines), good ones behind bad ones too.

    Lines may end as on Windows. Raises ProjectError where there is no file that can be read.
    """
    records: list[Record] = []
    unread = 0
    with reading(path) as file:
        for line in _lines(file):
            text = line.removesuffix(b"\n").removesuffix(b"\r")
            record = _record(text + b"\n")
            if record is not None:
                records.append(record)
            elif text.strip(b"\0"):
                unread += 1
    return records, unread


def write_at(handle: int, data: bytes, offset: int) -> None:
    """Write all of ``data`` at ``offset``, however many calls it takes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest = rest[written:]
        offset += written


def read_as(record: Record, kind: type[K], *, known: frozenset[str] | None = None) -> K:
    """``record`` as a ``kind``, a dataclass; keys that it has no field for are left out.

    Raises ProjectError where a field is missing or of another type, and where a key is not
    ``known``, if that is given.
    """
    if known is not None and not record.keys() <= known:
        raise unknown_record(record, f"{min(record.keys() - known)[:20]!r}")
    try:
        return msgspec.convert(record, kind)
    except msgspec.ValidationError as error:
        raise unknown_record(record, str(error)) from None


def unknown_record(record: Record, why: str) -> ProjectError:
    """The error about a record that this version has no use for."""
    return ProjectError(
        f"the journal has a {str(record.get('type'))[:20]!r} record that this zoomtui does not "
        f"know ({why}); upgrade zoomtui to open the project"
    )


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """The journal's file, open for reading. Raises ProjectError."""
    try:
        if path.is_fifo():
            raise ProjectError(f"the journal {path} is no file")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise ProjectError(f"can't read the journal {path}: {reason}") from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Line by line, newline included; of one that is too long for a record, its parts."""
    return iter(partial(file.readline, _LONGEST), b"")


def _line(record: Record) -> bytes:
    text = json.dumps(
        record, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    )
    # A prompt from a misconfigured terminal may hold lone surrogates; they must come back as well.
    body = text.encode("utf-8", "surrogatepass")
    return b'["%08x",%b]\n' % (zlib.crc32(body), body)


def text_in(line: bytes) -> bytes | None:
    """The text of the record that a line, newline included, holds; None where a byte is wrong."""
    body = line[_PREFIX:-2]
    sound = line[:_PREFIX] == b'["%08x",' % zlib.crc32(body) and line[-2:] == b"]\n"
    return body if sound else None


def _record(line: bytes) -> Record | None:
    """The record that a line, newline included, holds; None where any byte of it is wrong."""
    body = text_in(line)
    if body is None:
        return None
    try:
        record = _decode(body)
    except ValueError:  # not UTF-8, or no JSON
        try:
            record = json.loads(body)  # which takes the lone surrogates of ``_line``
        except ValueError:
            return None
    return record if isinstance(record, dict) else None


def parse(
    file: BinaryIO, path: Path, first: int = 1, read: Callable[[bytes], Any] | None = None
) -> tuple[list[Any], list[int], bool]:
    """The records, the lengths of their lines, and whether an unfinished one follows.

    From where ``file`` stands, which is line ``first``. Reads no further than the first line that
    is no record, so that a file of any size that is no journal takes no memory. ``read``: makes
    something else than a ``Record`` of a line; None: it is none. Raises ProjectError.
    """
    read = read or _record
    records: list[Any] = []
    lengths: list[int] = []
    for number, line in enumerate(_lines(file), first):
        record = read(line)
        if record is None:
            tail = line + file.read(_LONGEST)
            _check_tail(tail.split(b"\n"), number, path)
            return records, lengths, True
        records.append(record)
        lengths.append(len(line))
    return records, lengths, False


def _check_tail(lines: Sequence[bytes], number: int, path: Path) -> None:
    """Is this what an interrupted append of one record may leave? Raises ProjectError if not.

    It may be part of the record, or what the disk held before. ``lines``: from the first that can't
    be read, which is ``number``; as many as decide it.
    """
    good = next((at for at, line in enumerate(lines[:-1]) if _record(line + b"\n")), 0)
    begun = sum(_BEGUN.match(line) is not None for line in lines)
    if good:
        found = f"line {number} can't be read, but line {number + good} can"
    elif begun > 1:
        found = f"from line {number} on {begun} records can't be read"
    elif sum(len(line) + 1 for line in lines) > _LONGEST:
        found = f"line {number} and all that follows is no record"
    else:
        return
    raise ProjectError(f"{path} is damaged: {found}; {untouched(path.parent)}")


def untouched(folder: Path) -> str:
    """How an error about a damaged project at ``folder`` ends."""
    return f"nothing was changed, and `zoomtui repair {folder}` shows what can be saved"
