"""Frames of an interval: their colours, their siting, their order and their threads."""

from __future__ import annotations

import threading
import tracemalloc

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import ProjectError
from renderer.film.camera import Box, Camera
from renderer.film.frame_workers import FrameWorkers
from renderer.film.zoom import CanvasPlanes, closing_frame, interval_frames, zoom_frame
from tests.export.panorama import ycbcr
from tests.numeric.textbook import lanczos_matrix

Pixels = NDArray[np.uint8]
CAMERA = Camera((160, 96), (160, 96), 1.5)


def noise(width: int, height: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def split(frame: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """The Y, U and V planes of a frame."""
    height = frame.shape[0] * 2 // 3
    blue, red = frame[height:].reshape(2, height // 2, frame.shape[1] // 2)
    return frame[:height], blue, red


def zoom_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("renderer-zoom")]


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(0, 0, 200, 130), (200, 130)),
        (Box(10.3, 7.7, 190.1, 121.2), (130, 82)),
        (Box(40.5, 30.25, 140.5, 95.25), (150, 98)),
    ],
)
def test_all_planes_are_within_a_code_of_a_float64_reference(
    box: Box, size: tuple[int, int]
) -> None:
    rgb = noise(200, 130)
    frame = zoom_frame(CanvasPlanes.from_rgb(rgb), box, size)
    assert frame.shape == (size[1] * 3 // 2, size[0])
    assert frame.flags.c_contiguous
    half = (size[0] // 2, size[1] // 2)
    shift = box.width / size[0] / 2
    places = [(0.0, size, 16, 235), (shift, half, 16, 240), (shift, half, 16, 240)]
    for plane, exact, (left, (width, height), low, high) in zip(
        split(frame), np.moveaxis(ycbcr(rgb), -1, 0), places, strict=True
    ):
        across = lanczos_matrix(box.left - left, box.right - left, width, 200)
        down = lanczos_matrix(box.top, box.bottom, height, 130)
        reference = (down @ exact @ across.T).clip(low, high)
        assert np.abs(plane - reference).max() < 0.52


def test_ten_bits_are_the_same_picture_in_steps_of_a_quarter() -> None:
    grey = np.repeat(noise(200, 130)[..., :1], 3, axis=2)
    canvas, box, size = CanvasPlanes.from_rgb(grey), Box(10.3, 7.7, 190.1, 121.2), (130, 82)
    fine, coarse = zoom_frame(canvas, box, size, bits=10), zoom_frame(canvas, box, size)
    assert fine.dtype == np.uint16
    assert (fine.min(), fine.max()) == (16 * 4, 235 * 4)
    assert np.abs((fine / 4).round() - coarse).max() <= 1
    across = lanczos_matrix(box.left, box.right, 130, 200)
    down = lanczos_matrix(box.top, box.bottom, 82, 130)
    exact = (down @ ycbcr(grey)[..., 0] @ across.T).clip(16, 235)
    assert np.abs(fine[:82] / 4 - exact).max() < 0.5 / 4 + 0.02


def test_chroma_lies_on_the_even_columns_and_between_the_rows() -> None:
    rgb = np.zeros((128, 256, 3), np.uint8)
    rgb[..., 0] = np.arange(256)
    rgb[..., 2] = 255 - 2 * np.arange(127, -1, -1)[:, None]
    exact = ycbcr(rgb)[..., 1:]
    sited = (exact[::2, ::2] + exact[1::2, ::2]) / 2
    frame = zoom_frame(CanvasPlanes.from_rgb(rgb), Box(0, 0, 256, 128), (256, 128))
    inside = slice(4, -4), slice(4, -4)  # on a ramp any filter is exact, but for the edges
    for plane, ideal in zip(split(frame)[1:], np.moveaxis(sited, -1, 0), strict=True):
        assert np.abs(plane - ideal)[inside].max() < 0.52
        assert abs((plane - ideal)[inside].mean()) < 0.02  # half a column would be 0.2


def test_libav_converts_to_the_same_colours() -> None:
    rgb = np.zeros((128, 256, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = 200, np.arange(128)[:, None] * 2
    rgb[..., 2] = 255 - np.arange(128)[:, None]  # constant across: libav centres its chroma there
    theirs = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p",
        src_colorspace="ITU709",
        dst_colorspace="ITU709",
        src_color_range="JPEG",
        dst_color_range="MPEG",
        interpolation="BICUBIC",
    )
    ours = zoom_frame(CanvasPlanes.from_rgb(rgb), Box(0, 0, 256, 128), (256, 128))
    for a, b in zip(split(ours), split(theirs.to_ndarray().astype(np.uint8)), strict=True):
        assert np.abs(a.astype(int) - b)[4:-4].max() <= 1


def test_a_frame_goes_into_libav_as_it_is() -> None:
    frame = zoom_frame(CanvasPlanes.from_rgb(noise(160, 98)), Box(0, 0, 160, 98), (160, 98))
    assert np.array_equal(av.VideoFrame.from_ndarray(frame, "yuv420p").to_ndarray(), frame)


def test_the_frames_of_an_interval_are_its_views_in_order() -> None:
    canvas = CanvasPlanes.from_rgb(noise(240, 144))
    frames = list(interval_frames(canvas, CAMERA, 5))
    views = [CAMERA.view(canvas.size, i / 5) for i in range(5)]
    expected = [zoom_frame(canvas, box, (160, 96)) for box in views]
    assert [f.tobytes() for f in frames] == [f.tobytes() for f in expected]
    end = zoom_frame(canvas, CAMERA.view(canvas.size, 1), (160, 96))
    assert closing_frame(canvas, CAMERA).tobytes() == end.tobytes()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_frames_are_the_same_whatever_the_number_of_workers(workers: int) -> None:
    canvas = CanvasPlanes.from_rgb(noise(240, 144))
    alone = [f.tobytes() for f in interval_frames(canvas, CAMERA, 24)]
    with FrameWorkers(workers) as shared:
        threaded = interval_frames(canvas, CAMERA, 24, workers=shared)
        assert [f.tobytes() for f in threaded] == alone
    assert not zoom_threads()


def test_an_interval_can_be_left_and_its_workers_go_on_with_others() -> None:
    canvas = CanvasPlanes.from_rgb(noise(240, 144))
    with FrameWorkers(3) as workers:
        frames = interval_frames(canvas, CAMERA, 1_000_000, workers=workers)
        next(frames)
        frames.close()
        assert len(list(interval_frames(canvas, CAMERA, 7, workers=workers))) == 7
        assert zoom_threads()
    assert not zoom_threads()


def test_memory_does_not_grow_with_the_interval() -> None:
    canvas = CanvasPlanes.from_rgb(noise(240, 144))

    def peak(frames: int) -> int:
        tracemalloc.start()
        with FrameWorkers(2) as workers:
            for _ in interval_frames(canvas, CAMERA, frames, workers=workers):
                pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(400) < 2 * peak(20)  # threads overlap by chance; all its frames would be 20 times


def test_a_canvas_of_another_film_is_refused() -> None:
    canvas = CanvasPlanes.from_rgb(noise(200, 120))
    with pytest.raises(ProjectError, match="too small"), FrameWorkers(2) as workers:
        list(interval_frames(canvas, CAMERA, 8, workers=workers))
    assert not zoom_threads()


@pytest.mark.parametrize("size", [(161, 96), (160, 95), (0, 96)])
def test_a_frame_with_an_odd_side_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="even sides"):
        zoom_frame(CanvasPlanes.from_rgb(noise(160, 96)), Box(0, 0, 160, 96), size)


@pytest.mark.parametrize("box", [Box(-9, 0, 100, 96), Box(0, 0, 170, 96), Box(5, 9, 5, 20)])
def test_a_box_outside_the_canvas_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="does not lie in a canvas of 160x96"):
        zoom_frame(CanvasPlanes.from_rgb(noise(160, 96)), box, (160, 96))
