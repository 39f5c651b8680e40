"""What a project's journal tells, folded, and folded on as it grows: reads only what is new in it.

For those who look at a project that another process renders. Reads only.
"""

from __future__ import annotations

import gc
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from renderer.film.records import FilmRecords
from renderer.journal import parse, reading
from renderer.project.history import History
from renderer.project.records import JOURNAL, ProjectMade, check_kinds, project_made

_COMPARED = 1 << 14
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a journal was read, and how to see that nothing before was changed; 0: not begun."""

    file: int = 0
    """Its inode."""
    records: int = 0
    end: int = 0
    """Bytes."""
    crc: int = 0
    """CRC-32 of the last ``_COMPARED`` bytes before ``end``."""


class JournalReader:
    """Reads a journal that another process may be writing, each time only what is new in it."""

    def __init__(
        self,
        path: Path,
        position: Position = Position(),
        read: Callable[[bytes], Any] | None = None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """``position``: as far as it is known already; ``read``: see ``journal.parse``; ``begin``:
        called before the first line is read, also where all is read anew."""
        self._path = path
        self._read, self._begin = read, begin
        self.position = position

    def read(self) -> tuple[bool, list[Any]]:
        """(whether they are all, the records since the last time). Raises as ``Journal.open``."""
        with reading(self._path) as file:
            inode, at = os.fstat(file.fileno()).st_ino, self.position
            if at != Position(inode, at.records, at.end, _crc_before(file, at.end)):
                at = Position()
                self._begin()
            file.seek(at.end)
            records, lengths, _ = parse(file, self._path, at.records + 1, self._read)
            end = at.end + sum(lengths)
            crc = _crc_before(file, end)
        self.position = Position(inode, at.records + len(records), end, crc)
        return at.records == 0, records


def _crc_before(file: BinaryIO, end: int) -> int:
    start = file.seek(max(0, end - _COMPARED))
    return zlib.crc32(file.read(end - start))


class Contents:
    """Of one project, as of the last ``look``."""

    def __init__(self, folder: Path) -> None:
        self._reader = JournalReader(folder / JOURNAL)
        self._looking = threading.Lock()
        self.made = ProjectMade({})
        self.history = History()
        self.film = FilmRecords()

    def look(self) -> Contents:
        """Go on to what the journal tells now. Raises ProjectError; the next look begins anew."""
        with self._looking, without_collector():
            try:
                self._go_on()
            except BaseException:
                self._reader.position = Position()
                raise
        return self

    @property
    def position(self) -> Position:
        """How far the journal was read."""
        return self._reader.position

    def _go_on(self) -> None:
        anew, records = self._reader.read()
        check_kinds(records)
        if anew:
            self.made, self.history, self.film = project_made(records), History(), FilmRecords()
        for record in records:
            self.history.add(record)
            self.film.add(record)


@contextmanager
def without_collector() -> Iterator[None]:
    """While much is made and nothing left over, don't look for what is: that takes as long."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
