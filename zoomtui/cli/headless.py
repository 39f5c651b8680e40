"""A render in the foreground: plain lines for logs, a bar on a terminal, or JSON for scripts.

The engine is a child process, restarted after a crash; it ends with this one. Knows how to show
events; their words are ``event_lines.py``'s.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from renderer.engine.events import Event, RenderFailed, to_json
from renderer.formatting import clean, duration_text
from renderer.service import supervisor
from renderer.service.signals import Abandoned
from zoomtui.cli.event_lines import Progress
from zoomtui.stdio import OUT, patient_stdout, report, write_line


class Display(Protocol):
    """Takes the events of one render in order. Must not raise."""

    def show(self, event: Event) -> None: ...


def run(folder: Path, *, as_json: bool) -> int:
    """Render the project at ``folder`` here and now; the exit code. Raises RendererError."""
    try:
        with _display(as_json) as display:
            return supervisor.run(folder, display.show)
    except Abandoned as abandoned:
        os._exit(abandoned.exit_code)


@contextmanager
def _display(as_json: bool) -> Iterator[Display]:
    if as_json:
        yield JsonLines()
    elif os.isatty(OUT) and os.environ.get("TERM") != "dumb":
        with BarDisplay() as display:
            yield display
    else:
        yield Lines()


class JsonLines:
    """One JSON object an event."""

    def show(self, event: Event) -> None:
        write_line(json.dumps(to_json(event), ensure_ascii=False))
        _report_failure(event)


class Lines:
    """One line of words for every event that is worth one."""

    def __init__(self) -> None:
        self._progress = Progress()

    def show(self, event: Event) -> None:
        line = self._progress.tell(event, time.monotonic())
        if line is not None:
            write_line(line)
        _report_failure(event)


class BarDisplay:
    """The same lines, scrolling by above a bar."""

    def __init__(self) -> None:
        from rich.console import Console  # a third of what it takes to start a verb
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bar

        self._progress = Progress()
        self._bar = Bar(
            BarColumn(bar_width=28),  # first, so that it stands still while the words change
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.description}", markup=False),
            console=Console(file=patient_stdout(), highlight=False),
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=4,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, left="")

    def __enter__(self) -> BarDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        progress = self._progress
        line = progress.tell(event, time.monotonic())
        left = progress.state.seconds_left
        self._bar.update(
            self._task,
            description=progress.now,
            completed=progress.state.frames,
            total=progress.state.total_frames,
            left="" if left is None else f"{duration_text(left)} left",
        )
        if line is not None:
            self._bar.console.print(line, markup=False, emoji=False, soft_wrap=True)
        if isinstance(event, RenderFailed):
            self._bar.stop()
        _report_failure(event)


def _report_failure(event: Event) -> None:
    if isinstance(event, RenderFailed):
        report(clean(event.message))
