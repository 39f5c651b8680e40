"""Frames that carry their own number, and reading films of them back: what is decoded is known."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from renderer.film.encode import Encoding
from renderer.settings.render import RenderSettings

WIDTH, HEIGHT = 160, 96
_BITS, _CELL, _ROWS = 24, 6, 16
_GROUND = np.random.default_rng(1).integers(60, 190, (HEIGHT * 3 // 2, WIDTH), np.uint8)


def encoding(**settings: object) -> Encoding:
    """A quick encoding of this module's frame size; ``settings`` are RenderSettings' fields."""
    quick = {"size": (WIDTH, HEIGHT), "preset": "" if "codec" in settings else "ultrafast"}
    return Encoding.of(RenderSettings(**(quick | settings)))  # type: ignore[arg-type]


def frame(number: int) -> NDArray[np.uint8]:
    """A moving yuv420p picture with ``number`` in its top rows."""
    planes = np.roll(_GROUND, number % WIDTH, axis=1)
    planes[HEIGHT:] = 128
    planes[:_ROWS] = 16
    for bit in range(_BITS):
        if number >> bit & 1:
            planes[:_ROWS, bit * _CELL : (bit + 1) * _CELL] = 235
    return planes


def frames(first: int, count: int) -> Iterator[NDArray[np.uint8]]:
    return (frame(number) for number in range(first, first + count))


def number_of(luma: NDArray[np.uint8]) -> int:
    """The number in a decoded (height, width) luma plane."""
    cells = luma[4 : _ROWS - 4, : _BITS * _CELL].reshape(-1, _BITS, _CELL)[:, :, 1:-1]
    return sum(1 << bit for bit in range(_BITS) if cells[:, bit].mean() > 125)


def decode(path: Path) -> list[tuple[int, Fraction]]:
    """(number, time in seconds) of every frame that libav decodes, in order."""
    found = []
    options = {"allowed_extensions": "ALL"} if path.suffix == ".m3u8" else {}
    with av.open(str(path), options=options) as film:
        for decoded in film.decode(video=0):
            assert decoded.pts is not None
            luma = decoded.to_ndarray()[:HEIGHT]
            found.append((number_of(luma), decoded.pts * Fraction(decoded.time_base)))
    return found


def decode_with_ffmpeg(path: Path) -> list[int]:
    """The numbers of every frame that the ``ffmpeg`` on this machine decodes, in order."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-vsync", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)
    return [number_of(picture[:HEIGHT]) for picture in pictures]


def exact(first: int, count: int, fps: Fraction) -> list[tuple[int, Fraction]]:
    """What ``decode`` must give for ``count`` frames from ``first``."""
    return [(number, number / fps) for number in range(first, first + count)]
