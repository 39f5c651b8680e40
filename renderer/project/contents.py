"""What a project's journal tells, folded, and folded on as it grows: reads only what is new in it.

For those who look at a project that another process renders. Reads only.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renderer.film.records import FilmRecords
from renderer.journal import Record, parse, reading
from renderer.project.history import History
from renderer.project.records import JOURNAL, ProjectMade, check_kinds, project_made

_COMPARED = 1 << 14
"""Bytes."""


class JournalReader:
    """Reads a journal that another process may be writing, each time only what is new in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.begin_anew()

    def begin_anew(self) -> None:
        """Let the next ``read`` begin at the first record."""
        self._file = -1
        self._count = self._end = 0
        self._last = b""
        """The last bytes that were read, by which it is seen that nothing before was changed."""

    def read(self) -> tuple[bool, list[Record]]:
        """(whether they are all, the records since the last time). Raises as ``Journal.open``."""
        with reading(self._path) as file:
            known = os.fstat(file.fileno()).st_ino == self._file
            file.seek(self._end - len(self._last))
            if not known or file.read(len(self._last)) != self._last:
                self.begin_anew()
            anew = self._count == 0
            file.seek(self._end)
            records, lengths, _ = parse(file, self._path, self._count + 1)
            self._file = os.fstat(file.fileno()).st_ino
            self._count += len(records)
            self._end += sum(lengths)
            file.seek(max(0, self._end - _COMPARED))
            self._last = file.read(self._end - file.tell())
        return anew, records


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
                self._reader.begin_anew()
                raise
        return self

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
