"""A real tmux in a fake terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.engines import until
from tests.terminal.ptys import FakeTerminal

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class RealTmux:
    """A tmux server of its own, shown in a fake terminal."""

    def __init__(self, folder: Path, outer: Mapping[bytes, bytes], options: str) -> None:
        self._socket = str(folder / "tmux")
        (folder / "conf").write_text(f"set -g default-terminal screen-256color\n{options}\n")
        command = ["tmux", "-S", self._socket, "-f", str(folder / "conf"), "new-session", "sh"]
        self.terminal = FakeTerminal(command, replies={**outer, b"\x1b[>c": b"\x1b[>1;4000;29c"})
        self.terminal.wait_for(b"$ " if os.getuid() else b"# ")
        self._until_known()

    def _until_known(self) -> None:
        """tmux asks the terminal for its name on its own, in its own time."""
        until(lambda: self("display", "-p", "#{client_termtype}"), "tmux knows its terminal")

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def type(self, line: str) -> None:
        self("send-keys", "-l", line)
        self("send-keys", "Enter")

    def close(self) -> None:
        self("kill-server")
        self.terminal.__exit__()


ALLOW, RGB = "set -g allow-passthrough on", "set -as terminal-features ',*:RGB'"
