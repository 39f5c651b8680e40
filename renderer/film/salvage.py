"""What a film says of itself, fragment by fragment, where no journal can be asked. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from renderer.files import storage_errors
from renderer.film.fragment import box_at, frames_in
from renderer.film.records import HEADER, SEGMENT, extent, records_of_film
from renderer.journal import Record

OnBytes = Callable[[int, int], None]
"""``(done, total)``: bytes that have been read."""


def salvage_film(film: Path, known: Sequence[Record], on_bytes: OnBytes) -> list[Record]:
    """The records of the header and of every whole segment, from the beginning on.

    They end before a segment whose bytes are not those that a ``known`` record vouches for, and
    before anything that is no segment. Where there is no film there are none. Raises StorageError.
    """
    crcs = {(r["type"], r["offset"]): r["crc"] for r in records_of_film(known)}
    records: list[Record] = []
    with storage_errors(film):
        if not film.is_file():
            return records
        with film.open("rb") as file:
            for record in _segments(file, film.stat().st_size, on_bytes):
                if crcs.get((record["type"], record["offset"]), record["crc"]) != record["crc"]:
                    break
                records.append(record)
    return records


def _segments(file: BinaryIO, size: int, on_bytes: OnBytes) -> Iterator[Record]:
    """Header first; a segment's ``moof`` and ``mdat`` are two boxes."""
    init = _pair(file, 0, size, b"ftyp", b"moov")
    if init is None:
        return
    header = b"".join(init)
    yield {"type": HEADER, **extent(0, header)}
    at, frame, index = len(header), 0, 0
    while (found := _pair(file, at, size, b"moof", b"mdat")) is not None:
        frames, data = frames_in(found[0]), b"".join(found)
        about = {"index": index, "first_frame": frame, "frames": frames}
        yield {"type": SEGMENT, **about, **extent(at, data)}
        at, frame, index = at + len(data), frame + frames, index + 1
        on_bytes(at, size)


def _pair(
    file: BinaryIO, at: int, size: int, first: bytes, second: bytes
) -> tuple[bytes, bytes] | None:
    """Two whole boxes of these kinds that stand at ``at``; None: they do not."""
    one = _whole(file, at, size, first)
    two = one and _whole(file, at + len(one), size, second)
    return (one, two) if one and two else None


def _whole(file: BinaryIO, at: int, size: int, kind: bytes) -> bytes:
    """The box of that kind at ``at``; empty where there is none, or not all of it."""
    file.seek(at)
    box = box_at(file.read(16))
    if box is None or box.kind != kind or at + box.size > size:
        return b""
    file.seek(at)
    return file.read(box.size)
