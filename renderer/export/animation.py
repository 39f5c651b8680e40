"""Animated pictures: GIF, WebP and APNG, frame by frame, repeating without end.

A GIF's 256 colours are chosen once for the whole film, from frames all along it: colours that
changed would flicker. Knows no keyframes; frames come as RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from renderer.errors import EncoderError
from renderer.export.frames import Pixels
from renderer.settings.plain_values import Size

_ENCODERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "gif": ("gif", "pal8", {}),
    "apng": ("apng", "rgb24", {"pred": "mixed"}),
    "webp": ("libwebp_anim", "bgra", {"quality": "90", "compression_level": "4"}),
}
"""Muxer → (encoder, what it takes, options)."""
_FOR_EVER = {"gif": {"loop": "0"}, "webp": {"loop": "0"}, "apng": {"plays": "0"}}
_DITHER = "dither=bayer:bayer_scale=3"
"""A pattern that stands still, where error diffusion would crawl."""


def write_animation(
    out: Path,
    muxer: str,
    frames: Iterable[Pixels],
    samples: Iterable[Pixels],
    *,
    size: Size,
    fps: Fraction,
    on_frame: Callable[[int], None],
) -> None:
    """Write ``frames``, (H, W, 3) sRGB of ``size``, at constant ``fps``.

    ``samples`` are a few of them, which a GIF's colours are chosen from; ``on_frame`` is told how
    many frames are done. Raises EncoderError, OSError, and whatever the frames raise.
    """
    encoder, pixel_format, options = _ENCODERS[muxer]
    try:
        pictures = _numbered(frames, fps)
        if muxer == "gif":
            pictures = _paletted(pictures, _palette(samples, size, fps), size, fps)
        with av.open(f"file:{out}", "w", format=muxer, options=_FOR_EVER[muxer]) as container:
            stream = container.add_stream(encoder, rate=fps, options=options)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = pixel_format
            stream.codec_context.time_base = 1 / fps
            for done, picture in enumerate(pictures, 1):
                container.mux(stream.encode(picture))  # RGB in the order that it takes
                on_frame(done)
            container.mux(stream.encode(None))
    except OSError:
        raise
    except av.FFmpegError as error:
        raise EncoderError(f"{encoder} failed: {error}") from error


def _numbered(frames: Iterable[Pixels], fps: Fraction) -> Iterator[av.VideoFrame]:
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, 1 / fps
        yield frame


def _palette(samples: Iterable[Pixels], size: Size, fps: Fraction) -> av.VideoFrame:
    """256 colours for all of the film, as libav's 16x16 picture of them."""
    graph = Graph()
    source = _source(graph, size, "rgb24", fps)
    chooser, sink = graph.add("palettegen", "stats_mode=full"), graph.add("buffersink")
    graph.link_nodes(source, chooser, sink).configure()
    for sample in _numbered(samples, fps):
        source.push(sample)
    source.push(None)
    palette = sink.pull()
    assert isinstance(palette, av.VideoFrame)
    palette.pts, palette.time_base = 0, 1 / fps
    return palette


def _paletted(
    pictures: Iterable[av.VideoFrame], palette: av.VideoFrame, size: Size, fps: Fraction
) -> Iterator[av.VideoFrame]:
    graph = Graph()
    source = _source(graph, size, "rgb24", fps)
    colours = _source(graph, (palette.width, palette.height), palette.format.name, fps)
    mapper, sink = graph.add("paletteuse", _DITHER), graph.add("buffersink")
    colours.link_to(mapper, 0, 1)
    graph.link_nodes(source, mapper, sink).configure()
    colours.push(palette)
    colours.push(None)
    for picture in pictures:
        source.push(picture)
        yield from _pulled(sink)
    source.push(None)
    yield from _pulled(sink)


def _source(graph: Graph, size: Size, pixel_format: str, fps: Fraction) -> Any:
    return graph.add_buffer(
        width=size[0], height=size[1], format=VideoFormat(pixel_format), time_base=1 / fps
    )


def _pulled(sink: Any) -> Iterator[av.VideoFrame]:
    """Whatever is ready."""
    while True:
        try:
            yield sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
