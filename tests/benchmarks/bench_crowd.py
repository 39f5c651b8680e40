"""What a thousand viewers cost a render: how long the painter is left without work, and a keyframe.

The same render twice: watched by none, and by a thousand viewers that read all they are told, in a
process of their own on the same cores.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean

from renderer.journal import read_journal
from renderer.project import registry
from renderer.project.history import History
from renderer.project.records import JOURNAL
from renderer.project.status import State, read_status
from tests.cli.engines import engine, make_project, until

VIEWERS = 1000
WARM_UP = 3
"""Keyframes that are left out."""


async def watch(path: str) -> None:
    """A thousand viewers, until the engine ends."""
    come = [await asyncio.open_unix_connection(path, limit=1 << 24) for _ in range(VIEWERS)]
    for _, writer in come:
        writer.write(b'{"command":"watch"}\n')
    await asyncio.gather(*(reader.read() for reader, _ in come))


def measured(folder: Path, *, watched: bool) -> tuple[float, float]:
    """(share of the time that the painter is idle, seconds a keyframe), both means."""
    with engine(folder):
        until(lambda: read_status(folder).keyframes, "the first keyframe")
        command = [sys.executable, "-m", "tests.benchmarks.bench_crowd"]
        crowd = subprocess.Popen([*command, str(registry.socket_path(folder))]) if watched else None
        until(lambda: read_status(folder).state is State.FINISHED, "finished")
        if crowd is not None:
            crowd.wait()
    stored = History(read_journal(folder / JOURNAL)).keyframes[WARM_UP:]
    each = (stored[-1].at - stored[0].at) / (len(stored) - 1)
    return fmean(one.idle for one in stored), each


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if len(sys.argv) > 1:
        asyncio.run(watch(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        found = {}
        for watched in (False, True):
            folder = make_project(
                Path(home) / f"{watched}.zoom",
                "tests.benchmarks.bench_interface:Paced",
                3,
                keyframes=12,
                keyframe_size="1280x720",
                size="640x360",
                frames_per_keyframe=30,
            )
            found[watched] = measured(folder, watched=watched)
    (idle, each), (idle_watched, each_watched) = found[False], found[True]
    print(f"painter idle    {idle:.3f} with no viewer, {idle_watched:.3f} with {VIEWERS}")
    print(f"a keyframe      {each:.2f} s and {each_watched:.2f} s: ratio {each_watched / each:.3f}")


if __name__ == "__main__":
    main()
