"""The page of one render (`zoomtui serve`), by a child process that ends with this one.

It ends when its standard input does, so it is never left behind. Knows no screen.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from renderer.children import python_module
from renderer.errors import error_of
from zoomtui.tui.shared.styled_text import Line

_GRACE = 5.0
"""Seconds that it may take to end."""


class ServedPage:
    """Served from its making on until ``close``."""

    def __init__(self, folder: Path) -> None:
        """Returns once it can be opened. Raises RendererError with the verb's own reason."""
        arguments = ["serve", "--port", "0", "--until-eof", os.fspath(folder.absolute())]
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                python_module("zoomtui", *arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                start_new_session=True,  # keys and signals of this terminal are not for it
            )
            assert self._process.stdout is not None
            self.link, self.forwarding = (
                self._process.stdout.readline().strip() for _ in ("link", "line for SSH")
            )
            if not self.link:
                self.close()
                complaints.seek(0)
                words = complaints.read().decode(errors="replace").strip().splitlines()
                reason = words[-1].removeprefix("zoomtui: ") if words else "the page did not begin"
                raise error_of(self._process.returncode, reason)

    @property
    def line(self) -> Line:
        """How to open it; over SSH on two lines."""
        if self._process.poll() is not None:
            return (("the page has ended", "warn"),)
        link: Line = (("page  ", "label"), (self.link, "strong"), ("  w ends it", "faint"))
        if not self.forwarding:
            return link
        return *link, ("\nat home, first  ", "label"), (self.forwarding, "strong")

    def close(self) -> None:
        """End it."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
                return
            process.kill()
