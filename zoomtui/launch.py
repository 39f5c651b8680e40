"""Starting a render that belongs to nobody: no terminal, a session of its own.

Whatever happens to the interface afterwards, the render goes on; a parent of its own restarts the
engine after a crash (``renderer.engine.supervisor``).
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from renderer.engine.child import command
from renderer.errors import ProjectError

READY = "ready"


def launch(folder: Path) -> None:
    """Start an engine for the project at ``folder``; returns once viewers can connect.

    Raises ProjectError with the engine's own reason when it doesn't come up.
    """
    reading, writing = os.pipe()
    try:
        with (folder / "render.log").open("ab") as log:
            parent = subprocess.Popen(
                command(os.fspath(folder), "--ready-fd", str(writing)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
            )
    finally:
        os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as answers:
        answer = answers.readline().strip()
    if answer != READY:
        code = parent.wait()
        log_path = folder / "render.log"
        raise ProjectError(answer or f"the engine ended with exit code {code}; see {log_path}")
    threading.Thread(target=parent.wait, name="reaper", daemon=True).start()  # leaves no zombie
