"""What a journal says of a film: its header, and its segments in order. Pure: reads no film."""

from __future__ import annotations

from collections.abc import Sequence
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


def committed(records: Sequence[Record]) -> list[Segment]:
    """The segments that a journal's ``records`` commit, without those taken back. Reads no film.

    Raises ProjectError where a segment does not follow the one before it.
    """
    header = header_in(records)
    end = header["length"] if header else 0
    frame = 0
    segments: list[Segment] = []
    for record in records_of_film(records):
        if record["type"] != SEGMENT:
            continue
        segment = read_as(record, Segment, whole=True)
        if (segment.index, segment.first_frame, segment.offset) != (len(segments), frame, end):
            raise ProjectError(
                f"the journal is damaged: segment {segment.index} does not follow segment "
                f"{len(segments) - 1}; `zoomtui repair` shows what can be saved"
            )
        segments.append(segment)
        frame += segment.frames
        end += segment.length
    return segments


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


def end_before_rewind(records: Sequence[Record]) -> int:
    """Where the file ended when it was last rewound, bytes; 0: it has grown since, or never was.

    Up to there a crash may have left bytes that the journal does not know any more.
    """
    end = 0
    for record in records:
        if record.get("type") == REWIND:
            end = record["film_end"]
        elif record.get("type") == SEGMENT:
            end = 0
    return end


def header_in(records: Sequence[Record]) -> Record | None:
    return next((record for record in records if record.get("type") == HEADER), None)
