"""Tells the user what happens to a render, wherever they are; see ``engine.occasions``.

A thread of its own, beside the process that hears all events and outlives the engine's crashes. It
looks at what is known of the render again and again, so that nothing has to wait for it, and what
can't be delivered holds nothing up.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from renderer.engine.events import Event
from renderer.engine.facts import facts_of_project
from renderer.engine.occasions import Disk, Occasions
from renderer.engine.state import RenderState, apply
from renderer.errors import RendererError, StorageError
from renderer.files import free_bytes, replace_file
from renderer.formatting import clean
from renderer.project.recipients import defaults, recipients_of
from renderer.project.records import LOG, keyframe_path
from renderer.project.status import read_status
from renderer.service.deliveries import LIMIT, Delivery, deliver
from renderer.service.logfile import log_line
from renderer.service.prometheus import exposition

_GLANCE = 0.5
"""Seconds between two looks."""
_METRICS = 5.0
"""Seconds between two writings of the metrics."""


class Messenger:
    """For the render of ``folder``, from its start to its end.

    ``show`` takes its events, and hands them on to the caller's. When the block ends, the last
    messages are waited for, about ``LIMIT`` seconds at most. Raises SettingsError where the user's
    defaults can't be used.
    """

    def __init__(self, folder: Path, show: Callable[[Event], None]) -> None:
        self._folder = folder
        self._show = show
        self._defaults = defaults()
        self._state = RenderState()
        self._occasions = Occasions()
        self._occasions.look(self._state, time.monotonic())
        self._under_way: list[Delivery] = []
        self._failing: set[str] = set()
        """Recipients of which the log says already that they can't be told."""
        self._metrics_due = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="messenger", daemon=True)

    def __enter__(self) -> Messenger:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(LIMIT + 5)

    def show(self, event: Event) -> None:
        """Take an event; returns as soon as the caller's ``show`` does."""
        self._state = apply(self._state, event, time.time())
        self._show(event)

    def _run(self) -> None:
        while not self._over.wait(_GLANCE):
            self._look()
            self._collect(0.0)
        self._metrics_due = 0.0
        self._look()
        self._collect(LIMIT)

    def _look(self) -> None:
        state, now = self._state, time.monotonic()
        new = self._occasions.look(state, now, _disk(self._folder, state))
        if not new and now < self._metrics_due:
            return
        recipients = recipients_of(self._folder).over(self._defaults)  # they may have been changed
        for occasion in new:
            self._under_way += deliver(occasion, recipients)
        if now >= self._metrics_due:
            self._metrics_due = now + _METRICS
            if recipients.metrics:
                self._write_metrics(Path(recipients.metrics))

    def _collect(self, seconds: float) -> None:
        """Let go of deliveries that have ended; wait ``seconds`` for each of those that have not.

        Of a recipient that can't be told the log says it once.
        """
        ended = [each for each in self._under_way if each.wait(seconds)]
        self._under_way = [each for each in self._under_way if each not in ended]
        for each in ended:
            if each.why and each.to not in self._failing:
                self._log(f"no message by {each.to}: {each.why}")
            (self._failing.add if each.why else self._failing.discard)(each.to)

    def _write_metrics(self, path: Path) -> None:
        try:
            facts = facts_of_project(read_status(self._folder), self._state)
            replace_file(path, exposition([facts]).encode(), durable=False)
        except (RendererError, OSError) as error:
            if "metrics" not in self._failing:
                self._log(f"no metrics: {clean(str(error))}")
            self._failing.add("metrics")

    def _log(self, text: str) -> None:
        with contextlib.suppress(StorageError):
            log_line(self._folder / LOG, "renderer.messenger", text)


def _disk(folder: Path, state: RenderState) -> Disk | None:
    newest = state.keyframes - 1
    try:
        size = keyframe_path(folder, newest, state.take(newest)).stat().st_size
    except OSError:
        return None
    free = free_bytes(folder)
    return None if free is None else Disk(free, size)
