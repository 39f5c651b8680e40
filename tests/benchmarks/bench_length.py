"""What the length of a film costs: opening it, looking at it, and each keyframe more.

Projects of a hundred keyframes up to a hundred thousand, and one whose journal has a million
records; processor time, since the disk takes what it takes. A keyframe is to cost the same in all.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from renderer.engine.events import Event
from renderer.engine.session import Session
from renderer.engine.state import RenderState, apply
from renderer.film.fragment import EncodedSegment
from renderer.journal import read_journal
from renderer.project import registry
from renderer.project.history import History
from renderer.project.project import Project
from renderer.project.records import JOURNAL, read_history
from renderer.project.rewinding import rerolled
from renderer.project.series import SeriesReader
from renderer.service.viewer import to_line
from tests.benchmarks.long_project import make
from zoomtui.viewing.scan import Reader

LENGTHS = (100, 1000, 10_000, 100_000)
ROUNDS = 40
MADE = {"seed": 1, "seconds": 1.0, "seam": 1.0, "drift": 0.0}


def cost(does: Callable[[], Any], rounds: int = 1) -> float:
    """Seconds of the processor, median."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        does()
        found.append(time.process_time() - began)
    return median(found)


def a_keyframe(project: Project) -> dict[str, float]:
    """What each one more costs, and what people may do at each."""
    header = (project.folder / "film.mp4").read_bytes()[: project.store.header_length]
    media = _last_segment(project)
    picture, steps = project.load_keyframe(2), iter(range(1, 1 << 20))

    def paint() -> None:
        index = len(project.keyframes)
        project.settings_at(index)
        project.history.timeline.blend_at(project.settings, index)
        project.add_keyframe(index, picture, MADE)
        project.store.append(EncodedSegment(header, media, 5))
        project.publish()
        project.settings_at(index + 1)

    def steer_and_undo() -> None:
        project.steer({"steps": 1 + next(steps) % 90})
        project.drop_steering(len(project.keyframes))

    def reroll() -> None:
        newest = len(project.keyframes) - 1
        project.rewind(rerolled(project.history, newest, {}))
        project.add_keyframe(newest, picture, MADE)

    paint()
    return {
        "a keyframe": cost(paint, ROUNDS),
        "settings": cost(lambda: project.settings_at(len(project.keyframes) // 2), ROUNDS),
        "steer, undo": cost(steer_and_undo, ROUNDS),
        "reroll": cost(reroll, ROUNDS),
        "mark": cost(lambda: project.mark(3, f"note {next(steps)}"), ROUNDS),
    }


def _last_segment(project: Project) -> bytes:
    last = project.store.segments[-1]
    with (project.folder / "film.mp4").open("rb") as film:
        film.seek(last.offset)
        return film.read(last.length)


def attach(project: Project) -> float:
    """The state that a viewer is greeted with, said and understood."""
    events: list[Event] = []
    session = Session(project, events.append)
    session.stop()
    session.run()
    state = apply(RenderState(), events[0], 0.0)
    return cost(lambda: (to_line(state.to_json()), RenderState.from_json(state.to_json())), ROUNDS)


def scan_again(project: Project) -> float:
    """The list of renders, where one has gone on."""
    registry.remember(project.folder)
    reader, notes = Reader(project.folder.parent), iter(range(1 << 20))
    reader.read()

    def look() -> float:
        project.mark(3, f"one more, {next(notes)}")
        return cost(reader.read)

    return median(look() for _ in range(ROUNDS))


def status(folder: Path) -> float:
    """Seconds of the processor that the command takes, as a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "zoomtui", "status", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(folder: Path) -> dict[str, float]:
    records = read_journal(folder / JOURNAL)
    found = {
        "read journal": cost(lambda: read_journal(folder / JOURNAL)),
        "fold history": cost(lambda: History(records)),
        "open the history": cost(lambda: SeriesReader(folder).look()),
        "takes, marks": cost(lambda: read_history(folder).not_chosen()),
        "status": status(folder),
        "open": cost(lambda: Project.open(folder).close()),
    }
    with Project.open(folder) as project:
        found["look again"] = scan_again(project)
        return {**found, **a_keyframe(project), "attach": attach(project)}


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        columns = {
            f"{count:,}": measured(make(Path(home) / f"{count}.zoom", count)) for count in LENGTHS
        }
        many = make(Path(home) / "many.zoom", 20_000, steered=920_000, marks=20_000, takes=9_000)
        columns["1M records"] = measured(many)
    print("milliseconds by keyframes" + "".join(f"{name:>12}" for name in columns))
    first = columns[f"{LENGTHS[0]:,}"]
    for row in first:
        cells = "".join(f"{1000 * each[row]:12.2f}" for each in columns.values())
        ratio = columns[f"{LENGTHS[-1]:,}"][row] / first[row]
        print(f"{row:<25}{cells}   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
