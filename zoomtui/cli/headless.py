"""A render in the foreground: plain lines for logs, a bar on a terminal, or JSON for scripts.

The engine is a child process, restarted after a crash; it ends with this one. Knows how to show
events; their words are ``event_lines.py``'s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from renderer.engine.events import Event, RenderFailed, to_json
from renderer.formatting import clean, duration_text
from renderer.service import supervisor
from renderer.service.signals import Abandoned
from zoomtui.cli.event_lines import Progress
from zoomtui.cli.progress_bar import bar_fits, new_bar
from zoomtui.stdio import report, write_json, write_line

Show = Callable[[Event], None]
"""Takes the events of one render in order. Must not raise."""


def run(folder: Path, *, as_json: bool) -> int:
    """Render the project at ``folder`` here and now; the exit code. Raises RendererError."""
    try:
        with _display(as_json) as show:
            return supervisor.run(folder, show)
    except Abandoned as abandoned:
        os._exit(abandoned.exit_code)


@contextmanager
def _display(as_json: bool) -> Iterator[Show]:
    if as_json:
        yield show_json
    elif bar_fits():
        with _above_bar() as show:
            yield show
    else:
        yield in_lines()


def show_json(event: Event) -> None:
    """One JSON object an event."""
    write_json(to_json(event))
    _report_failure(event)


def in_lines() -> Show:
    """One line of words for every event that is worth one."""
    progress = Progress()

    def show(event: Event) -> None:
        line = progress.tell(event, time.monotonic())
        if line is not None:
            write_line(line)
        _report_failure(event)

    return show


@contextmanager
def _above_bar() -> Iterator[Show]:
    """The same lines, scrolling by above a bar."""
    from rich.progress import TextColumn

    progress = Progress()
    with new_bar(TextColumn("{task.fields[left]}", markup=False)) as bar:
        task = bar.add_task("starting", total=None, left="")

        def show(event: Event) -> None:
            line = progress.tell(event, time.monotonic())
            left = progress.state.seconds_left
            bar.update(
                task,
                description=progress.now,
                completed=progress.state.frames,
                total=progress.state.total_frames,
                left="" if left is None else f"{duration_text(left)} left",
            )
            if line is not None:
                bar.console.print(line, markup=False, emoji=False, soft_wrap=True)
            if isinstance(event, RenderFailed):
                bar.stop()
            _report_failure(event)

        yield show


def _report_failure(event: Event) -> None:
    if isinstance(event, RenderFailed):
        report(clean(event.message))
