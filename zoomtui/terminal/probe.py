"""The conversations with a terminal and with tmux: questions out, words back. Decides nothing.

The terminal is asked in one batch, in raw mode, before Textual starts, and never for longer than
the time limit. The graphics query of kitty's protocol is left out on purpose: terminals that can't
show placeholders answer it with OK, so the answer decides nothing, and a terminal that doesn't know
APC strings prints the query.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
import tty
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from renderer.errors import RendererError
from zoomtui.terminal.replies import SENTINEL, Replies, read_replies

_QUESTIONS = (
    b"\x1b[>q"  # XTVERSION: name and version
    b"\x1b[16t"  # size of a cell in pixels
    b"\x1b]11;?\x1b\\"  # colour of the background
    b"\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m"  # set a colour of 24 bits, ask for it (DECRQSS)
    b"\x1b[c"  # DA1, the sentinel: last, as replies keep the order of the questions
)
_OF_SIXELS = (  # only where DA1 names them: others may take it for a request to scroll
    b"\x1b[?1;3;256S"  # XTSMGRAPHICS: have 256 colour registers; xterm's VT340 begins with 16
    b"\x1b[?2;1;0S"  # the largest graphic
    b"\x1b[c"
)
_TIDY = b"\r\x1b[K"
"""Wipes the line, for a terminal that printed a question instead of answering it."""

_TMUX_SECONDS = 2.0
_BEFORE_OPTION = ("1.", "2.", "3.0", "3.1", "3.2")
"""Versions of tmux that hand everything on: there was no option to refuse it yet."""


class NoTerminal(RendererError):
    """There is no terminal to talk to, or it can't be talked to from here."""


def ask_terminal(fd_in: int, fd_out: int, seconds: float) -> Replies:
    """What the terminal says about itself; waits for it `seconds` at most.

    Keys that are pressed meanwhile are lost. The terminal's mode is put back as it was, and input
    that is still unread is thrown away, so that no reply is left for the shell or for Textual.
    Raises NoTerminal where `fd_in` is no terminal or belongs to another job.
    """
    try:
        before = termios.tcgetattr(fd_in)
        if os.tcgetpgrp(fd_in) != os.getpgrp():
            raise NoTerminal("this process is in the background")
    except (termios.error, OSError) as error:
        raise NoTerminal(f"standard input is not a usable terminal ({error})") from None
    try:
        tty.setcbreak(fd_in, termios.TCSANOW)
        started = time.monotonic()
        os.write(fd_out, _QUESTIONS)
        text = _read_until_sentinel(fd_in, started + seconds)
        rtt = time.monotonic() - started
        if read_replies(text, rtt).sixel:
            os.write(fd_out, _OF_SIXELS)
            text += _read_until_sentinel(fd_in, started + seconds)
        os.write(fd_out, _TIDY)
        termios.tcflush(fd_in, termios.TCIFLUSH)
    except OSError as error:
        raise NoTerminal(f"the terminal went away ({error})") from None
    finally:
        with suppress(termios.error):  # it is gone, and with it what was to be restored
            termios.tcsetattr(fd_in, termios.TCSANOW, before)
    replies = read_replies(text, rtt)
    return replies if replies.cell else replace(replies, cell=cell_size(fd_in))


def cell_size(fd: int) -> tuple[int, int] | None:
    """Width and height of a cell in pixels by what the terminal told the kernel; None: nothing."""
    try:
        told = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, width, height = struct.unpack("4H", told)
    return (width // columns, height // rows) if width >= columns > 0 < rows <= height else None


def _read_until_sentinel(fd: int, deadline: float) -> str:
    received = b""
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([fd], [], [], left)
        if not ready:
            break
        chunk = os.read(fd, 4096)
        if not chunk:
            raise OSError("end of input")
        received += chunk
        if SENTINEL.search(received.decode("latin-1")):
            break
    return received.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Tmux:
    """What tmux says about the terminal that it is shown in."""

    outer: str = ""
    """That terminal's own XTVERSION; empty where no client is attached or it never answered."""
    rgb: bool = False
    """Whether tmux hands colours of 24 bits on unchanged."""
    passthrough: bool = False
    """Whether tmux hands on what is wrapped for the terminal outside."""


def ask_tmux(environ: Mapping[str, str]) -> Tmux | None:
    """What tmux says, or None where it says nothing. Looks at the client used last."""
    pane = environ.get("TMUX_PANE", "")
    where = ["-t", pane] if pane else []
    wanted = "#{client_termtype}\t#{client_termfeatures}\t#{version}"
    answer = _tmux(environ, "display-message", "-p", *where, wanted)
    if answer is None:
        return None
    outer, features, version = [*answer.rstrip("\n").split("\t"), "", ""][:3]
    allowed = _tmux(environ, "show-options", "-Apqv", *where, "allow-passthrough") or ""
    return Tmux(
        outer=outer,
        rgb="RGB" in features.split(","),
        passthrough=allowed.strip() in {"on", "all"} or version.startswith(_BEFORE_OPTION),
    )


def _tmux(environ: Mapping[str, str], *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["tmux", *arguments],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
