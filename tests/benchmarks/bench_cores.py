"""What a film costs by size, encoder and cores: the engine's whole film side, from ready canvases.

Each row renders a project of its own on as many cores as it says: keyframes compressed and made
durable, frames, encoding, committing. Beside it the encoder alone, as many at a time, on frames
that lie ready. ``core ms`` is the processor time a frame; what n cores make is about n times 1000
divided by it, as long as the painter is fast enough: with --pace keyframes come that many seconds
apart instead of at once.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from renderer.engine.channel import Channel
from renderer.engine.consumer import Consumer
from renderer.engine.controls import Controls
from renderer.engine.producer import Keyframe
from renderer.engine.session import CAPACITY
from renderer.film.camera import Camera
from renderer.film.encode import Encoding, encode_segment
from renderer.film.zoom import CanvasPlanes, interval_frames
from renderer.images import Picture
from renderer.painting.geometry import Geometry
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.settings.plain_values import Size, dimensions
from renderer.settings.render import RenderSettings
from tests.worlds import natural

SIZES = [(1280, 720), (1920, 1080), (3840, 2160)]
ENCODERS = [("h264", "veryfast"), ("h264", "medium"), ("av1", "8")]
FRAMES = 30
INTERVALS = 6
MADE = {"seed": 1, "prompt": "", "seconds": 1.0, "seam": 1.0, "drift": 0.0}


def settings_of(size: Size, codec: str, preset: str, workers: int | None) -> RenderSettings:
    return RenderSettings(
        painter="texture",
        size=size,
        keyframe_size=size,
        zoom_factor=1.5,
        codec=codec,
        preset=preset,
        threads=min(8, len(os.sched_getaffinity(0))),
        frames_per_keyframe=FRAMES,
        keyframes=INTERVALS + 1,
        workers=workers,
    )


def pictures(settings: RenderSettings) -> tuple[Picture, Picture]:
    """A first picture and a canvas of the film's sizes, as busy as photographs are."""
    geometry = Geometry.of(settings)
    world = natural(4096)
    return tuple(
        world.view(4096 / max(size), size)  # the whole of it
        for size in (geometry.keyframe_size, geometry.canvas_size)
    )  # type: ignore[return-value]


def film(settings: RenderSettings, pace: float) -> tuple[float, float]:
    """(seconds, seconds of processor time) that the film side takes, from first to last."""
    first, canvas = pictures(settings)
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "a.zoom"
        create_project(folder, settings)
        with Project.open(folder) as project:
            channel: Channel[Keyframe] = Channel(CAPACITY)
            consumer = Consumer(project, channel, Controls(), lambda event: None)
            thread = threading.Thread(target=consumer.run)
            thread.start()
            began, used = time.perf_counter(), time.process_time()
            channel.put(Keyframe(0, first, MADE))
            for index in range(1, INTERVALS + 1):
                due = began + pace * index
                time.sleep(max(0.0, due - time.perf_counter()))
                channel.put(Keyframe(index, canvas, MADE))
            channel.finish()
            thread.join()
            return time.perf_counter() - began, time.process_time() - used


def encoder_alone(settings: RenderSettings, workers: int) -> float:
    """Seconds for the same intervals out of frames that lie ready, ``workers`` at a time."""
    encoding, camera = Encoding.of(settings), Camera.of(settings)
    canvas = CanvasPlanes.from_rgb(pictures(settings)[1])
    ready = list(interval_frames(canvas, camera, FRAMES))

    def encode(index: int) -> None:
        encode_segment(ready, encoding, first_frame=index * FRAMES, index=index)

    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(encode, range(INTERVALS)))
    return time.perf_counter() - began


def counts(cores: list[int]) -> Iterator[int]:
    """1, 2, 4, … and all of them."""
    count = 1
    while count < len(cores):
        yield count
        count *= 2
    yield len(cores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pace", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--size", metavar="WxH", help="Only films of that size.")
    parser.add_argument("--encoder", metavar="NAME", help="Only this one, such as 'h264 veryfast'.")
    asked = parser.parse_args()
    pace = asked.pace
    cores = sorted(os.sched_getaffinity(0))
    frames = FRAMES * INTERVALS
    print(f"film side, {INTERVALS} intervals of {FRAMES} frames, a keyframe every {pace:g} s")
    print("size        encoder         cores  frames/s  of the encoder alone  core ms a frame")
    for size in SIZES:
        for codec, preset in ENCODERS:
            named = dimensions(size), f"{codec} {preset}"
            if asked.size not in (None, named[0]) or asked.encoder not in (None, named[1]):
                continue
            for count in counts(cores):
                os.sched_setaffinity(0, cores[:count])
                settings = settings_of(size, codec, preset, count)
                film(settings, 0.0)  # caches and kernels are warm
                took, used = film(settings, pace)
                alone = encoder_alone(settings, count)
                print(
                    f"{dimensions(size):10}  {codec + ' ' + preset:14}  {count:5}  "
                    f"{frames / took:8.1f}  {alone / took:20.2f}  {1000 * used / frames:15.1f}",
                    flush=True,
                )
    os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
