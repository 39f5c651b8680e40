"""How a render went, as pictures: each curve drawn once for a state, however many look at it."""

from __future__ import annotations

import threading
from pathlib import Path

from renderer.project.series import CURVES, Series, SeriesReader
from zoomtui.viewing.charts import chart


class Charts:
    """Of one project. Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._reader = SeriesReader(folder)
        self._looking = threading.Lock()
        self._series = Series()
        self._drawn: dict[str, str] = {}

    def titles(self) -> list[tuple[str, str]]:
        """(name, title) of each curve that there is. Raises ProjectError."""
        with self._looking:
            self._look()
            shown = self._series.columns if self._series.keyframes > 1 else ()
            return [(name, CURVES[name].title) for name in shown]

    def drawing(self, name: str) -> str:
        """SVG. Raises ProjectError; KeyError where there is no such curve."""
        with self._looking:
            self._look()
            if name not in self._drawn:
                self._drawn[name] = chart(self._series, name)
            return self._drawn[name]

    def _look(self) -> None:
        series = self._reader.look()
        if series is not self._series:
            self._series, self._drawn = series, {}
