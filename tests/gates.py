"""Gates that a test holds shut, so that something is caught in the act and not raced.

The painter ``tests.painters:gated`` waits at one for a keyframe; :class:`StartGate` keeps a process
from beginning at all. Not a test.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]

_WAIT = """
import pathlib, time
while not pathlib.Path({path!r}).exists():
    time.sleep(0.01)
"""


class StartGate:
    """Open at first. While it is shut, no Python that is started with ``path`` gets further than
    its own start: there it runs ``sitecustomize``, where it finds one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._key = folder / "open"
        (folder / "sitecustomize.py").write_text(_WAIT.format(path=str(self._key)))
        self.path = os.pathsep.join([str(folder), str(ROOT)])
        """What to set PYTHONPATH to."""
        self.open()

    def open(self) -> None:
        self._key.touch()

    def shut(self) -> None:
        self._key.unlink()
