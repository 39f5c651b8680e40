"""One encoded segment as bytes, and the little of MP4 that taking it apart needs.

Boxes are those of ISO/IEC 14496-12: a 32-bit size, a four-letter kind, a body; size 1 means that a
64-bit size follows the kind. Knows no encoder and no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_KINDS = {b"ftyp", b"moov"}
_TRACK = (b"moov", b"trak")
_TIMESCALE_PATH = (*_TRACK, b"mdia", b"mdhd")
_EDITS_PATH = (*_TRACK, b"edts", b"elst")
_STREAM_PATH = (*_TRACK, b"mdia", b"minf", b"stbl", b"stsd")


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """The frames of one interval, encoded."""

    init: bytes
    """``ftyp`` and ``moov``: the header that the film begins with; the same for every segment."""
    media: bytes
    """``moof`` and ``mdat``: what is appended to the film."""
    frames: int


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    size: int
    """Bytes, its own header included."""
    header: int
    """Bytes of that header."""


def box_at(head: bytes) -> Box | None:
    """The box that begins with the bytes ``head`` (16, or fewer at the end); None: none does."""
    size, header = int.from_bytes(head[:4], "big"), 8
    if size == 1:
        size, header = int.from_bytes(head[8:16], "big"), 16
    return Box(head[4:8], size, header) if len(head) >= header and size >= header else None


def split(mp4: bytes) -> tuple[bytes, bytes]:
    """A whole fragmented MP4 → (header, all the rest)."""
    header: list[memoryview] = []
    media: list[memoryview] = []
    view = memoryview(mp4)  # its parts are no copies
    for kind, start, _, end in _boxes(mp4, 0, len(mp4)):
        (header if kind in _HEADER_KINDS else media).append(view[start:end])
    return b"".join(header), b"".join(media)


def frames_in(moof: bytes) -> int:
    """Frames of a fragment, by its ``moof``: the sample counts of its runs."""
    frames = 0
    for _, _, body, end in _boxes(moof, 0, len(moof)):
        for kind, _, inner, stop in _boxes(moof, body, end):
            for run, _, at, _ in _boxes(moof, inner, stop) if kind == b"traf" else ():
                # version and flags come before the count
                frames += int.from_bytes(moof[at + 4 : at + 8], "big") if run == b"trun" else 0
    return frames


def signature(init: bytes) -> tuple[int, bytes, bytes]:
    """(timescale, edit list, stream description): what all segments of a film must share.

    Not the whole header: a segment that begins 2^31 ticks into the film (38.8 hours at 30 frames a
    second) writes its ``mdhd`` in the 64-bit form, which players of the first header never see.
    """
    mdhd = _find(init, _TIMESCALE_PATH)
    # version 0: creation and modification time in 4 bytes each, version 1: in 8; then the timescale
    at = 4 + (16 if mdhd[:1] == b"\x01" else 8)
    return (
        int.from_bytes(mdhd[at : at + 4], "big"),
        _find(init, _EDITS_PATH),
        _find(init, _STREAM_PATH),
    )


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """(kind, start, start of the body, end) of the boxes in ``data[start:end]``."""
    while (box := box_at(data[start : min(start + 16, end)])) and start + box.size <= end:
        yield box.kind, start, start + box.header, start + box.size
        start += box.size


def _find(data: bytes, path: tuple[bytes, ...]) -> bytes:
    """The body of the first box along ``path``; empty where there is none."""
    start, end = 0, len(data)
    for wanted in path:
        for kind, _, body, stop in _boxes(data, start, end):
            if kind == wanted:
                start, end = body, stop
                break
        else:
            return b""
    return data[start:end]
