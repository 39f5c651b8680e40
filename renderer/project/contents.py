"""What a project's journal tells, folded, and folded on as it grows: reads only what is new in it.

For those who look at a project that another process renders. Reads only.
"""

from __future__ import annotations

import threading
from pathlib import Path

from renderer.film.records import FilmRecords
from renderer.journal import JournalReader
from renderer.project.history import History
from renderer.project.records import JOURNAL, ProjectMade, check_kinds, project_made


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
        with self._looking:
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
