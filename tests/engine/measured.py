"""`python -m tests.engine.measured PROJECT`: render, and say as JSON what that took."""

from __future__ import annotations

import json
import resource
import sys
from collections import deque
from pathlib import Path

from renderer.engine.events import Event, SegmentWritten
from renderer.engine.session import Session
from renderer.project.project import Project


def taken() -> dict[str, int]:
    """Open files and threads of this process."""
    return {
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": len(list(Path("/proc/self/task").iterdir())),
    }


def main(folder: Path) -> None:
    first: list[dict[str, int]] = []
    last: deque[dict[str, int]] = deque(maxlen=8)  # the painter ends a few segments before the film

    def emit(event: Event) -> None:
        if isinstance(event, SegmentWritten):
            (last if first else first).append(taken())

    with Project.open(folder) as project:
        Session(project, emit).run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"first": first[0], "last": last[0], "peak": peak}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
