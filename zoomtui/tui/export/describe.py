"""What the export screen says beside its form: what it will come to, how far it is, where it is.

Pure: knows neither Textual nor processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from renderer.formatting import duration_text, size_text
from zoomtui.tui.export.child import Outcome
from zoomtui.tui.shared.styled_text import Line, cut, gauge, labelled, on_rows, wrapped


class Pace:
    """How far an export is, and how fast since its first frames: before them, much is loaded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` counts seconds."""
        self.done = self.total = 0
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def take(self, done: int, total: int) -> None:
        """``done`` frames of ``total`` are made."""
        self.done, self.total = done, total
        self._first = self._first or (self._clock(), done)

    @property
    def seconds_left(self) -> float | None:
        """None: can't be told yet."""
        if self._first is None or self.done <= self._first[1]:
            return None
        began, before = self._first
        return (self._clock() - began) / (self.done - before) * (self.total - self.done)


def planned_lines(
    path: Path, outcome: Outcome | None, wrong: str, command: str, width: int
) -> list[Line]:
    """Before it begins; ``outcome`` None: not reckoned yet. ``wrong``: why it can't begin, in one
    line."""
    lines = on_rows("file", str(path), width, 2)
    if wrong:
        lines += on_rows("✗", wrong, width, 4, "bad")
    elif outcome is None:
        lines.append((("estimating…", "faint"),))
    else:
        lines += _outcome_lines(outcome, width)
    return [*lines, (), *on_rows("command", command, width, 8)]


def running_lines(path: Path, pace: Pace, cancelling: bool, width: int) -> list[Line]:
    """While it runs, or is being cancelled."""
    left = pace.seconds_left
    text = (
        "cancelling…"
        if cancelling
        else "The export belongs to this screen. The only way out while"
        " it runs is to cancel it: Esc asks, and nothing of it is left."
    )
    return [
        *on_rows("file", str(path), width, 2),
        cut(gauge("exporting", pace.done, pace.total, width), width),
        labelled("", [("" if left is None else f"{duration_text(left)} left", "")]),
        *(((piece, "label"),) for piece in wrapped(text, max(8, width), 4)),
    ]


def finished_lines(
    path: Path, outcome: Outcome, size: int | None, fetch: str, command: str, width: int
) -> list[Line]:
    """Where it is, how to fetch it, and the same as a command; ``size``: bytes of a file."""
    length = f"{outcome.frames} frames, {duration_text(outcome.seconds)}"
    figures = length if size is None else f"{length}, {size_text(size)}"
    return [
        labelled("exported", [("✔", "good"), (figures, "")]),
        *on_rows("file", str(path), width, 3, "strong"),
        *on_rows("^y copies", fetch, width, 4),
        *on_rows("^o copies", command, width, 8),
    ]


def _outcome_lines(outcome: Outcome, width: int) -> list[Line]:
    how = "copied as it is, which takes seconds" if outcome.copies else "every frame made anew"
    film = f"{outcome.frames} frames, {duration_text(outcome.seconds)}, {outcome.size}"
    notes = [line for note in outcome.notes for line in on_rows("!", note, width, 3)]
    return [
        cut(labelled("film", [(film, "")]), width),
        cut(labelled("how", [(how, "")]), width),
        *notes,
    ]
