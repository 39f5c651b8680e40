"""What a journal says of a film: its header, and its segments in order. Pure: reads no film."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from renderer.errors import ProjectError
from renderer.journal import Count, Record, read_as

HEADER, SEGMENT = "header", "segment"
"""The journal's record types that are the film's; other types are skipped."""


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
    """The segments that a journal's ``records`` commit. Reads no film.

    Raises ProjectError where a segment does not follow the one before it.
    """
    header = header_in(records)
    end = header["length"] if header else 0
    frame = 0
    segments: list[Segment] = []
    for record in records:
        if record.get("type") != SEGMENT:
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


def records_of_film(records: Iterable[Record]) -> list[Record]:
    """A journal's records of the header and of the segments."""
    return [record for record in records if is_of_film(record)]


def is_of_film(record: Record) -> bool:
    return record.get("type") in (HEADER, SEGMENT)


def header_in(records: Sequence[Record]) -> Record | None:
    return next((record for record in records if record.get("type") == HEADER), None)
