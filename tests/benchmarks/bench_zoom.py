"""Time to make one film frame on one core: ours, Pillow on the same planes, and the usual way.

The usual way of other programs: resize the outer keyframe's view and the inner keyframe in RGB,
paste the one into the other, and let libav convert the result to yuv420p.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: the others get one core as well

import time
from collections.abc import Callable

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.film.camera import Box, Camera
from renderer.film.zoom import CanvasPlanes, zoom_frame

FILM, CANVAS = (1920, 1080), (2880, 1620)
TIMES = [i / 8 for i in range(8)]
ROUNDS = 7
LANCZOS = Image.Resampling.LANCZOS


def median_ms(work: Callable[[Box], object], boxes: list[Box]) -> float:
    """Median over the rounds of the mean over the boxes, after one round to warm up."""
    rounds = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for box in boxes:
            work(box)
        rounds.append((time.perf_counter() - start) / len(boxes) * 1e3)
    return float(np.median(rounds[1:]))


def canvas_picture() -> NDArray[np.uint8]:
    """Noise of several scales: the time hardly depends on what is in the picture."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (CANVAS[1] // 6, CANVAS[0] // 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize(CANVAS, Image.Resampling.BICUBIC))


def pillow_on_planes(rgb: NDArray[np.uint8]) -> Callable[[Box], object]:
    """The same three resizes in Pillow, with 8-bit planes."""
    planes = Image.fromarray(rgb).convert("YCbCr").split()
    half = FILM[0] // 2, FILM[1] // 2

    def frame(box: Box) -> object:
        edges = box.left, box.top, box.right, box.bottom
        return [
            plane.resize(size, LANCZOS, box=edges)
            for plane, size in zip(planes, (FILM, half, half), strict=True)
        ]

    return frame


def usual_way(rgb: NDArray[np.uint8]) -> Callable[[Box], object]:
    outer = Image.fromarray(rgb)
    left, top = (CANVAS[0] - FILM[0]) // 2, (CANVAS[1] - FILM[1]) // 2
    inner = outer.crop((left, top, left + FILM[0], top + FILM[1]))

    def frame(box: Box) -> object:
        view = outer.resize(FILM, LANCZOS, box=(box.left, box.top, box.right, box.bottom))
        size = round(FILM[0] ** 2 / box.width), round(FILM[1] ** 2 / box.height)
        place = (FILM[0] - size[0]) // 2, (FILM[1] - size[1]) // 2
        view.paste(inner.resize(size, LANCZOS), place)
        rgb_frame = av.VideoFrame.from_ndarray(np.asarray(view), format="rgb24")
        return rgb_frame.reformat(
            format="yuv420p", dst_colorspace="ITU709", interpolation="BICUBIC", threads=1
        )

    return frame


def main() -> None:
    rgb = canvas_picture()
    canvas = CanvasPlanes.from_rgb(rgb)
    camera = Camera(FILM, FILM, CANVAS[0] / FILM[0])
    boxes = [camera.view(CANVAS, t) for t in TIMES]
    rows = [
        ("zoom_frame", median_ms(lambda box: zoom_frame(canvas, box, FILM), boxes)),
        ("Pillow Lanczos on Y'CbCr planes", median_ms(pillow_on_planes(rgb), boxes)),
        ("Pillow RGB, two pictures, paste, libav", median_ms(usual_way(rgb), boxes)),
    ]
    print(
        f"zoom: one {FILM[0]}x{FILM[1]} yuv420p frame of a {CANVAS[0]}x{CANVAS[1]} canvas, 1 core"
    )
    print(f"  {'':40}{'ms':>8}{'ratio':>8}")
    for name, ms in rows:
        print(f"  {name:40}{ms:8.1f}{ms / rows[0][1]:8.1f}")
    convert = median_ms(lambda _: CanvasPlanes.from_rgb(rgb), boxes[:1])
    print(f"  {'CanvasPlanes.from_rgb, once a keyframe':40}{convert:8.1f}")


if __name__ == "__main__":
    main()
