"""A fake terminal: runs a command in a pty of its own, answers its questions, and keeps what it
wrote. It can be far away, slow, mute, held, resized and closed."""

from __future__ import annotations

import fcntl
import os
import re
import selectors
import struct
import subprocess
import sys
import termios
import threading
import time
from base64 import standard_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.cli.processes import PATIENCE

NAME, CELL, GROUND, DECRQSS, DA1 = (
    b"\x1b[>q",
    b"\x1b[16t",
    b"\x1b]11;?\x1b\\",
    b"\x1bP$qm\x1b\\",
    b"\x1b[c",
)
REGISTERS, GRAPHIC = b"\x1b[?1;3;256S", b"\x1b[?2;1;0S"
KITTY_QUERY = b"\x1b_Gi=31"
SYNC_QUERY = b"\x1b[?2026$p"

TRUECOLOUR = b"\x1bP1$r0;48:2:1:2:3m\x1b\\"

KITTY: Mapping[bytes, bytes] = {
    NAME: b"\x1bP>|kitty(0.46.2)\x1b\\",
    CELL: b"\x1b[6;20;10t",
    GROUND: b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    DECRQSS: TRUECOLOUR,
    KITTY_QUERY: b"\x1b_Gi=31;OK\x1b\\",
    DA1: b"\x1b[?62;c",
}
GHOSTTY = {
    **KITTY,
    NAME: b"\x1bP>|ghostty 1.3.1\x1b\\",
    CELL: b"\x1b[6;34;16t",
    DECRQSS: b"\x1bP1$r0;48:2::1:2:3m\x1b\\",
}
VSCODE = {**KITTY, NAME: b"\x1bP>|xterm.js(6.1.0)\x1b\\", DA1: b"\x1b[?62;4;9;22c"}
FOOT = {
    **KITTY,
    NAME: b"\x1bP>|foot(1.20.0)\x1b\\",
    CELL: b"\x1b[6;17;8t",
    DA1: b"\x1b[?62;4;22c",
    REGISTERS: b"\x1b[?1;0;64S",
    GRAPHIC: b"\x1b[?2;0;4000;3000S",
}
WEZTERM = {**KITTY, NAME: b"\x1bP>|WezTerm 20260101-000000-abcdef\x1b\\", DA1: b"\x1b[?65;4c"}
VTE = {
    NAME: b"\x1bP>|VTE(7802)\x1b\\",
    DECRQSS: TRUECOLOUR,
    GROUND: b"\x1b]11;rgb:ffff/ffff/dddd\x1b\\",
    DA1: b"\x1b[?61;1;21;22c",
}
TERMINAL_APP = {DA1: b"\x1b[?1;2c", GROUND: b"\x1b]11;rgb:ffff/ffff/ffff\x07"}
MUTE: Mapping[bytes, bytes] = {}

_APC = re.compile(rb"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")


@dataclass
class Transmission:
    """One picture as the terminal got it."""

    image: int
    columns: int
    rows: int
    pieces: int = 0
    data: bytes = b""
    size: int = 0
    """Bytes on the wire."""


@dataclass
class Graphics:
    """What the graphics commands in a stream said, in order."""

    pictures: list[Transmission] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    alive: set[int] = field(default_factory=set)
    """The ids that the terminal still keeps data for."""


def read_graphics(output: bytes) -> Graphics:
    """Follow the commands as a terminal would; fails where one comes inside a transmission."""
    found, text, more = Graphics(), b"", False
    for match in _APC.finditer(output):
        keys = dict(pair.split("=", 1) for pair in match[1].decode().split(",") if pair)
        assert keys["q"] == "2", "the terminal would answer"
        payload = match[2] or b""
        if keys.get("a") == "d":
            assert not more, "a command inside a transmission"
            assert keys["d"] == "I"
            found.deleted.append(int(keys["i"]))
            found.alive.discard(int(keys["i"]))
            continue
        if keys.get("a") == "T":
            assert not more, "a transmission inside a transmission"
            assert (keys["U"], keys["f"]) == ("1", "100")
            one = Transmission(int(keys["i"]), int(keys["c"]), int(keys["r"]))
            found.pictures.append(one)
            found.alive.add(one.image)
            text = b""
        else:
            assert more, "a piece of nothing"
            assert set(keys) <= {"m", "q"}
        assert len(payload) <= 4096
        one = found.pictures[-1]
        one.pieces += 1
        one.size += len(match[0])
        text += payload
        more = keys["m"] == "1"
        assert not more or len(payload) % 4 == 0
        if not more:
            one.data = standard_b64decode(text)
    return found


class FakeTerminal:
    """Runs `command` as the foreground job of a new pty; use as a context manager.

    `replies`: question → answer, given `delay` seconds after the question was read. `rate`: bytes a
    second that are read at most. The environment is `env` alone, and a PATH and HOME.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (120, 36),
        replies: Mapping[bytes, bytes] = KITTY,
        delay: float = 0.0,
        rate: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.reads: list[bytes] = []
        self._replies, self._delay, self._rate = replies, delay, rate
        self._lock, self._closed = threading.Condition(), False
        self._held = threading.Event()
        self._held.set()
        self._due: list[tuple[float, bytes]] = []
        self._master, slave = os.openpty()
        self.modes_before = self.modes()
        self.resize(size, tell=False)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                **(env or {}),
            },
        )
        os.close(slave)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> FakeTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close()

    # -------------------------------------------------------------------------- what a user does

    def send(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def hold(self) -> None:
        """Read nothing more until ``go_on``."""
        self._held.clear()

    def go_on(self) -> None:
        self._held.set()

    def resize(self, size: tuple[int, int], *, tell: bool = True) -> None:
        """Columns and rows; the kernel tells the foreground job."""
        packed = struct.pack("HHHH", size[1], size[0], 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, packed)
        self.size = size

    def modes(self) -> list[object]:
        """How the terminal is set: echo, line by line or raw, its special characters."""
        return list(termios.tcgetattr(self._master))

    def close(self) -> None:
        """The window is closed, the line drops."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._thread.join(PATIENCE)
        os.close(self._master)

    # --------------------------------------------------------------------------- what it has seen

    @property
    def output(self) -> bytes:
        with self._lock:
            return b"".join(self.reads)

    def wait_for(
        self, what: bytes | Callable[[bytes], object], seconds: float = PATIENCE, start: int = 0
    ) -> bytes:
        """The output from `start` on, once `what` is in it, or is true of it."""
        deadline = time.monotonic() + seconds
        with self._lock:
            while True:
                seen = b"".join(self.reads)[start:]
                if what in seen if isinstance(what, bytes) else what(seen):
                    return seen
                left = deadline - time.monotonic()
                if left <= 0 or not self._lock.wait(left):
                    raise AssertionError(f"not seen in {seconds} s: {what!r} in {seen[-400:]!r}")

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit status of the command, once everything that it wrote is read."""
        status = self.process.wait(seconds)
        self._thread.join(seconds)
        return status

    # ----------------------------------------------------------------------------------- inside

    def _run(self) -> None:
        unread, allowance, then = b"", 0.0, time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            while not self._closed:
                now = time.monotonic()
                self._answer_due(now)
                size = 65536
                if self._rate is not None:
                    allowance = min(allowance + (now - then) * self._rate, self._rate / 4)
                    then, size = now, int(allowance)
                    if size < 64:
                        time.sleep(0.005)
                        continue
                if not self._held.wait(0.01) or not selector.select(0.01):
                    continue
                try:
                    chunk = os.read(self._master, size)
                except OSError:  # the other end is open no more
                    return
                allowance, now = allowance - len(chunk), time.monotonic()
                with self._lock:
                    self.reads.append(chunk)
                    self._lock.notify_all()
                unread = self._questions(unread + chunk, now)

    def _questions(self, text: bytes, now: float) -> bytes:
        """Note the answers to everything asked in `text`; what may be half a question is left."""
        asked = [(text.find(question), question) for question in self._replies]
        end = 0
        for position, question in sorted(pair for pair in asked if pair[0] >= 0):
            self._due.append((now + self._delay, self._replies[question]))
            end = max(end, position + len(question))
        return text[end:][-16:]

    def _answer_due(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            os.write(self._master, self._due.pop(0)[1])


def python(*arguments: str) -> list[str]:
    """The command that runs this Python."""
    return [sys.executable, *arguments]
