"""What a farm takes for itself: jobs of known length on 1, 2, 4 and 8 workers, a thousand of none.

The workers are real actors of a Ray cluster on this machine, and the queue, its records, the relays
and the projects are real; only the engines are not: a worker sleeps for as long as a job is long.
What an engine takes to start is the same on any machine without a farm, and is left out.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from renderer.farm import connect
from renderer.queue.jobs import Queue, Turn
from renderer.queue.runner import Runner
from tests.cli.engines import make_project
from tests.engine.runs import render

JOBS, SECONDS = 40, 2.0
MANY = 1000


class Sleeper:
    """As ``renderer.farm.worker.Worker``, as far as it is asked here."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = 0.0

    def begin(self, project: str) -> tuple[int, str]:
        self._ends = time.monotonic() + self._seconds
        return 0, ""

    def wait(self, project: str, seconds: float) -> int | None:
        left = self._ends - time.monotonic()
        time.sleep(max(0.0, min(seconds, left)))
        return 0 if left <= seconds else None

    def renders(self) -> str:
        return ""


def measured(folder: Path, count: int, workers: int, seconds: float) -> float:
    """Seconds from the first job's beginning to the last one's end."""
    import ray

    from renderer.farm.workers import RemoteWorker

    queue = Queue(folder / f"queue-{count}-{workers}")
    whole = folder / "whole.zoom"
    projects = [folder / f"{number}.zoom" for number in range(count)]
    for project in projects:
        if not project.exists():
            project.mkdir()
            for path in whole.iterdir():
                (project / path.name).symlink_to(path)
    queue.add(projects)
    actors = [ray.remote(Sleeper).options(num_cpus=0).remote(seconds) for _ in range(workers)]
    ray.get([actor.renders.remote() for actor in actors])
    there = [RemoteWorker(str(number), actor) for number, actor in enumerate(actors)]
    began: list[float] = []
    runner = Runner(
        queue, lambda: there, lambda what, job: began.append(time.monotonic()), until_empty=True
    )
    runner.serve()
    assert all(job.turn is Turn.DONE for job in queue.jobs())
    return began[-1] - began[0]


def bare_calls() -> float:
    """Seconds that the two calls of a worker which begin and end a job take alone."""
    import ray

    actor = ray.remote(Sleeper).options(num_cpus=0).remote(0.0)
    ray.get(actor.renders.remote())
    began = time.monotonic()
    for _ in range(MANY):
        ray.get(actor.begin.remote(""))
        ray.get(actor.wait.remote("", 0.0))
    return time.monotonic() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        os.environ["HOME"] = home
        connect("local")
        folder = Path(home)
        render(make_project(folder / "whole.zoom", keyframes=2))
        print(f"{JOBS} jobs of {SECONDS:.0f} s: workers, seconds, of the ideal")
        for workers in (1, 2, 4, 8):
            took = measured(folder, JOBS, workers, SECONDS)
            ideal = JOBS * SECONDS / workers
            print(f"{workers:8} {took:8.1f} {took / ideal:8.2f}", flush=True)
        took = measured(folder, MANY, 1, 0.0)
        bare = bare_calls()
        print(
            f"{MANY} jobs of no length, one worker: {1000 * took / MANY:.1f} ms each, "
            f"{took / bare:.1f} times what Ray's own two calls take"
        )


if __name__ == "__main__":
    main()
