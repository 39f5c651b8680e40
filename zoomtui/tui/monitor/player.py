"""The viewer's side of a film that is played: a process that decodes, asked frame by frame.

It gives way to any other process, and ends with the viewer. Knows no screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from renderer.children import python_module
from renderer.errors import ProjectError

SIDE = 320
"""Pixels that no side of a frame exceeds: what a terminal shows."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, and how much film there is."""

    number: int
    """From 0."""
    frames: int
    fps: float
    width: int
    height: int
    rgb: bytes

    @property
    def at(self) -> float:
        """Seconds from the film's beginning."""
        return self.number / self.fps

    @property
    def length(self) -> float:
        """Of the film, seconds."""
        return self.frames / self.fps


class Player:
    """Use as a context; ``frame`` asks for one frame at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            python_module("renderer.project.playback", os.fspath(self._folder), str(SIDE)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        with contextlib.suppress(BrokenPipeError), self._process:
            pass  # closes its pipes, and waits for it

    async def frame(self, number: int) -> Frame | None:
        """That frame, or the nearest; below 0: counted from the end. None: there is no film yet.

        Raises ProjectError with the reason why there is none.
        """
        return await asyncio.to_thread(self._ask, number)

    def _ask(self, number: int) -> Frame | None:
        assert self._process is not None
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        try:
            asked.write(f"{number}\n".encode())
            asked.flush()
            moment = json.loads(answers.readline())
            size = moment["width"], moment["height"]
            rgb = answers.read(size[0] * size[1] * 3)
            if len(rgb) < size[0] * size[1] * 3:
                raise EOFError
        except (OSError, ValueError, EOFError):
            raise ProjectError("the film can't be read: its reader has ended") from None
        if moment["error"]:
            raise ProjectError(moment["error"])
        if moment["frame"] < 0:
            return None
        return Frame(moment["frame"], moment["frames"], moment["fps"], *size, rgb)
