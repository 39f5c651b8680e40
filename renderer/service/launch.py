"""Starting a render that belongs to no terminal: it gets a session of its own.

Whatever happens to the interface afterwards, the render goes on; a parent of its own restarts the
engine after a crash (``renderer.service.supervisor``).
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import IO

from renderer.children import python_module
from renderer.errors import EngineCrashed, ProjectError
from renderer.files import open_to_append, storage_errors
from renderer.project.records import LOG

READY = "ready"


def launch(folder: Path) -> None:
    """Start an engine for the project at ``folder``; returns once viewers can connect.

    Raises ProjectError with the engine's own reason when it doesn't come up; StorageError where
    the project can't be written to, EngineCrashed where no process can be started.
    """
    path = folder / LOG
    with storage_errors(path):
        log = os.fdopen(open_to_append(path), "ab")
    reading, writing = os.pipe()
    try:
        with log:
            line = python_module("renderer", "--ready-fd", str(writing), "--", os.fspath(folder))
            parent = _start(line, writing, log)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as answers:
        answer = answers.readline().strip()
    if answer != READY:
        code = parent.wait()
        raise ProjectError(answer or f"the engine ended with exit code {code}; see {path}")
    threading.Thread(target=parent.wait, name="reaper", daemon=True).start()  # leaves no zombie


def _start(line: list[str], handle: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[handle],
            start_new_session=True,
        )
    except OSError as error:
        raise EngineCrashed(f"the engine can't be started: {error.strerror}") from error
