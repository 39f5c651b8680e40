"""Real engines for the interface to watch, and the live monitor on a real (pseudo-)terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from renderer.project.create import create_project
from renderer.project.lock import holder
from renderer.project.records import LOCK
from renderer.project.session_record import supervisor
from renderer.service.launch import launch
from renderer.settings.render import RenderSettings
from tests.cli.processes import PATIENCE, ROOT, OnTerminal, environment
from tests.gates import StartGate

PROGRAM = """
import os, sys
from pathlib import Path
from zoomtui.terminal.capabilities import Terminal, prepare_environment
terminal = Terminal(os.environ.get("NAMED", "test"), "truecolor", "blocks")
os.environ.update(prepare_environment(terminal, os.environ))
from zoomtui.tui import app
app.DEAF = 0  # keys count from the first moment on
sys.exit(app.run(terminal, Path(sys.argv[1])))
"""


def make_project(folder: Path, painter: str = "gradient", since: int = 0, **more: Any) -> Path:
    """A tiny project with a painter of ``tests/painters.py`` (misbehaving ``since`` a keyframe)."""
    values = {
        "prompt": "a reef",
        "painter": painter if ":" in painter else f"tests.painters:{painter}",
        "model": str(since),
        "keyframe_size": "96x96",
        "size": "96x96",
        "frames_per_keyframe": 6,
        "preset": "ultrafast",
        "threads": 1,
        "seed": 11,
        **more,
    }
    create_project(folder, RenderSettings().changed(values))
    return folder


@contextlib.contextmanager
def engine(folder: Path, gate: StartGate | None = None) -> Iterator[int]:
    """A detached engine that renders ``folder``; its process id. Killed when the block ends.

    While ``gate`` is shut it isn't started again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", gate.path if gate else str(ROOT))
        launch(folder)
        try:
            yield running(folder)
        finally:
            kill_engine(folder)


def running(folder: Path) -> int:
    """Process id of the engine that renders ``folder``; 0: none does."""
    found = holder(folder / LOCK)
    return found.pid if found else 0


def kill_engine(folder: Path) -> None:
    """SIGKILL, and wait until the kernel has let go of the project.

    First to its parent, which would start another; the one may be gone with the other.
    """

    def gone() -> bool:
        left = [each for each in (supervisor(folder), holder(folder / LOCK)) if each]
        for each in left:
            if each.pid:  # it is signed
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
        return not left

    until(gone, "the locks are free")


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something that another process brings about."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.02)


async def soon(true: Callable[[], object], what: str) -> None:
    """The same in a coroutine."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, f"never: {what}"
        await asyncio.sleep(0.02)


class OnMonitor(OnTerminal):
    """The live monitor of a project, on a terminal of its own."""

    def __init__(self, folder: Path, size: tuple[int, int] = (120, 36), **more: str) -> None:
        reader, writer = self._connect()
        termios.tcsetwinsize(writer, (size[1], size[0]))
        self.said = ""
        self._reader = reader
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)],
            env=environment(**more),
            **self._handles(writer),
        )
        os.close(writer)

    def drain(self, seconds: float, bytes_a_second: float | None = None) -> int:
        """Read for so long, at most so fast; how many bytes came."""
        began, count = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            most = 65536
            if bytes_a_second is not None:
                most = int(min(most, elapsed * bytes_a_second - count))
                if most < 1:
                    time.sleep(0.005)
                    continue
            if not self._readable(min(0.05, seconds - elapsed)):
                continue
            try:
                data = os.read(self._reader, most)
            except OSError:
                break
            self.said += data.decode(errors="replace")
            count += len(data)
        return count

    def falls_silent(self, seconds: float) -> None:
        """Read until nothing has come for so long."""
        ends = time.monotonic() + PATIENCE
        while self._readable(seconds):
            assert time.monotonic() < ends, "it never falls silent"
            self._read(ends)

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._reader], [], [], seconds)[0])
