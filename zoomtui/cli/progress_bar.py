"""Progress of long work in the foreground: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from renderer.formatting import clean, duration_text, size_text
from zoomtui.stdio import OUT, patient_stdout, write_line

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

OnProgress = Callable[[int, int], None]
"""``(done, total)``."""
Counted = Callable[[int, int], str]
"""Puts these into words."""

LINE_EVERY = 5.0
"""Seconds between lines where there is no terminal."""


def frames(done: int, total: int) -> str:
    return f"{done}/{total} frames"


def steps(done: int, total: int) -> str:
    return f"{done}/{total} steps"


def bytes_read(done: int, total: int) -> str:
    return f"{size_text(done)} of {size_text(total)} read"


@contextmanager
def progress(what: str, counted: Counted) -> Iterator[OnProgress]:
    """Show the progress of ``what``, which may be text from outside."""
    if not bar_fits():
        yield _in_lines(counted)
        return
    from rich.progress import TimeRemainingColumn

    with new_bar(TimeRemainingColumn()) as bar:
        task = bar.add_task(clean(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _in_lines(counted: Counted) -> OnProgress:
    began = last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if 0 < done < total and now - last >= LINE_EVERY:
            last = now
            left = (now - began) / done * (total - done)
            write_line(f"{counted(done, total)}  {duration_text(left)} left")

    return show


def bar_fits() -> bool:
    """Whether a bar can be drawn on standard output."""
    return os.isatty(OUT) and os.environ.get("TERM") != "dumb"


def new_bar(left: ProgressColumn) -> Progress:
    """A bar that goes when it is done; ``left`` shows the time left, behind it is what is done."""
    from rich.console import Console  # a third of what it takes to start a verb
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        BarColumn(bar_width=28),  # first, so that it stands still while the words change
        TaskProgressColumn(),
        left,
        TextColumn("{task.description}", markup=False),
        console=Console(file=patient_stdout(), highlight=False),
        redirect_stdout=False,
        redirect_stderr=False,
        refresh_per_second=4,
        transient=True,
    )
