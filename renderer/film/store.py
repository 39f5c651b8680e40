"""Appending segments to the growing film, and finding its committed end again after a crash.

The film is one fragmented MP4: the header of the first segment, then the fragment of every segment.
Anything counts from the moment its record is in the journal, which is after its bytes are on the
disk; bytes past the committed end count for nothing and are cut off. Knows no codec and no
playlist.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from renderer.errors import ProjectError
from renderer.files import flush_folder, open_own, shorten, storage_errors
from renderer.film.fragment import EncodedSegment, box_at, signature
from renderer.film.records import (
    HEADER,
    SEGMENT,
    FilmRecords,
    Header,
    Segment,
    extent,
    numbers_of_film,
)
from renderer.journal import Journal, Record, untouched, write_at

_HEADER, _FRAGMENT = (b"ftyp", b"moov"), (b"moof", b"mdat")
"""Kinds of boxes that a film begins with, and continues with."""


class FilmStore:
    """The single writer of one film. Not thread-safe: it belongs to the thread that encodes."""

    def __init__(self, film: Path, journal: Journal, told: FilmRecords, handle: int) -> None:
        """Internal: use ``open``. ``handle`` is the film, open for reading and writing."""
        self._film = film
        self._journal = journal
        self._handle = handle
        self.told = told
        """What the journal says of the film."""
        self.lacking = 0
        """Records at the journal's end whose bytes are not in the film; ``mend`` takes them out."""
        self._rewound = False

    @classmethod
    def open(cls, film: Path, journal: Journal, *, mend: bool = True) -> FilmStore:
        """The film as far as ``journal`` has committed it; one is begun where there is none.

        Cuts off what an interrupted append left behind the committed end, and takes back the
        records of segments at the end whose bytes are not in the film: those can be made again.
        Without ``mend`` that waits for ``mend`` to be called. Raises ProjectError, with nothing
        changed, where anything else is wrong; StorageError where the disk fails.
        """
        told = FilmRecords(journal.records)
        handle = _open(film, new=told.header is None)
        try:
            store = cls(film, journal, told, handle)
            store.lacking = store._examine()
            if mend:
                store.mend()
        except BaseException:
            os.close(handle)
            raise
        return store

    @property
    def segments(self) -> Sequence[Segment]:
        """All committed segments, in order; not to be changed by the reader."""
        return self.told.segments

    @property
    def frames(self) -> int:
        """Frames committed."""
        return self.told.frames

    @property
    def size(self) -> int:
        """The committed end of the film, bytes."""
        return self.told.end

    @property
    def header_length(self) -> int:
        """Bytes of the film's header; 0 before the first segment."""
        return self.told.header.length if self.told.header else 0

    @property
    def next_segment(self) -> int:
        """Index of the segment that ``append`` will commit."""
        return len(self.segments)

    @property
    def finished(self) -> bool:
        """True when the closing segment is committed."""
        return self.told.finished

    @property
    def intervals(self) -> int:
        """Committed segments that show an interval: all but the closing one."""
        return len(self.segments) - self.finished

    def append(self, encoded: EncodedSegment, *, closing: bool = False) -> Segment:
        """Commit ``encoded`` as the next segment; it is durable when this returns.

        Raises StorageError when the disk is full or fails, with film and journal as they were
        before (the very first segment may leave its header, which is the film's anyway);
        ProjectError when the segment can't be decoded behind the film's header.
        """
        if self.finished:
            raise ValueError("the film is finished: drop_closing() it first")
        header = self.told.header
        if header is None:
            self._commit(encoded.init, {"type": HEADER, **extent(0, encoded.init)})
        elif signature(encoded.init) != signature(self._read(header)):
            raise ProjectError(
                f"{self._film}: the encoder now makes another stream than in the film so far; "
                f"resume with the versions of zoomtui, PyAV and encoder that began it"
            )
        record: Record = {
            "type": SEGMENT,
            "index": self.next_segment,
            "first_frame": self.frames,
            "frames": encoded.frames,
            **extent(self.size, encoded.media),
        }
        if closing:
            record["closing"] = True
        self._commit(encoded.media, record)
        return self.segments[-1]

    def drop_closing(self) -> None:
        """Take the closing segment off a finished film, so that it can be lengthened.

        Does nothing to an unfinished one. A crash in between is repaired by ``open``. Raises
        StorageError.
        """
        if self.finished:
            self._drop_last()
            self.cut()

    def rewind(self, record: Record) -> None:
        """Append ``record``, a REWIND: it says which segments the film still has; durable.

        What is taken back stays in the file until the next segment or ``cut``: a player that is in
        the middle of it reads it to its end, and not what comes in its place. Raises StorageError,
        with nothing changed.
        """
        record = {**record, "film_end": self._file_size()}
        self._journal.append(record)
        self.told.add(record)
        self._rewound = True

    def cut(self) -> bool:
        """Let the file end at the committed end, durably; False: it did. Raises StorageError."""
        with storage_errors(self._film):
            longer = self._file_size() != self.size
            if longer:
                self._journal.check()
                shorten(self._handle, self.size)
        self._rewound = False
        return longer

    def close(self) -> None:
        """Let go of the film; all of it is durable already. Raises StorageError."""
        try:
            if self._rewound:
                self.cut()
        finally:
            os.close(self._handle)

    def _commit(self, data: bytes, record: Record) -> None:
        """Bytes first, then the record that vouches for them; all or nothing."""
        end = self.size
        self.cut()
        try:
            self._journal.check()
            with storage_errors(self._film):
                write_at(self._handle, data, end)
                os.fdatasync(self._handle)
            self._journal.append(record)
            self.told.add(record)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._handle, end)
            raise

    def mend(self) -> bool:
        """Let film and journal end at the same place again; False: they did so. StorageError."""
        lacking, self.lacking = self.lacking, 0
        if lacking:
            self._drop_last(lacking)
        return self.cut() or lacking > 0

    def _examine(self) -> int:
        """How many records at the journal's end have no bytes in the film. Changes nothing.

        Raises ProjectError where film and journal differ by more than an interrupted append, or a
        copy that was taken while rendering, can explain.
        """
        size = self._file_size()
        header, segments = self.told.header, self.told.segments
        ours: list[Header | Segment] = [header, *segments] if header else []
        there = bisect_right(ours, size, key=lambda each: each.offset + each.length)
        sound = there > 0 and self._intact(ours[there - 1])
        if there and not sound:
            there -= 1  # it did not reach the disk as it was written
        if len(ours) > 1:  # records between these are verified when they are read, or on request
            if not sound:
                self._check_read_back(ours[:there][-1:], "more than its last segment")
            self._check_read_back(ours[:there][:1], "its header")
        lacking = len(ours) - there
        if not lacking:
            check_tail(self._film, self._handle, self.told)
        return lacking

    def _check_read_back(self, there: Sequence[Header | Segment], what: str) -> None:
        if not there or not self._intact(there[0]):
            raise ProjectError(
                f"{self._film} is damaged: {what} can't be read back; "
                f"{untouched(self._film.parent)}"
            )

    def _file_size(self) -> int:
        with storage_errors(self._film):
            return os.fstat(self._handle).st_size

    def _intact(self, part: Header | Segment) -> bool:
        return zlib.crc32(self._read(part)) == part.crc

    def _read(self, part: Header | Segment) -> bytes:
        """The film's bytes that its record vouches for; fewer where the film ends early."""
        offset, end = part.offset, part.offset + part.length
        read = []
        with storage_errors(self._film):
            # a single call reads 2 GiB at most
            while data := os.pread(self._handle, end - offset, offset):
                read.append(data)
                offset += len(data)
        return b"".join(read)

    def _drop_last(self, count: int = 1) -> None:
        """Take the last segments' (or a lone header's) records out of the journal."""
        self._journal.remove(numbers_of_film(self._journal.records)[-count:])
        self.told = FilmRecords(self._journal.records)


def _open(film: Path, *, new: bool) -> int:
    """A handle on the film, which is made only where the journal knows of none."""
    with storage_errors(film):
        if new:
            os.close(open_own(film, os.O_WRONLY | os.O_CREAT))
            flush_folder(film.parent)
        try:
            return open_own(film, os.O_RDWR)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ProjectError(f"{film}: {error.strerror}; {untouched(film.parent)}") from None


def check_tail(film: Path, handle: int, told: FilmRecords) -> None:
    """Raise ProjectError where more than a segment lies behind the committed end.

    More may lie there where the film was rewound. ``handle``: the film, open for reading.
    """
    with storage_errors(film):
        size = os.fstat(handle).st_size
        if size <= told.end_before_rewind:
            return
        at, fragments = told.end, 0
        expected, others = (_FRAGMENT, _HEADER) if told.header else (_HEADER, _FRAGMENT)
        while (box := box_at(os.pread(handle, 16, at))) and box.kind in expected:
            fragments += box.kind == b"moof"
            at += box.size
    if fragments > 1 or (box is not None and box.kind in others):
        raise ProjectError(
            f"{film} holds {size - told.end} bytes that its journal knows nothing of, more than "
            f"one segment: the journal is older than the film, or damaged; {untouched(film.parent)}"
        )
