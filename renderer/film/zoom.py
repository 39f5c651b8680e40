"""The frames of one interval: exact views of one canvas, as the encoder takes them.

A frame is one resample of one keyframe's canvas by a real-numbered box: nothing is pasted into it
and nothing is rounded to pixels, so there is no seam and no step. Knows nothing of where canvases
come from or what becomes of frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from renderer.film.camera import OUT, Box, Camera, Way
from renderer.numeric.resample import lanczos_taps, resample
from renderer.numeric.yuv import CanvasPlanes
from renderer.settings.plain_values import Size

__all__ = ["CanvasPlanes", "closing_frame", "interval_frames", "zoom_frame"]

Frame = NDArray[np.uint8]
"""(height * 3 // 2, width): a yuv420p buffer, C-contiguous. The Y plane, then U, then V."""

_LUMA_RANGE = 16, 235
_CHROMA_RANGE = 16, 240
"""Where a filter overshoots, what lies outside is no colour of the RGB cube: players clip it."""

_AHEAD = 1
"""Finished frames that may wait to be taken, for each worker."""


def zoom_frame(canvas: CanvasPlanes, box: Box, size: Size) -> Frame:
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
    frame = np.empty((height * 3 // 2, width), np.uint8)
    luma = frame[:height]
    blue, red = frame[height:].reshape(2, height // 2, width // 2)

    across = lanczos_taps(box.left, box.right, width, samples_across)
    down = lanczos_taps(box.top, box.bottom, height, samples_down)
    resample(canvas.luma, across, down, *_LUMA_RANGE, luma)

    shift = box.width / width / 2  # half a film pixel to the left: from between columns onto one
    across = lanczos_taps(box.left - shift, box.right - shift, width // 2, samples_across)
    down = lanczos_taps(box.top, box.bottom, height // 2, samples_down)
    resample(canvas.blue, across, down, *_CHROMA_RANGE, blue)
    resample(canvas.red, across, down, *_CHROMA_RANGE, red)
    return frame


def interval_frames(
    canvas: CanvasPlanes,
    camera: Camera,
    frames: int,
    workers: int = 1,
    *,
    way: Way = OUT,
) -> Generator[Frame, None, None]:
    """The frames t = 0, 1/frames, … of the interval of ``canvas``, in order.

    With ``workers`` threads they are computed a few ahead of the caller, at most two for
    each worker; with none, when asked for. Closing the generator stops and joins the threads.
    """
    views = (camera.view(canvas.size, i / frames, way) for i in range(frames))
    tasks = (partial(zoom_frame, canvas, box, camera.film_size) for box in views)
    if workers < 1:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="renderer-zoom") as pool:
        pending: deque[Future[Frame]] = deque()
        try:
            for task in tasks:
                pending.append(pool.submit(task))
                if len(pending) > workers * (1 + _AHEAD):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def closing_frame(canvas: CanvasPlanes, camera: Camera, way: Way = OUT) -> Frame:
    """The frame t = 1: the last one of a film that ends with this canvas."""
    return zoom_frame(canvas, camera.view(canvas.size, 1.0, way), camera.film_size)


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
