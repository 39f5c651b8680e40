"""Films encoded without loss and decoded again, and pictures compared with their frames."""

from __future__ import annotations

import io
from collections.abc import Iterable

import av
import numpy as np
from numpy.typing import NDArray

from renderer.film.encode import Encoding, encode_segment
from renderer.film.zoom import Frame
from renderer.settings.painting import Method
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

Luma = NDArray[np.float64]
PEAK = 219
"""White minus black in limited range."""


def without_loss(
    size: Size, factor: float, method: Method, keyframes: int, frames: int = 8
) -> RenderSettings:
    """Of a film whose frames are compared; ``frames`` of an interval are few, since all are."""
    return RenderSettings(
        keyframe_size=size,
        size=size,
        zoom_factor=factor,
        method=method,
        keyframes=keyframes,
        frames_per_keyframe=frames,
        size_multiple=4,
        steps=1,
        seed=11,
        encoder_options={"qp": "0"},
    )


def decoded(segments: Iterable[list[Frame]], settings: RenderSettings) -> list[Luma]:
    """The luma of every frame of the film that these segments make, in limited range."""
    encoding = Encoding.of(settings)
    film, first = b"", 0
    for index, frames in enumerate(segments):
        segment = encode_segment(frames, encoding, first_frame=first, index=index)
        film += segment.media if film else segment.init + segment.media
        first += segment.frames
    with av.open(io.BytesIO(film)) as container:
        width, height = settings.size
        return [
            frame.to_ndarray()[:height, :width].astype(np.float64)
            for frame in container.decode(video=0)
        ]


def luma_of(rgb: NDArray[np.uint8]) -> Luma:
    """BT.709 luma in limited range, 16 … 235, not rounded."""
    return 16 + PEAK / 255 * (rgb @ np.array([0.2126, 0.7152, 0.0722]))


def psnr(a: Luma, b: Luma) -> float:
    return 10 * float(np.log10(PEAK**2 / max(np.mean((a - b) ** 2), 1e-6)))
