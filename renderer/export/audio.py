"""Music for a film: any file that libav decodes, looped or cut to length, faded at the ends.

Knows no pictures; it writes sound as far as the film has come, so that neither waits for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from renderer.errors import SettingsError

RATE = 48_000
"""Samples a second, whatever the file has: what AAC and Opus both take."""
_BIT_RATE = 192_000

Samples = NDArray[np.float32]
"""(2, n), left and right, -1 … 1."""


@dataclass(frozen=True, slots=True)
class Soundtrack:
    """A file of music, and how it is cut to the film."""

    path: Path
    fade_in: float
    """Seconds."""
    fade_out: float
    encoder: str
    """``aac`` or ``libopus``."""

    def check(self) -> None:
        """Decode a little. Raises SettingsError where the file holds no sound that can be read."""
        if not self.path.is_file():
            raise SettingsError(f"audio {self.path}: there is no such file")
        next(_decoded(self.path))

    def blocks(self, length: int) -> Iterator[Samples]:
        """Exactly ``length`` samples, faded, in blocks as they come."""
        given = 0
        while True:
            for samples in _decoded(self.path):
                block = samples[:, : length - given]
                yield block * self._level(given, block.shape[1], length)
                given += block.shape[1]
                if given == length:
                    return

    def _level(self, start: int, count: int, length: int) -> Samples:
        """The gain of ``count`` samples from ``start``: straight ramps, at most half each."""
        at = np.arange(start, start + count, dtype=np.float64) + 0.5
        level = np.ones(count)
        for gone, fade in ((at, self.fade_in), (length - at, self.fade_out)):
            span = min(fade * RATE, length / 2)
            if span > 0:
                level *= np.clip(gone / span, 0, 1)
        return level.astype(np.float32)


def _decoded(path: Path) -> Iterator[Samples]:
    """The whole file once. Raises SettingsError where it holds no sound that can be read."""
    heard = 0
    try:
        with av.open(f"file:{path}") as file:
            frames = _frames(file) if file.streams.audio else ()
            for _, alike in groupby(frames, _kind):
                resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
                for frame in chain(alike, [None]):  # None: what it still holds
                    for part in resampler.resample(frame):
                        heard += part.samples
                        yield part.to_ndarray().astype(np.float32, copy=False)
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"audio {path} can't be decoded: {reason}") from None
    if not heard:
        raise SettingsError(f"audio {path} holds no sound that can be decoded")


def _frames(file: InputContainer) -> Iterator[av.AudioFrame]:
    """Without what is damaged: players leave it out as well."""
    for packet in file.demux(audio=0):
        frames: list[Any] = []
        with suppress(av.error.InvalidDataError):
            frames = packet.decode()
        yield from frames


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    """What one resampler takes; it may change on the way, as in files that were joined."""
    return frame.format.name, frame.layout.name, frame.sample_rate


class SoundWriter:
    """Encodes a soundtrack into a container, piece by piece."""

    def __init__(self, container: OutputContainer, track: Soundtrack, seconds: Fraction) -> None:
        """Add the stream; to be done before the first packet of any stream is muxed."""
        stream = container.add_stream(track.encoder, rate=RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = "stereo"
        stream.bit_rate = _BIT_RATE
        self._container, self._stream = container, stream
        self._blocks = track.blocks(round(seconds * RATE))
        self._written = 0

    def write(self, until: Fraction) -> None:
        """Mux the sound up to the time ``until``, seconds. Raises SettingsError, av.FFmpegError."""
        while self._written < until * RATE and (block := next(self._blocks, None)) is not None:
            self._mux(block)

    def finish(self) -> None:
        """Mux all the rest."""
        for block in self._blocks:
            self._mux(block)
        self._container.mux(self._stream.encode(None))

    def _mux(self, block: Samples) -> None:
        samples = np.ascontiguousarray(block)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = self._written, Fraction(1, RATE)
        self._container.mux(self._stream.encode(frame))
        self._written += block.shape[1]
