"""A real terminal in a virtual X server: what it answers, what is typed into it, what it shows.

As a program it is what runs in that terminal: it hands on what the terminal says and the command
writes, and beside that the keys that the test writes into a FIFO.
"""

from __future__ import annotations

import fcntl
import io
import os
import selectors
import shutil
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.cli.engines import until
from tests.terminal.ptys import python

NEEDED = {"xterm": ("Xvfb", "xterm", "import"), "foot": ("Xvfb", "weston", "foot", "import")}
CELL = (8, 17)
"""Pixels of a cell in either, with the font that they are given."""
_FONT = "DejaVu Sans Mono"


def missing(terminal: str) -> str:
    """The programs that it needs and that are not here."""
    return ", ".join(name for name in NEEDED[terminal] if shutil.which(name) is None)


class RealTerminal:
    """xterm as a VT340, or foot in a Wayland server of its own, `size` columns and rows, with
    `command` in it; a context manager."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        terminal: str = "xterm",
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self._log, fifo = folder / "output", folder / "keys"
        os.mkfifo(fifo)
        self._running: list[subprocess.Popen[bytes]] = []
        display, said = os.pipe()
        server = ["Xvfb", "-displayfd", str(said), "-screen", "0", "1400x1000x24"]
        self._env = {**os.environ, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(folder)}
        self._start(server, pass_fds=[said])
        os.close(said)
        with os.fdopen(display) as told:
            self._env["DISPLAY"] = f":{told.readline().strip()}"
        inside = python("-m", "tests.terminal.real", str(fifo), str(self._log), *command)
        if terminal == "xterm":
            look = ("-fa", _FONT, "-fs", "10", "+sb", "-b", "0", "-bw", "0")
            geometry = f"{size[0]}x{size[1]}+0+0"
            self._start(["xterm", "-ti", "vt340", "-geometry", geometry, *look, "-e", *inside])
        else:
            folder.chmod(0o700)
            width, height = (cells * side for cells, side in zip(size, CELL, strict=True))
            look = ("--backend=x11-backend.so", "--use-pixman", "--shell=kiosk-shell.so")
            self._start(["weston", *look, f"--width={width}", f"--height={height}", "--socket=w"])
            until((folder / "w").exists, "the Wayland server is there")
            self._env["WAYLAND_DISPLAY"] = "w"
            look = ("--config=/dev/null", "--override=pad=0x0", f"--font={_FONT}:size=10")
            self._start(["foot", *look, *inside])
        self._keys: IO[bytes] = fifo.open("wb", buffering=0)

    def __enter__(self) -> RealTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._keys.close()
        for process in reversed(self._running):
            process.terminate()
            process.wait()

    def _start(self, command: Sequence[str], **how: Any) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._running.append(subprocess.Popen(command, env=self._env, **quiet, **how))

    def send(self, keys: bytes) -> None:
        self._keys.write(keys)

    @property
    def output(self) -> bytes:
        """What the command has written so far."""
        return self._log.read_bytes()

    def until_written(self, what: bytes) -> None:
        until(lambda: what in self.output, f"{what!r} is written")

    def screen(self) -> NDArray[np.uint8]:
        """What it shows, (H, W, 3)."""
        shot = subprocess.run(
            ["import", "-window", "root", "png:-"], env=self._env, capture_output=True, check=True
        )
        return np.asarray(Image.open(io.BytesIO(shot.stdout)).convert("RGB"))

    def until_shown(self, true: Callable[[NDArray[np.uint8]], object], what: str) -> None:
        until(lambda: true(self.screen()), what)


def relay(fifo: str, log: str, command: Sequence[str]) -> None:
    """Run the command in a pty between it and this terminal."""
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    child, master = os.forkpty()
    if not child:
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(command[0], list(command))
    tty.setraw(0)
    with Path(log).open("wb", buffering=0) as copy, selectors.DefaultSelector() as ready:
        keys = os.open(fifo, os.O_RDONLY)
        for source in (0, keys, master):
            ready.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                try:
                    read = os.read(key.fd, 65536)
                except OSError:
                    return
                if key.fd != master:
                    os.write(master, read)
                    if not read:
                        ready.unregister(key.fd)
                    continue
                copy.write(read)
                os.write(1, read)


if __name__ == "__main__":
    relay(sys.argv[1], sys.argv[2], sys.argv[3:])
