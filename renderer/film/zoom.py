"""The frames of one interval: exact views of one canvas, as the encoder takes them.

A frame is one resample of one keyframe's canvas by a real-numbered box: nothing is pasted into it
and nothing is rounded to pixels, so there is no seam and no step. Knows nothing of where canvases
come from or what becomes of frames.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

from renderer.film.camera import OUT, Box, Camera, Way
from renderer.film.frame_workers import Frame, FrameWorkers, empty_frame
from renderer.numeric.resample import lanczos_taps, resample
from renderer.numeric.yuv import CanvasPlanes
from renderer.settings.plain_values import Size

__all__ = ["CanvasPlanes", "Frame", "closing_frame", "interval_frames", "zoom_frame"]

_LUMA_RANGE = 16, 235
_CHROMA_RANGE = 16, 240
"""Where a filter overshoots, what lies outside is no colour of the RGB cube: players clip it."""


def zoom_frame(canvas: CanvasPlanes, box: Box, size: Size, bits: int = 8) -> Frame:
    """The part ``box`` of the canvas as a film frame of ``size`` (width, height), both even.

    BT.709 limited range. Chroma is sited as in MPEG-2 and H.264 by default: across on the even luma
    columns, down between two luma rows (H.264 Annex E, chroma_sample_loc_type 0). It is resampled
    to half size straight from the canvas's full resolution. Raises ValueError for an odd size and
    for a box that does not lie in the canvas.
    """
    width, height = size
    samples_across, samples_down = canvas.size
    _require_even(size)
    _require_inside(box, canvas.size)
    frame = empty_frame(size, bits)
    luma = frame[:height]
    blue, red = frame[height:].reshape(2, height // 2, width // 2)

    across = lanczos_taps(box.left, box.right, width, samples_across)
    down = lanczos_taps(box.top, box.bottom, height, samples_down)
    resample(canvas.luma, across, down, *_LUMA_RANGE, luma, bits)

    shift = box.width / width / 2  # half a film pixel to the left: from between columns onto one
    across = lanczos_taps(box.left - shift, box.right - shift, width // 2, samples_across)
    down = lanczos_taps(box.top, box.bottom, height // 2, samples_down)
    resample(canvas.blue, across, down, *_CHROMA_RANGE, blue, bits)
    resample(canvas.red, across, down, *_CHROMA_RANGE, red, bits)
    return frame


def interval_frames(
    canvas: CanvasPlanes,
    camera: Camera,
    frames: int,
    *,
    way: Way = OUT,
    bits: int = 8,
    workers: FrameWorkers | None = None,
    interval: int = 0,
) -> Generator[Frame, None, None]:
    """The frames t = 0, 1/frames, … of the interval of ``canvas``, in order.

    ``workers`` make them a few ahead of the caller; without any they are made when asked for.
    ``interval`` is its number: of several that share workers the earliest comes first.
    """
    views = (camera.view(canvas.size, i / frames, way) for i in range(frames))
    tasks = (partial(zoom_frame, canvas, box, camera.film_size, bits) for box in views)
    if workers is None:
        yield from (task() for task in tasks)
    else:
        yield from workers.frames(tasks, interval)


def closing_frame(canvas: CanvasPlanes, camera: Camera, way: Way = OUT, *, bits: int = 8) -> Frame:
    """The frame t = 1: the last one of a film that ends with this canvas."""
    return zoom_frame(canvas, camera.view(canvas.size, 1.0, way), camera.film_size, bits)


def _require_even(size: Size) -> None:
    width, height = size
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise ValueError(f"a yuv420p frame has even sides, not {width}x{height}")


def _require_inside(box: Box, canvas_size: Size) -> None:
    width, height = canvas_size
    across = -1 < box.left < box.right < width + 1
    down = -1 < box.top < box.bottom < height + 1
    if not (across and down):
        raise ValueError(f"{box} does not lie in a canvas of {width}x{height}")
