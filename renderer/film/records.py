"""What a journal says of a film: its header, and its segments in order. Pure: reads no film."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from renderer.errors import ProjectError
from renderer.journal import Count, Record, read_as

HEADER, SEGMENT = "header", "segment"
"""The journal's record types that are the film's; other types are skipped."""
REWIND = "rewind"
"""The type of a record that takes segments back: those that end with its ``keyframe`` or later. It
also names the film's end before it, ``film_end``: bytes up to there may still have to be cut off.
"""


@dataclass(frozen=True, slots=True)
class Header:
    """The film's first bytes, which every segment is decoded behind."""

    offset: Count
    length: Count
    """Bytes."""
    crc: Count
    """CRC-32 of its bytes."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A committed segment of the film."""

    index: Count
    """0, 1, …: the interval it shows."""
    first_frame: Count
    """Frame of the film that it begins with."""
    frames: Count
    offset: Count
    """Where its bytes begin in the film."""
    length: Count
    """Bytes."""
    crc: Count
    """CRC-32 of its bytes."""
    closing: bool = False
    """True for the very last frame of a finished film, which is a segment of its own."""


_KEYS = frozenset({"type", *Segment.__annotations__})


class FilmRecords:
    """Folded from a journal's records, one by one: what they commit, without what is taken back."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        """Raises ProjectError where a segment does not follow the one before it."""
        self.header: Header | None = None
        self.segments: list[Segment] = []
        """Committed, in order; not to be changed by the reader."""
        self.end_before_rewind = 0
        """Where the file ended when it was last rewound, bytes; 0: it has grown since, or never
        was. Up to there a crash may have left bytes that the journal does not know any more."""
        for record in records:
            self.add(record)

    @property
    def frames(self) -> int:
        last = self.segments[-1] if self.segments else None
        return last.first_frame + last.frames if last else 0

    @property
    def end(self) -> int:
        """The committed end of the film, bytes."""
        last: Segment | Header | None = self.segments[-1] if self.segments else self.header
        return last.offset + last.length if last else 0

    @property
    def finished(self) -> bool:
        """The closing segment is committed."""
        return bool(self.segments) and self.segments[-1].closing

    def add(self, record: Record) -> None:
        """Go on with the journal's next record. Raises ProjectError."""
        match record.get("type"):
            case "segment":
                self._add(read_as(record, Segment, known=_KEYS))
                self.end_before_rewind = 0
            case "header" if self.header is None:
                self.header = read_as(record, Header)
            case "rewind":
                del self.segments[max(0, record["keyframe"] - 1) :]
                self.end_before_rewind = record.get("film_end", 0)

    def _add(self, segment: Segment) -> None:
        follows = (len(self.segments), self.frames, self.end)
        if (segment.index, segment.first_frame, segment.offset) != follows:
            raise ProjectError(
                f"the journal is damaged: segment {segment.index} does not follow segment "
                f"{len(self.segments) - 1}; `zoomtui repair` shows what can be saved"
            )
        self.segments.append(segment)


def extent(offset: int, data: bytes) -> Record:
    """What the record of these bytes says of them."""
    return {"offset": offset, "length": len(data), "crc": zlib.crc32(data)}


def committed(records: Iterable[Record]) -> list[Segment]:
    """The segments that a journal's ``records`` commit. Raises ProjectError as ``FilmRecords``."""
    return FilmRecords(records).segments


def records_of_film(records: Sequence[Record]) -> list[Record]:
    """A journal's records of the header and of the segments, without those taken back."""
    return [records[index] for index in numbers_of_film(records)]


def numbers_of_film(records: Sequence[Record]) -> list[int]:
    """Where those records stand in the journal, from 0."""
    found: list[int] = []
    for number, record in enumerate(records):
        if record.get("type") in (HEADER, SEGMENT):
            found.append(number)
        elif record.get("type") == REWIND:
            keep = max(0, record["keyframe"] - 1)
            found = [each for each in found if records[each].get("index", -1) < keep]
    return found
