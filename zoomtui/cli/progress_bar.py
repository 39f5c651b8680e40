"""Progress of long work in the foreground: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from renderer.formatting import clean, duration_text, size_text
from zoomtui.stdio import patient_stdout, write_line

OnProgress = Callable[[int, int], None]
"""``(done, total)``."""
Counted = Callable[[int, int], str]
"""Puts these into words."""

LINE_EVERY = 5.0
"""Seconds between lines where there is no terminal."""


def frames(done: int, total: int) -> str:
    return f"{done}/{total} frames"


def bytes_read(done: int, total: int) -> str:
    return f"{size_text(done)} of {size_text(total)} read"


@contextmanager
def progress(what: str, counted: Counted) -> Iterator[OnProgress]:
    """Show the progress of ``what``, which may be text from outside."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(what) as on_progress:
            yield on_progress
    else:
        yield _Lines(counted).show


class _Lines:
    """Progress in plain lines."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._began = self._last = time.monotonic()

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if 0 < done < total and now - self._last >= LINE_EVERY:
            self._last = now
            left = (now - self._began) / done * (total - done)
            write_line(f"{self._counted(done, total)}  {duration_text(left)} left")


@contextmanager
def _bar(what: str) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(file=patient_stdout(), highlight=False)
    with Progress(
        *columns, console=console, redirect_stdout=False, redirect_stderr=False, transient=True
    ) as bar:
        task = bar.add_task(clean(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
