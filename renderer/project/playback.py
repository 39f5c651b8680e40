"""A film's frames, small, one by one: what a viewer plays, also while the film grows.

``python -m renderer.project.playback PROJECT SIDE`` serves one viewer, in a process of its own that
gives way to any other: it reads a frame's number a line, and answers with a line of JSON
(``Moment``) and the picture's bytes. Reads only; knows no terminal.
"""

from __future__ import annotations

import json
import os
import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from renderer.errors import ProjectError, RendererError
from renderer.files import storage_errors
from renderer.film.decode import decoded_pictures
from renderer.film.records import Header, Segment
from renderer.project.contents import Contents
from renderer.project.records import FILM, JOURNAL, read_settings

_POLITE = 19
"""Niceness: painter and encoder go first."""
_KEPT = 300
"""Pictures that the viewer may go back to at once, however long a segment is."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, and how much film there is."""

    frame: int = -1
    """From 0; -1: there is no film yet, and no picture follows."""
    frames: int = 0
    """Committed so far."""
    fps: float = 0.0
    width: int = 0
    height: int = 0
    """Of the picture that follows: height × width × 3 bytes of sRGB."""
    error: str = ""
    """Why there is none, one line; the process then ends."""


class Playback:
    """The film of one project."""

    def __init__(self, folder: Path, side: int) -> None:
        """``side``: pixels that no side of a picture exceeds. Raises RendererError."""
        self._folder = folder
        self._side = side
        self._fps = float(read_settings(folder).fps)
        self._known = (0, 0)
        self._contents = Contents(folder)
        self._segment: Segment | None = None
        self._coming: Iterator[NDArray[np.uint8]] = iter(())
        """Of that segment."""
        self._next = 0
        """The number in it of the one that comes next."""
        self._kept = deque[NDArray[np.uint8]](maxlen=_KEPT)
        """Those before it."""

    def at(self, number: int) -> tuple[Moment, bytes]:
        """The frame of that number, or the nearest there is; below 0: counted from the end.

        Raises ProjectError where the film is damaged, StorageError.
        """
        self._look()
        film = self._contents.film
        if not film.segments:
            return Moment(fps=self._fps), b""
        frames = film.frames
        frame = max(0, min(number + frames if number < 0 else number, frames - 1))
        index = bisect_right(film.segments, frame, key=lambda each: each.first_frame) - 1
        segment = film.segments[index]
        picture = self._picture(segment, frame - segment.first_frame)
        height, width = picture.shape[:2]
        return Moment(frame, frames, self._fps, width, height), picture.tobytes()

    def _look(self) -> None:
        """Read the journal again where it has changed."""
        with storage_errors(self._folder / JOURNAL):
            found = (self._folder / JOURNAL).stat()
        if (found.st_mtime_ns, found.st_size) != self._known:
            self._known = (found.st_mtime_ns, found.st_size)
            self._contents.look()

    def _picture(self, segment: Segment, number: int) -> NDArray[np.uint8]:
        """The frame of that number in a segment: one that is kept, or decoded on the way to it."""
        if segment != self._segment or number < self._next - len(self._kept):
            self._segment, self._next, self._coming = segment, 0, self._decoded(segment)
            self._kept.clear()
        while self._next <= number:
            self._kept.append(next(self._coming))
            self._next += 1
        return self._kept[number - self._next]

    def _decoded(self, segment: Segment) -> Iterator[NDArray[np.uint8]]:
        path = self._folder / FILM
        with storage_errors(path), path.open("rb") as film:
            header = self._contents.film.header
            init = _bytes(film, header) if header else b""
            media = _bytes(film, segment)
        yield from decoded_pictures(init, media, self._side)
        raise ProjectError(f"{path} is damaged; `zoomtui verify` says where")  # it has too few


def _bytes(file: BinaryIO, part: Header | Segment) -> bytes:
    file.seek(part.offset)
    return file.read(part.length)


def serve(folder: Path, side: int, asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until ``asked`` ends."""
    try:
        playback = Playback(folder, side)
        for line in asked:
            moment, picture = playback.at(int(line))
            _answer(answers, moment, picture)
    except RendererError as error:
        _answer(answers, Moment(error=str(error)), b"")


def _answer(answers: BinaryIO, moment: Moment, picture: bytes) -> None:
    answers.write(json.dumps(asdict(moment)).encode() + b"\n" + picture)
    answers.flush()


if __name__ == "__main__":
    os.nice(_POLITE)
    serve(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
