"""Films of 10 bits: what is gained in dark skies, and that all the rest is as with 8."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import SettingsError
from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.film.camera import Box
from renderer.film.encode import Encoding, encode_segment, probe
from renderer.film.frame_workers import Frame, empty_frame
from renderer.film.zoom import CanvasPlanes, zoom_frame
from renderer.project.records import FILM
from renderer.settings.render import RenderSettings
from tests.engine.runs import digest, project, render, steer, stop_at

SIZE = (320, 192)


def settings(**more: object) -> RenderSettings:
    return RenderSettings(size=SIZE, preset="ultrafast", bit_depth=10).changed(more)


def noisy(seed: int = 0) -> Frame:
    frame = empty_frame(SIZE, 10)
    frame[:] = np.random.default_rng(seed).integers(64, 940, frame.shape)
    return frame


def decoded(frames: list[Frame], encoding: Encoding) -> list[av.VideoFrame]:
    segment = encode_segment(frames, encoding, first_frame=0, index=0)
    with av.open(io.BytesIO(segment.init + segment.media)) as container:
        return list(container.decode(video=0))


def planes(frame: av.VideoFrame) -> NDArray[np.uint16]:
    """(height * 3 // 2, width): as a frame is."""
    assert frame.format.name == "yuv420p10le"
    parts = []
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), np.uint16).reshape(plane.height, -1)
        parts.append(rows[:, : plane.width].reshape(-1, SIZE[0]))
    return np.concatenate(parts)


def test_every_bit_of_a_frame_is_in_a_lossless_film() -> None:
    frames = [noisy(n) for n in range(4)]
    film = decoded(frames, Encoding.of(settings(encoder_options={"qp": "0"})))
    assert len(film) == 4
    for ours, theirs in zip(frames, film, strict=True):
        assert np.array_equal(planes(theirs), ours)


@pytest.mark.parametrize(("codec", "preset"), [("hevc", "ultrafast"), ("av1", "12")])
def test_other_encoders_have_ten_bits_too(codec: str, preset: str) -> None:
    encoding = Encoding.of(settings(codec=codec, preset=preset, crf=1))
    probe(encoding)
    smooth = empty_frame(SIZE, 10)
    smooth[:] = np.linspace(64, 300, SIZE[0])
    (film,) = decoded([smooth], encoding)
    assert np.abs(planes(film).astype(int) - smooth)[: SIZE[1]].mean() < 2


def test_encoders_in_hardware_get_the_upper_bits_and_chroma_in_turns() -> None:
    from renderer.film.encode import _video_frame

    encoding = Encoding.of(settings(codec="hevc_nvenc", preset=""))
    assert encoding.pixel_format == "p010le"
    frame = noisy()
    theirs = _video_frame(frame, encoding).reformat(format="yuv420p10le")
    assert np.array_equal(planes(theirs), frame)


@pytest.mark.parametrize("codec", ["vp9", "h264_nvenc"])
def test_an_encoder_without_them_says_so(codec: str) -> None:
    with pytest.raises(SettingsError, match="has 8 bits only; for 10 take h264, hevc or av1"):
        Encoding.of(settings(codec=codec, preset=""))


def dark_sky(width: int, height: int) -> NDArray[np.float64]:
    """(height, width): a glow of some levels of sRGB, as a night sky has it."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    return 6 + 8 * np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.3) ** 2))


def low_passed(error: NDArray[np.float64], side: int = 9) -> NDArray[np.float64]:
    """What an eye sees of it, about: means over squares."""
    height, width = (length // side * side for length in error.shape)
    squares = error[:height, :width].reshape(height // side, side, width // side, side)
    return squares.mean(axis=(1, 3))


def test_a_dark_sky_has_no_bands_in_ten_bits() -> None:
    """The canvas is as a painter gives it, in whole levels, with grain of half a level."""
    width, height = 640, 384
    sky = dark_sky(width, height)
    grain = np.random.default_rng(5).uniform(-0.5, 0.5, sky.shape)
    grey = np.repeat(np.rint(sky + grain).astype(np.uint8)[:, :, None], 3, axis=2)
    canvas = CanvasPlanes.from_rgb(grey)
    truth = 16 + 219 / 255 * sky.reshape(192, 2, 320, 2).mean(axis=(1, 3))

    def error(bits: int) -> float:
        """Root mean square, in levels of 8 bits."""
        frame = zoom_frame(canvas, Box(0, 0, width, height), SIZE, bits)
        luma = frame[: SIZE[1]] / float(1 << (bits - 8))
        return float(np.sqrt(np.mean(low_passed(luma - truth) ** 2)))

    assert error(10) < 0.05
    assert error(8) > 2 * error(10)


def test_eight_bits_are_the_ten_rounded() -> None:
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (300, 500, 3), dtype=np.uint8)
    canvas, box = CanvasPlanes.from_rgb(rgb), Box(3.3, 2.2, 470.1, 280.7)
    deep = zoom_frame(canvas, box, SIZE, 10) / 4.0
    assert np.abs(zoom_frame(canvas, box, SIZE) - deep).max() <= 0.625


def test_a_film_of_ten_bits_is_stopped_resumed_and_exported(tmp_path: Path) -> None:
    whole = project(tmp_path / "whole.zoom", bit_depth=10, keyframes=9)
    render(whole)
    folder = project(tmp_path / "a.zoom", bit_depth=10, keyframes=9, workers=1)
    stop_at(folder, lambda event: getattr(event, "segment", 0) == 1)
    steer(folder, workers=3)
    render(folder)
    assert digest(folder) == digest(whole)
    copied = plan_export(folder, str(tmp_path / "copy.mp4"), ExportOptions())
    assert copied.copies
    for name, options, expected in (
        ("made.mp4", ExportOptions(crf=10), "yuv420p10le"),
        ("eight.mp4", ExportOptions(bit_depth=8), "yuv420p"),
        ("a.webm", ExportOptions(codec="vp9"), "yuv420p"),
        ("eased.mkv", ExportOptions(easing="ease-in-out"), "yuv420p10le"),
    ):
        export(plan_export(folder, str(tmp_path / name), options), lambda done, total: None)
        with av.open(str(tmp_path / name)) as film:
            assert film.streams.video[0].codec_context.pix_fmt == expected
            assert len(list(film.decode(video=0))) == 41
    with av.open(str(folder / FILM)) as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv420p10le"


def test_an_export_to_an_encoder_without_them_refuses_ten(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=2)
    render(folder)
    with pytest.raises(SettingsError, match="has 8 bits only"):
        plan_export(folder, str(tmp_path / "a.webm"), ExportOptions(codec="vp9", bit_depth=10))
