"""Real `zoomtui` processes: run to their end, watched while they run, and on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import av
import psutil
import pytest

from renderer.settings.render import RenderSettings
from zoomtui.cli.main import main

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds after which something that should happen has not."""

QUICK = (
    "--painter", "tests.painters:gradient", "--size", "64x64", "--keyframes", "3",
    "--frames-per-keyframe", "4", "--preset", "ultrafast", "--seed", "11",
)  # fmt: skip
"""Options of a film that takes no time."""
FRAMES = 2 * 4 + 1
"""Of ``QUICK``."""


def painter(name: str, since: int) -> tuple[str, ...]:
    """Options for a painter of ``tests/painters.py`` that misbehaves from a keyframe on."""
    return (*QUICK, "--painter", f"tests.painters:{name}", "--model", str(since))


@dataclass(frozen=True)
class Answer:
    """What a process said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "zoomtui", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def zoomtui(*arguments: str | bytes, cwd: Path, **options: Any) -> Answer:
    """Run `zoomtui` to its end, its output going into pipes."""
    line = [*command(), *arguments]
    done = subprocess.run(
        line,
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def zoomtui_here(*arguments: str, cwd: Path) -> Answer:
    """As :func:`zoomtui`, in this very process: for what is refused before anything is started."""
    handled = signal.getsignal(signal.SIGTERM)
    with contextlib.ExitStack() as undo:
        undo.callback(signal.signal, signal.SIGTERM, handled)
        undo.enter_context(contextlib.chdir(cwd))
        said = [undo.enter_context(tempfile.TemporaryFile("w+")) for _ in ("out", "err")]
        for handle, file in zip((1, 2), said, strict=True):
            undo.callback(os.close, kept := os.dup(handle))
            undo.callback(os.dup2, kept, handle)
            os.dup2(file.fileno(), handle)
        undo.enter_context(contextlib.redirect_stdout(said[0]))
        undo.enter_context(contextlib.redirect_stderr(said[1]))
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        for file in said:
            file.seek(0, os.SEEK_SET)
        out, err = (file.read() for file in said)
    assert isinstance(ended.value.code, int)
    return Answer(ended.value.code, out, err)


class Running:
    """A `zoomtui` whose output can be read while it runs. Killed when the block ends."""

    def __init__(self, *arguments: str, cwd: Path, **more: str) -> None:
        reader, writer = self._connect()
        self.said = ""
        self._reader = reader
        self._process = subprocess.Popen(
            command(*arguments),
            cwd=cwd,
            env=environment(**more),
            **self._handles(writer),
        )
        os.close(writer)

    def _connect(self) -> tuple[int, int]:
        return os.pipe()

    def _handles(self, writer: int) -> dict[str, Any]:
        return {"stdin": subprocess.DEVNULL, "stdout": writer, "stderr": subprocess.STDOUT}

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def until(self, what: str | Callable[[str], object]) -> str:
        """Read on until ``what`` has been said, or is true of it; all that was said so far."""
        ends = time.monotonic() + PATIENCE
        while not (what in self.said if isinstance(what, str) else what(self.said)):
            assert self._read(ends), f"{what!r} was never said, only: {self.said[-1000:]!r}"
        return self.said

    def until_it_waits(self) -> None:
        """Until it does nothing but wait: for what is typed, once it has asked."""
        process, ends = psutil.Process(self._process.pid), time.monotonic() + PATIENCE
        while process.status() != psutil.STATUS_SLEEPING:
            assert time.monotonic() < ends, "it never waits"
            time.sleep(0.02)

    def end(self) -> int:
        """Read to the end; the exit code."""
        ends = time.monotonic() + PATIENCE
        while self._reader >= 0 and self._read(ends):
            pass
        return self._process.wait(max(1.0, ends - time.monotonic()))

    def ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Close the reading end, as a reader that goes away does."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def _read(self, ends: float) -> bool:
        ready, _, _ = select.select([self._reader], [], [], max(0.0, ends - time.monotonic()))
        assert ready, f"nothing came any more after: {self.said[-1000:]!r}"
        try:
            data = os.read(self._reader, 65536)
        except OSError:  # a pseudo-terminal's way to say that its other end is closed
            data = b""
        self.said += data.decode(errors="replace")
        return bool(data)


class OnTerminal(Running):
    """The same on a terminal of 80 columns and 24 rows, which it is controlled by."""

    def _connect(self) -> tuple[int, int]:
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        return master, slave

    def _handles(self, writer: int) -> dict[str, Any]:
        return {"start_new_session": True, "preexec_fn": partial(os.login_tty, writer)}

    def type(self, keys: bytes) -> None:
        os.write(self._reader, keys)


def children_with(word: str) -> list[psutil.Process]:
    """The children of this process, and theirs, that run with ``word`` in their command line."""
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if word in " ".join(each.cmdline()):
                found.append(each)
    return found


def settings_of(folder: Path) -> RenderSettings:
    return RenderSettings.from_toml((folder / "project.toml").read_text(encoding="utf-8"))


def film_frames(folder: Path) -> int:
    """Frames that a player gets to see."""
    with av.open(folder / "film.mp4") as film:
        return sum(1 for _ in film.decode(video=0))
