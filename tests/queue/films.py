"""Small films that wait in a queue, where each of them stands, and what each is to become."""

from __future__ import annotations

from pathlib import Path

from renderer.queue.jobs import Queue
from tests.cli.engines import make_project
from tests.engine.runs import digest, render

KEYFRAMES = 6


def jobs(queue: Queue, count: int, painter: str = "gradient", **more: object) -> list[Path]:
    """Projects that wait in ``queue``, in this order."""
    folders = [
        make_project(
            queue.folder.parent / f"{number}.zoom", painter, 2,
            **{"seed": number, "keyframes": KEYFRAMES, **more},
        )
        for number in range(count)
    ]  # fmt: skip
    queue.add(folders)
    return folders


def turns(queue: Queue) -> list[str]:
    return [str(job.turn) for job in queue.jobs()]


def alone(folder: Path, **more: object) -> str:
    """The digest of the same film, rendered by itself."""
    whole = folder.with_name(f"{folder.stem}-alone.zoom")
    more = {"seed": int(folder.stem), "keyframes": KEYFRAMES, **more}
    render(make_project(whole, "gradient", 2, **more))
    return digest(whole)
