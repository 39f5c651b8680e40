"""An export's frames in chunks that processes work on side by side.

A chunk is what one canvas makes, or a few short intervals, or a part of a long one: so a canvas is
seldom read twice, and no chunk takes long. Where they are cut depends on the plan alone, never on
the machine, because every chunk begins with an IDR frame and so decides the film's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from renderer.export.frames import FrameSource
from renderer.machine import cores

_SECONDS = 2
"""Length of a chunk, and so the furthest that players have to look back for an IDR frame."""
_WORTH_IT = 60_000_000
"""Film pixels; with fewer, other processes would be done later than this one alone."""


class Chunk(NamedTuple):
    number: int
    first: int
    """Frame."""
    frames: int


def chunks(take: FrameSource) -> Iterator[Chunk]:
    """All frames, in order."""
    longest = max(1, round(_SECONDS * take.timeline.fps))
    index = first = frames = 0
    for _, run in groupby(range(take.timeline.frames), take.interval):
        for length in _parts(sum(1 for _ in run), longest):
            if frames and frames + length > longest:
                yield Chunk(index, first, frames)
                index, first, frames = index + 1, first + frames, 0
            frames += length
    yield Chunk(index, first, frames)


def processes_for(take: FrameSource) -> int:
    """How many processes to use; 0: none but this one."""
    work = take.size[0] * take.size[1] * take.timeline.frames
    seconds = float(take.timeline.seconds)
    return min(cores(), max(1, int(seconds / _SECONDS))) if work > _WORTH_IT else 0


def _parts(length: int, longest: int) -> Iterator[int]:
    """``length`` in equal parts of at most ``longest``, the earlier ones a frame longer."""
    count = -(-length // longest)
    for number in range(count):
        yield length // count + (number < length % count)
