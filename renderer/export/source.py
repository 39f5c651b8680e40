"""What an export is made from: kept canvases, and the film as far as it is committed.

Plain values that travel to other processes. Knows no project and no journal; canvases are read when
they are needed, and checked then.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from renderer.film.camera import Place
from renderer.images import Picture, read_keyframe
from renderer.journal import Record
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings


@dataclass(frozen=True, slots=True)
class CanvasFile:
    """The canvas of one interval, on disk."""

    path: Path
    crc: int
    """CRC-32 of the file."""
    dives_to: Place | None = None
    """Left and top of the next picture, where the film dives into this canvas."""
    stops: bool = False
    """The film comes to rest at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A project, as an export sees it."""

    settings: RenderSettings
    """As the film was begun."""
    canvas_size: Size
    canvases: tuple[CanvasFile, ...]
    """Of interval 0, 1, …"""
    film: Path
    film_length: int
    """Bytes that are committed."""
    film_frames: int
    """Frames that are committed."""
    film_records: tuple[Record, ...]
    """What the journal vouches for in the film."""
    prompts: tuple[str, ...]
    """In force for each interval."""
    marks: tuple[tuple[int, str], ...]
    """(interval that begins with it, note) of the keyframes with a note."""
    provenance: str
    """How the film was made, as JSON."""

    @property
    def depth(self) -> int:
        """Intervals."""
        return len(self.canvases)

    @property
    def seconds_per_keyframe(self) -> Fraction:
        return self.settings.frames_per_keyframe / self.settings.fps

    def load(self, interval: int) -> Picture:
        """The (H, W, 3) sRGB canvas of ``interval``. Raises ProjectError when it is damaged."""
        file = self.canvases[interval]
        return read_keyframe(file.path, self.canvas_size, file.crc)
