"""Starting a render that belongs to no terminal: it gets a session of its own.

Whatever happens to the interface afterwards, the render goes on; a parent of its own restarts the
engine after a crash (``renderer.service.supervisor``).
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from renderer.errors import EngineCrashed, error_of
from renderer.files import open_to_append, storage_errors
from renderer.project.records import LOG
from renderer.service.child import start

READY = "ready"


def launch(folder: Path) -> None:
    """Start an engine for the project at ``folder``, and leave it alone.

    As ``launched``.
    """
    parent = launched(folder)
    threading.Thread(target=parent.wait, name="reaper", daemon=True).start()  # leaves no zombie


def launched(folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start an engine for the project at ``folder``; its parent, once viewers can connect.

    ``environment``: variables beside those of this process. Raises the engine's own
    error when it doesn't come up, StorageError where the project can't be written to, EngineCrashed
    where no process can be started, or it was killed.
    """
    path = folder / LOG
    with storage_errors(path):
        log = os.fdopen(open_to_append(path), "ab")
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8", errors="replace") as answers:
        with log, os.fdopen(writing, "wb"):
            parent = start(
                folder,
                *("--ready-fd", str(writing)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
                env={**os.environ, **environment},
            )
        answer = answers.readline().strip()
    if answer != READY:
        code = parent.wait()
        if code < 0:
            raise EngineCrashed(f"the engine was killed as it began; see {path}")
        raise error_of(code, answer or f"the engine ended with exit code {code}; see {path}")
    return parent
