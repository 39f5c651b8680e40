"""Renders that are directed and killed at random moments: no take is lost, nothing half done."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renderer.errors import ProjectError
from renderer.painting.geometry import Geometry
from renderer.project.copy import branch_project
from renderer.project.history import History, StoredKeyframe
from renderer.project.project import Project
from renderer.project.records import (
    KEYFRAMES,
    PLACED,
    path_of,
    placed_path,
    read_history,
    read_settings,
)
from renderer.project.rewinding import choosing
from renderer.project.verify import verify
from renderer.service.revise import place, revise
from tests.engine.runs import ROOT, Engine, assert_playable, engine, project, render
from tests.project.damages import contents

COUNT = 14

Command = Callable[[Path, History, random.Random], Coroutine[Any, Any, None]]


async def rewind(folder: Path, history: History, rng: random.Random) -> None:
    await revise(folder, "rewind", keyframe=rng.randrange(1, len(history.keyframes) + 1))


async def reroll(folder: Path, history: History, rng: random.Random) -> None:
    keyframe = rng.randrange(1, len(history.keyframes) + 1)
    await revise(folder, "reroll", keyframe=keyframe, changes={})


async def choose(folder: Path, history: History, rng: random.Random) -> None:
    others = [stored for stored in history.not_chosen() if possible(history, stored)]
    stored = rng.choice(others or history.keyframes)
    await revise(folder, "choose", keyframe=stored.keyframe, take=stored.take)


def possible(history: History, stored: StoredKeyframe) -> bool:
    with suppress(ProjectError):
        choosing(history, stored.keyframe, stored.take)
        return True
    return False


async def undo(folder: Path, history: History, rng: random.Random) -> None:
    await reroll(folder, history, rng)
    await revise(folder, "undo-rewind")


async def show(folder: Path, history: History, rng: random.Random) -> None:
    width, height = Geometry.of(read_settings(folder)).canvas_size
    picture = np.full((height, width, 3), rng.randrange(256), np.uint8)
    await place(folder, len(history.keyframes) + rng.randrange(3), picture)


COMMANDS: list[Command] = [rewind, reroll, choose, undo, show]


def ask(folder: Path, command: Command, rng: random.Random) -> None:
    """``command``; refused where it can't be done at this moment."""
    with suppress(ProjectError):
        asyncio.run(command(folder, read_history(folder), rng))


def live_and_die(folder: Path, command: Command, rng: random.Random) -> None:
    """Start the engine on ``folder``, ask for ``command``, and kill it soon after."""
    with Engine(folder, alone=True) as running:
        for _ in islice(running.events(), rng.randrange(1, 80)):
            pass
        ask(folder, command, rng)
        for _ in islice(running.events(), rng.randrange(12)):
            pass
        running.signal(signal.SIGKILL)
        assert running.end().errors == ""


def files(folder: Path) -> set[Path]:
    """All takes of all keyframes, and the pictures that are to be shown."""
    return {*(folder / KEYFRAMES).iterdir(), *(folder / PLACED).glob("*")}


def recorded(folder: Path) -> set[Path]:
    history = read_history(folder)
    takes = {path_of(folder, each) for each in (*history.keyframes, *history.not_chosen())}
    return takes | {placed_path(folder, each) for each in history.placed.values()}


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_a_directed_render_that_is_killed_loses_no_take(tmp_path: Path, kills: int) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    (folder / PLACED).mkdir()
    assert engine(folder).code == 0
    rng = random.Random(18)
    for kill in range(kills):
        before = set((folder / KEYFRAMES).iterdir())
        live_and_die(folder, COMMANDS[kill % len(COMMANDS)], rng)
        Project.open(folder).close()
        assert before <= files(folder) == recorded(folder)
        assert verify(folder, lambda done, total: None) == []
        if read_history(folder).keyframes[1:]:
            assert_playable(folder)
    assert engine(folder).code == 0
    assert_playable(folder, frames=(COUNT - 1) * 5 + 1)


BRANCHING = """
import random, sys
from pathlib import Path
from renderer.project.copy import branch_project
folder, rng = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
for number in range(1000):
    new = folder.with_name(f"{rng.randrange(5)}.zoom")
    print(new.name, flush=True)
    if not new.exists():
        branch_project(folder, new, rng.randrange(14), {}, lambda done, total: None)
"""


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_a_branch_that_is_killed_is_there_whole_or_not_at_all(tmp_path: Path, kills: int) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=COUNT)
    render(folder)
    before = contents(folder)
    rng = random.Random(19)
    for kill in range(kills):
        command = [sys.executable, "-c", BRANCHING, str(folder), str(kill)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as running:
            assert running.stdout is not None
            for _ in range(rng.randrange(1, 5)):
                running.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                running.wait(rng.random() * 0.02)
            running.kill()
        assert contents(folder) == before
        for made in tmp_path.glob("*.zoom"):
            assert verify(made, lambda done, total: None) == []
            if made != folder and kill % 5 == 4:
                shutil.rmtree(made)
    for number in range(5):
        shutil.rmtree(tmp_path / f"{number}.zoom", ignore_errors=True)
        branch_project(folder, tmp_path / f"{number}.zoom", 4, {}, lambda done, total: None)
    assert not list(tmp_path.glob(".*.part"))
