"""Film throughput: exact zoom and encoding together, against the encoder alone, in the same run.

Frames ready in memory go to the encoder; then the same frames are made while they are encoded, as
the engine does it; and once more the way that other programs make them (two pictures resized in
RGB, one pasted into the other, libav's conversion). 1080p, x264 veryfast, two encoder threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.film.camera import Camera
from renderer.film.encode import Encoding, encode_segment
from renderer.film.zoom import CanvasPlanes, Frame, interval_frames
from renderer.settings.render import RenderSettings

SETTINGS = RenderSettings(
    size=(1920, 1080), keyframe_size=(1920, 1080), preset="veryfast", threads=2, zoom_factor=1.5
)
CANVAS = (2880, 1620)
FRAMES = 60
ROUNDS = 3


def canvas_picture() -> NDArray[np.uint8]:
    """Octaves of noise of equal strength: the 1/f amplitude spectrum of natural pictures.

    Field, "Relations between the statistics of natural images and the response properties of
    cortical cells", 1987.
    """
    rng = np.random.default_rng(0)
    total = np.zeros((CANVAS[1], CANVAS[0], 3), np.float32)
    for octave in range(9):
        size = (CANVAS[1] >> octave) + 2, (CANVAS[0] >> octave) + 2
        noise = rng.normal(0, 14, (*size, 3)).astype(np.float32)
        for channel in range(3):
            plane = Image.fromarray(noise[..., channel]).resize(CANVAS, Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(plane)
    return np.clip(total + 128, 0, 255).astype(np.uint8)


def usual_frames(rgb: NDArray[np.uint8], camera: Camera) -> Iterator[Frame]:
    """Resize the outer and the inner keyframe, paste, convert: whole pixels, Pillow, libav."""
    outer = Image.fromarray(rgb)
    width, height = camera.film_size
    inner = outer.crop(tuple(map(round, _edges(camera, 0.0))))
    for number in range(FRAMES):
        t = number / FRAMES
        shown = outer.resize((width, height), Image.Resampling.LANCZOS, box=_edges(camera, t))
        scale = camera.zoom_factor**-t
        small = inner.resize(
            (round(width * scale), round(height * scale)), Image.Resampling.LANCZOS
        )
        shown.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
        frame = av.VideoFrame.from_image(shown).reformat(format="yuv420p")
        yield np.ascontiguousarray(frame.to_ndarray())


def _edges(camera: Camera, t: float) -> tuple[float, float, float, float]:
    box = camera.view(CANVAS, t)
    return box.left, box.top, box.right, box.bottom


def seconds(frames: Iterable[Frame], encoding: Encoding) -> float:
    began = time.perf_counter()
    encode_segment(frames, encoding, first_frame=0, index=0)
    return time.perf_counter() - began


def main() -> None:
    rgb = canvas_picture()
    canvas, camera = CanvasPlanes.from_rgb(rgb), Camera.of(SETTINGS)
    encoding = Encoding.of(SETTINGS)
    ready = list(interval_frames(canvas, camera, FRAMES))
    rounds = [
        (
            seconds(ready, encoding),
            seconds(interval_frames(canvas, camera, FRAMES), encoding),
            seconds(usual_frames(rgb, camera), encoding),
        )
        for _ in range(ROUNDS)
    ]
    alone, ours, usual = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"film, 1080p, x264 veryfast, {SETTINGS.threads} threads, median of {ROUNDS} rounds")
    for name, took in (("encoder alone", alone), ("our film", ours), ("the usual way", usual)):
        print(
            f"  {name:<14} {FRAMES / took:6.1f} frames/s   {alone / took:5.2f} of the encoder alone"
        )


if __name__ == "__main__":
    main()
