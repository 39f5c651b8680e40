"""Whether a render is to stop or pause by itself, looked at after every keyframe.

Knows the conditions, the disk and the clock; what follows is for the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from renderer.files import free_bytes
from renderer.formatting import size_text
from renderer.painting.figures import Figures
from renderer.settings.conditions import FIGURES, Condition, read_condition


class Conditions:
    """For one session."""

    def __init__(self, folder: Path, began: float, clock: Callable[[], float] = time.time) -> None:
        """``folder``: on the disk that counts. ``began``, ``clock``: Unix time."""
        self._folder = folder
        self._began = began
        self._clock = clock

    def met(self, conditions: Iterable[str], newest: Figures) -> str:
        """Which of them is met, in words; empty: none. ``newest``: of the newest keyframe."""
        for text in conditions:
            condition = read_condition(text)
            found = self._found(condition, newest)
            if found:
                return f"{found} ({condition.text})"
        return ""

    def _found(self, condition: Condition, newest: Figures) -> str:
        match condition.kind:
            case "disk":
                free = free_bytes(self._folder)
                less = free is not None and free < condition.limit
                return f"{size_text(free or 0)} are free on the disk" if less else ""
            case "time":
                return f"it is {self._now:%H:%M}" if self._now >= self._next(condition) else ""
        assert condition.kind in FIGURES
        figure: float = getattr(newest, condition.kind)
        return f"{condition.kind} is {figure:.4g}" if figure > condition.limit else ""

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock())  # noqa: DTZ006 - the user's own clock is meant

    def _next(self, condition: Condition) -> datetime:
        """The first such time of day after the session began."""
        began = datetime.fromtimestamp(self._began)  # noqa: DTZ006
        midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + timedelta(minutes=condition.limit)
        return at if at > began else at + timedelta(days=1)
