"""What a render will come to, before anything is painted. Pure arithmetic over settings.

Sizes on disk are rough: they depend on the pictures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from renderer.files import free_bytes, is_folder
from renderer.formatting import clean, duration_text, size_text
from renderer.painting.geometry import Geometry
from renderer.project.thinning import newest_kept
from renderer.settings.codecs import FILM_BITS_PER_PIXEL
from renderer.settings.film import ALL
from renderer.settings.plain_values import Size, dimensions
from renderer.settings.render import RenderSettings

PNG_BYTES_PER_PIXEL = 2.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The figures of a render to be."""

    project: str
    settings: RenderSettings
    canvas: Size
    frames: int | None
    """Frames in all; None: until stopped."""
    seconds: float | None
    """Length of the film; None: until stopped."""
    disk: float | None
    """Bytes that the project will take; None: until stopped."""
    disk_per_hour: float
    """Bytes for each hour of film."""
    free: int | None
    """Bytes free where the project will be; None: can't be told."""

    @classmethod
    def of(cls, folder: Path, settings: RenderSettings) -> Estimate:
        """The figures for a project at ``folder``, which need not exist."""
        canvas = Geometry.of(settings).canvas_size
        frames, keyframes = settings.film_frames, settings.keyframes
        width, height = settings.size
        frame = width * height * FILM_BITS_PER_PIXEL / 8
        keyframe = canvas[0] * canvas[1] * PNG_BYTES_PER_PIXEL
        interval, pictures = settings.frames_per_keyframe * frame, 0.0
        if (kept := settings.keyframes_kept) == ALL:
            interval += keyframe
        else:
            pictures = keyframe * min(keyframes or 0, 1 + newest_kept(kept))
        return cls(
            project=str(folder),
            settings=settings,
            canvas=canvas,
            frames=frames,
            seconds=None if frames is None else float(frames / settings.fps),
            disk=None if keyframes is None else interval * keyframes + pictures,
            disk_per_hour=interval * 3600 * float(settings.fps) / settings.frames_per_keyframe,
            free=free_bytes(_existing(folder)),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; the settings as project.toml would hold them."""
        return {**asdict(self), "settings": self.settings.plain()}

    def lines(self) -> list[str]:
        """What ``--dry-run`` says."""
        settings = self.settings
        return [
            f"project    {clean(self.project)}",
            f"painter    {_painter(settings)}",
            f"keyframe   {dimensions(settings.keyframe_size)}, canvas {dimensions(self.canvas)}, "
            f"zoom factor {settings.zoom_factor:g}, {settings.method}{enlarged(settings)}",
            f"film       {dimensions(settings.size)}, {settings.fps} frames/s, {settings.codec}",
            f"length     {self._length()}",
            f"disk       {self._disk()}",
        ]

    def _length(self) -> str:
        settings = self.settings
        if self.seconds is not None:
            return (
                f"{settings.keyframes} keyframes, {self.frames} frames, "
                f"{duration_text(self.seconds)}"
            )
        pace = duration_text(float(settings.frames_per_keyframe / settings.fps))
        return f"until stopped; {settings.frames_per_keyframe} frames ({pace}) a keyframe"

    def _disk(self) -> str:
        if self.disk is not None:
            needed = f"about {size_text(self.disk)}"
        else:
            needed = f"about {size_text(self.disk_per_hour)} an hour of film"
        return needed if self.free is None else f"{needed}; {size_text(self.free)} free"


def _existing(folder: Path) -> Path:
    """The nearest folder that is there already."""
    whole = folder.absolute()
    return next(each for each in (whole, *whole.parents) if is_folder(each))


def enlarged(settings: RenderSettings) -> str:
    """At what size it is really painted, where that is another one."""
    if settings.upscale == 1:
        return ""
    small = dimensions(settings.painted_smaller().keyframe_size)
    return f"; painted at {small}, enlarged {settings.upscale} times"


def _painter(settings: RenderSettings) -> str:
    if settings.painter != "diffusion":
        return clean(settings.painter)
    sampler = settings.scheduler or "the model's own scheduler"
    return f"diffusion, {clean(settings.model)}, {settings.steps} steps, {clean(sampler)}"
