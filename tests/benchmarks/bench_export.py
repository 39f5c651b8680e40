"""Export against the encoder alone, and against other ways to make the same zoom, in the same run.

First 1080p re-encoded with x264 veryfast: a project's export, chunks side by side, against one
encoder with as many threads as there are cores, and against encoders side by side as in the export,
both fed with frames that lie ready. Then the same short zoom of a known world by ffmpeg's zoompan
(one large picture, whole pixels), by two pictures a frame in Pillow, and by the export: frames a
second without an encoder, and how near they come to the world's true view.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.export.process_pool import in_order
from renderer.film.encode import Encoding, encode_segment
from renderer.film.zoom import Frame
from renderer.machine import cores
from tests.benchmarks.bench_film import SETTINGS, canvas_picture
from tests.planning.chains import chain, luma_of, psnr
from tests.worlds import PictureWorld, natural

ROUNDS = 3
FRAMES = 60
INTERVALS = 4
SIZE = 320, 320
RHO, SHORT = 2.0, 40


def median(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def encode(encoding: Encoding, path: Path, _: int) -> int:
    """One chunk of frames that lie ready; in a process of its own they are read from a file."""
    frames: NDArray[np.uint8] = np.load(path)
    return encode_segment(frames, encoding, first_frame=0, index=0).frames


def speed(folder: Path) -> None:
    rgb = canvas_picture()
    world = PictureWorld(Image.fromarray(rgb).resize((7200, 4050)))
    project = folder / "hd.zoom"
    changes = {"keyframe_size": (1920, 1080), "size": (1920, 1080), "zoom_factor": 1.5}
    changes |= {"keyframes": INTERVALS + 1, "frames_per_keyframe": FRAMES, "preset": "veryfast"}
    endless = _Same(world)
    chain(project, endless, **changes)
    out = folder / "hd.mp4"
    asked = ExportOptions(preset="veryfast", force=True)
    plan = plan_export(project, str(out), asked)
    ready: list[Frame] = list(plan.take.frames(0, FRAMES))
    np.save(folder / "ready.npy", np.stack(ready))
    total = plan.frames

    def threaded() -> None:
        encoding = Encoding.of(replace(SETTINGS, threads=cores()))
        for index in range(INTERVALS):
            encode_segment(ready, encoding, first_frame=0, index=index)

    def beside() -> None:
        assert plan.encoding is not None
        work = partial(encode, plan.encoding, folder / "ready.npy")
        assert sum(in_order(work, range(INTERVALS), cores())) == INTERVALS * FRAMES

    alone, side_by_side = median(threaded), median(beside)
    ours = median(lambda: export(plan, lambda done, all_: None))
    print(f"export, 1080p, x264 veryfast, {cores()} cores, {total} frames, median of {ROUNDS}")
    for name, took in (
        (f"encoder alone, {cores()} threads", alone),
        ("encoders side by side, no zoom", side_by_side),
        ("our export, start to file", ours),
    ):
        print(f"  {name:<32} {total / took:6.1f} frames/s   {alone / took:5.2f} of the first")


class _Same(PictureWorld):
    """A picture seen alike at every zoom: endless for a benchmark of speed."""

    def __init__(self, world: PictureWorld) -> None:
        object.__setattr__(self, "picture", world.picture)

    def view(self, pixel: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        return np.asarray(self.picture.resize(size, Image.Resampling.BILINEAR))


def others(folder: Path) -> None:
    world = natural(2800)
    project = folder / "small.zoom"
    options = {"keyframe_size": SIZE, "size": SIZE, "zoom_factor": RHO, "keyframes": 4}
    chain(project, world, frames_per_keyframe=SHORT, **options)
    plan = plan_export(project, str(folder / "s.mkv"), ExportOptions(preset="ultrafast"))
    depths = [number / SHORT for number in range(3 * SHORT + 1)]
    truths = [luma_of(world.view(RHO**depth, SIZE)) for depth in depths]
    print(f"the same zoom of a known world, {SIZE[0]}x{SIZE[1]}, rho {RHO:g}, one core")
    _tell("our export", lambda: (frame[: SIZE[1]] for frame in plan.take.frames()), truths)
    _tell("two pictures, Pillow", lambda: _two_pictures(world, depths), truths)
    if shutil.which("ffmpeg"):
        for name, sharper in (("ffmpeg zoompan", 1), ("ffmpeg zoompan, 4x first", 4)):
            _tell(name, partial(_zoompan, folder, world, sharper, len(depths)), truths)


def _tell(
    name: str, make: Callable[[], Iterator[object]], truths: list[NDArray[np.float64]]
) -> None:
    began = time.perf_counter()
    shown = [np.asarray(luma) for luma in make()]
    rate = len(shown) / (time.perf_counter() - began)
    exact = [psnr(luma, truth) for luma, truth in zip(shown, truths, strict=True)]
    print(
        f"  {name:<26} {rate:6.1f} frames/s   PSNR mean {np.mean(exact):5.1f} dB, "
        f"5th percentile {np.percentile(exact, 5):5.1f} dB"
    )


def _two_pictures(world: PictureWorld, depths: list[float]) -> Iterator[object]:
    """The outer keyframe enlarged, the inner one shrunk and pasted in: whole pixels."""
    lanczos = Image.Resampling.LANCZOS
    keyframes = [Image.fromarray(world.view(RHO**number, SIZE)) for number in range(4)]
    for depth in depths:
        number = min(int(depth), 2)
        scale = RHO ** (depth - number)
        shown_of_outer = RHO / scale
        wide = round(SIZE[0] * shown_of_outer)
        outer = keyframes[number + 1].resize((wide, wide), lanczos)
        at = (wide - SIZE[0]) // 2
        frame = outer.crop((at, at, at + SIZE[0], at + SIZE[1]))
        small = round(SIZE[0] / scale)
        inner = keyframes[number].resize((small, small), lanczos)
        frame.paste(inner, ((SIZE[0] - small) // 2,) * 2)
        yield luma_of(np.asarray(frame))


def _zoompan(folder: Path, world: PictureWorld, sharper: int, frames: int) -> Iterator[object]:
    """ffmpeg's own zoom filter, given the whole world as one picture (which no project has)."""
    side = round(SIZE[0] * RHO**3)
    at = (world.picture.width - side) // 2
    whole = world.picture.crop((at, at, at + side, at + side))
    whole.save(folder / "whole.png")
    zoom = f"pow({RHO},(1-on/{frames - 1})*3)"
    width = SIZE[0] * sharper
    chainlink = (
        f"zoompan=z='{zoom}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d={frames}:"
        f"s={width}x{width}:fps=30,scale={SIZE[0]}:{SIZE[1]}:flags=lanczos,format=rgb24"
    )
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(folder / "whole.png")]
    command += ["-vf", chainlink, "-frames:v", str(frames), "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    for picture in np.frombuffer(done.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3):
        yield luma_of(picture)


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        speed(Path(folder))
        others(Path(folder))


if __name__ == "__main__":
    main()
