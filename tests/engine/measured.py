"""`python -m tests.engine.measured PROJECT`: render, and say as JSON what that took on the way."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from renderer.engine.events import Event, SegmentWritten
from renderer.engine.session import Session
from renderer.project.project import Project
from renderer.project.records import JOURNAL

READINGS = 100
"""At most so many, evenly spread."""


def main(folder: Path) -> None:
    readings: list[dict[str, float]] = []
    process = psutil.Process()

    def emit(event: Event) -> None:
        if isinstance(event, SegmentWritten) and event.segment % every == 0:
            readings.append(
                {
                    "segment": event.segment,
                    "rss": process.memory_info().rss,
                    "files": process.num_fds(),
                    "threads": process.num_threads(),
                    "cpu": time.process_time(),
                    "journal": (folder / JOURNAL).stat().st_size,
                }
            )

    with Project.open(folder) as project:
        every = max(1, (project.settings.keyframes or 0) // READINGS)
        Session(project, emit).run()
    json.dump(readings, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
