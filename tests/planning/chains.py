"""Projects whose keyframes are true views of a known world, made without painting."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import picture_of
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.settings.render import RenderSettings
from tests.engine.runs import small
from tests.worlds import World, true_canvas

MADE = {"seed": 0, "seconds": 0.0, "seam": 1.0, "drift": 0.0}
LOSSLESS = {"qp": "0"}
Luma = NDArray[np.float64]


def chain(folder: Path, world: World, **changes: Any) -> RenderSettings:
    """A project at ``folder`` with all its keyframes, and no film yet."""
    sizes: dict[str, Any] = {"keyframe_size": (320, 184), "size": (320, 180)}
    settings = small(**{**sizes, "frames_per_keyframe": 12, "prompt": "a reef", **changes})
    geometry = Geometry.of(settings)
    picture = true_canvas(world, geometry, 0)
    create_project(folder, settings, picture=picture)
    with Project.open(folder) as project:
        for keyframe in range(1, settings.keyframes or 0):
            canvas = true_canvas(world, geometry, keyframe).copy()
            canvas[geometry.known.rows, geometry.known.columns] = picture
            project.add_keyframe(keyframe, canvas, MADE)
            picture = picture_of(canvas, settings)
    return settings


def lumas(path: Path) -> list[NDArray[np.uint8]]:
    """The decoded luma plane of every frame."""
    with av.open(str(path)) as film:
        return [plane_of(frame) for frame in film.decode(video=0)]


def plane_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width].copy()


def times(path: Path) -> list[Fraction]:
    """When each frame is shown, seconds."""
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    return [Fraction(frame.pts or 0) * Fraction(frame.time_base) for frame in frames]


def luma_of(rgb: NDArray[np.uint8]) -> Luma:
    """BT.709 in limited range, unrounded."""
    weights = np.array([0.2126, 0.7152, 0.0722]) * 219 / 255
    return np.asarray(16 + rgb.astype(np.float64) @ weights)


def psnr(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Of luma in limited range."""
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return float(10 * np.log10(219**2 / max(float(error), 1e-9)))
