"""Renders that a queue has begun; those of this machine have processes of their own.

The two protocols are what ``runner`` needs of any place where renders are made.
"""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from renderer.project.lock import Holder
from renderer.project.session_record import engine, supervisor
from renderer.service.client import NotRunning, Refused, ask
from renderer.service.signals import GLANCE


class Run(Protocol):
    """One render, from its beginning to its end."""

    @property
    def code(self) -> int | None:
        """The exit code with which it ended; None: it can't be told."""

    def has_ended(self) -> bool:
        """Now, or after a glance."""

    def stop(self) -> None:
        """Have it end after the segment in hand."""


class Worker(Protocol):
    """One render at a time is made there."""

    @property
    def name(self) -> str: ...

    @property
    def there(self) -> bool:
        """It can be given another job."""

    def begin(self, folder: Path) -> Run:
        """Render the project at ``folder``. Raises RendererError where that can't be begun."""

    def find(self, folder: Path) -> Run | None:
        """The render of ``folder`` that was begun there before; None: there is none any more."""


class LocalRun:
    """``parent``: the process that renders it, started here or found."""

    def __init__(self, folder: Path, parent: subprocess.Popen[bytes] | Holder) -> None:
        self._folder = folder
        self._parent = parent

    @property
    def code(self) -> int | None:
        return self._parent.wait() if isinstance(self._parent, subprocess.Popen) else None

    def has_ended(self) -> bool:
        """Not while there is an engine: it outlives its parent, if only for a moment."""
        if not _is_gone(self._parent.pid):
            return False
        left = engine(self._folder)
        return left is None or _is_gone(left.pid)

    def stop(self) -> None:
        with suppress(NotRunning, Refused):  # it is just ending
            asyncio.run(ask(self._folder, "stop"))


def _is_gone(pid: int) -> bool:
    """Whether that process has ended, now or after a glance, and let go of its locks."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        return bool(select.select([handle], [], [], GLANCE)[0])
    finally:
        os.close(handle)


def at_work(folder: Path) -> Holder | None:
    """What renders it, or is about to."""
    return supervisor(folder) or engine(folder)
