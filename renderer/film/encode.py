"""One interval's frames → one self-contained MP4 fragment, by way of libav. Touches no disk.

Each segment gets an encoder and a muxer of its own, in memory, and frames numbered from the film's
start; the header that comes out is the same every time, so the fragments of any session follow each
other in one file. Knows no store and no zoom.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from itertools import repeat

import av
import av.logging
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext, OptionFlags, OptionType, ThreadType
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.plane import VideoPlane
from av.video.stream import VideoStream

from renderer.errors import EncoderError, SettingsError
from renderer.film.encoder_options import encoder_options
from renderer.film.fragment import EncodedSegment, split
from renderer.film.frame_workers import Frame, empty_frame
from renderer.settings.codecs import CODECS, Codec, resolve
from renderer.settings.option import unknown
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

__all__ = ["EncodedSegment", "Encoding", "encode_segment", "openable_encoders", "probe"]

os.environ["SVT_LOG"] = "1"  # errors only: SVT-AV1 writes a page to stderr at every open otherwise

_MOVFLAGS = "frag_custom+default_base_moof+delay_moov+skip_trailer+frag_discont"
"""One fragment (frag_custom: no other cut), with the header after its frames (delay_moov: the edit
list is then known) and times that count from the film's start (frag_discont)."""

_LIMITED_RANGE, _BT709 = 1, 1

_FEW = 16
"""Frames; more than any encoder reorders."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How all segments of a film are encoded."""

    codec: Codec
    size: Size
    fps: Fraction
    options: tuple[tuple[str, str], ...]
    """The encoder's options, complete."""
    bits: int = 8
    """Of each sample: 8 or 10."""

    @classmethod
    def of(cls, settings: RenderSettings) -> Encoding:
        """What ``settings`` ask for. Raises SettingsError; opens no encoder (``probe`` does)."""
        options = tuple(encoder_options(settings).items())
        codec = resolve(settings.codec)
        return cls(codec, settings.size, settings.fps, options, settings.bit_depth)

    @property
    def pixel_format(self) -> str:
        return self.codec.pixel_format if self.bits == 8 else self.codec.deep_format


def encode_segment(
    frames: Iterable[Frame], encoding: Encoding, *, first_frame: int, index: int
) -> EncodedSegment:
    """Encode ``frames``, at least one, as segment ``index`` of the film.

    Each frame is in BT.709, limited range, and has as many bits as the encoding. Its memory may be
    used again once the next frame is asked for. ``first_frame`` is the number of the first frame in
    the film. What ``frames`` raises passes through. Raises EncoderError.
    """
    buffer = io.BytesIO()
    options = {"movflags": _MOVFLAGS, "fragment_index": str(index + 1)}
    try:
        with av.open(buffer, "w", format="mp4", options=options) as container:
            stream = container.add_stream(encoding.codec.encoder, rate=encoding.fps)
            assert isinstance(stream, VideoStream)
            _configure(stream.codec_context, encoding)
            packets, count = _encode(stream.encode, frames, encoding, first_frame)
            if count < _FEW:
                _settle_dts(packets, first_frame - _reordering(encoding))
            container.mux(packets)
            packets.clear()  # the muxer has its own copy
    except (av.FFmpegError, UnknownCodecError) as error:
        raise EncoderError(
            f"{encoding.codec.encoder} failed at segment {index}: {error}"
        ) from error
    init, media = split(buffer.getvalue())
    return EncodedSegment(init, media, count)


def probe(encoding: Encoding) -> None:
    """Find out whether ``encoding`` works here, by encoding a few frames of the film's size.

    Raises SettingsError for an option that the encoder does not know or a value that it refuses,
    and EncoderError where the encoder itself can't be opened on this machine.
    """
    context = _new_context(encoding)
    _check_options(context, encoding)
    with _libav_log() as log:
        try:
            context.open()
        except av.FFmpegError as error:
            _blame_option(encoding, log)
            why = log[0][2].strip() if log else error
            raise EncoderError(f"{encoding.codec.encoder} can't be opened here: {why}") from None
    _blame_option(encoding, log)
    encode_segment(_grey(encoding, 3), encoding, first_frame=0, index=0)


def openable_encoders() -> dict[str, str]:
    """Each known encoder's name → ``"ok"``, or the reason why it can't be used here."""
    found = {}
    for codec in CODECS:
        settings = RenderSettings(codec=codec.name, size=(320, 192))
        try:
            probe(Encoding.of(settings))
            found[codec.encoder] = "ok"
        except (EncoderError, SettingsError) as error:
            found[codec.encoder] = str(error).partition(": ")[2] or str(error)
    return found


def _new_context(encoding: Encoding) -> VideoCodecContext:
    name = encoding.codec.encoder
    try:
        context = CodecContext.create(name, "w")
    except UnknownCodecError:
        raise EncoderError(f"{name} can't be opened here: this PyAV is built without it") from None
    assert isinstance(context, VideoCodecContext)
    _configure(context, encoding)
    return context


def _configure(context: VideoCodecContext, encoding: Encoding) -> None:
    context.width, context.height = encoding.size
    context.pix_fmt = encoding.pixel_format
    context.framerate = encoding.fps
    context.time_base = 1 / encoding.fps
    context.thread_type = ThreadType.FRAME  # PyAV's SLICE lets x264 cut pictures into slices
    context.color_range = _LIMITED_RANGE
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    if encoding.codec.tag:
        context.codec_tag = encoding.codec.tag
    context.options = dict(encoding.options)


def _encode(
    encode: Callable[[av.VideoFrame | None], list[Packet[VideoStream]]],
    frames: Iterable[Frame],
    encoding: Encoding,
    first_frame: int,
) -> tuple[list[Packet[VideoStream]], int]:
    """(packets in decoding order, number of frames): everything, down to the last frame."""
    packets: list[Packet[VideoStream]] = []
    count = 0
    for number, planes in enumerate(frames, first_frame):
        frame = _video_frame(planes, encoding)
        frame.pts, frame.time_base = number, 1 / encoding.fps
        packets += encode(frame)
        count += 1
    if not count:
        raise ValueError("a segment needs at least one frame")
    return packets + encode(None), count


def _video_frame(planes: Frame, encoding: Encoding) -> av.VideoFrame:
    """A copy in libav's own memory.

    PyAV's ``from_numpy_buffer`` would spare it, but takes a height that is no multiple of 4 for a
    smaller one.
    """
    width, height = encoding.size
    frame = av.VideoFrame(width, height, encoding.pixel_format)
    if encoding.pixel_format == "p010le":
        planes = planes.astype(np.uint16) << np.uint16(6)
    luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    _fill(frame.planes[0], luma)
    if encoding.pixel_format in ("nv12", "p010le"):  # U and V take turns
        _fill(frame.planes[1], chroma.transpose(1, 2, 0).reshape(height // 2, width))
    else:
        _fill(frame.planes[1], chroma[0])
        _fill(frame.planes[2], chroma[1])
    return frame


def _fill(plane: VideoPlane, samples: Frame) -> None:
    height, width = samples.shape
    line = plane.line_size // samples.itemsize
    rows = np.frombuffer(memoryview(plane), samples.dtype).reshape(-1, line)
    rows[:height, :width] = samples


def _settle_dts(packets: list[Packet[VideoStream]], start: int) -> None:
    """Number the decoding times of a short segment one by one from ``start``.

    An encoder that reorders frames begins to decode that much earlier than to show, but x264
    forgets to where fewer frames come than it reorders, and x265 makes the times up. Either would
    change the edit list and show these frames at another time than the film's header says.
    """
    for dts, packet in enumerate(packets, start):
        packet.dts = dts


@cache
def _reordering(encoding: Encoding) -> int:
    """How many frames earlier this encoder begins to decode than to show, found by trying."""
    packets, _ = _encode(_new_context(encoding).encode, _grey(encoding, _FEW), encoding, 0)
    return -(packets[0].dts or 0)


def _grey(encoding: Encoding, count: int) -> Iterator[Frame]:
    frame = empty_frame(encoding.size, encoding.bits)
    frame.fill(1 << encoding.bits - 1)
    return repeat(frame, count)


def _check_options(context: VideoCodecContext, encoding: Encoding) -> None:
    """Check names against what the encoder knows, and words against those that it lists."""
    supported = context.supported_options
    known = {
        option.name: option
        for option in (*supported.generic, *supported.private)
        if option.flags & OptionFlags.ENCODING_PARAM
    }
    for key, value in encoding.options:
        what = f"encoder option {key} of {encoding.codec.encoder}"
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`ffmpeg -h encoder=NAME` lists them"
            raise SettingsError(f"unknown {what}; {hint}")
        if known[key].type in _FREE_TEXT and key not in _TEXTS | {encoding.codec.params}:
            raise SettingsError(f"{what} can't be used: it takes any text, which may name a file")
        words = {choice.name for choice in known[key].choices}
        if words and not _NUMBER.fullmatch(value) and not set(re.split(r"[+|]", value)) <= words:
            raise SettingsError(unknown(f"value {value!r} for {what}", value, words))


_FREE_TEXT = {OptionType.STRING, OptionType.DICT, OptionType.BINARY}
_TEXTS = {"preset", "tune", "profile", "level", "psy-rd", "deblock", "partitions", "wpredp"}
"""Options that take any text, and name no file by it: settings may be another user's."""
_NUMBER = re.compile(r"[-+]?[0-9.]+")
_ABOUT_OPTIONS = re.compile(r"option|parameter|preset|profile|invalid value", re.IGNORECASE)


def _blame_option(encoding: Encoding, log: list[tuple[int, str, str]]) -> None:
    """Raise SettingsError where libav's ``log`` says that an option or its value is wrong."""
    for _, _, message in log:
        if _ABOUT_OPTIONS.search(message):
            raise SettingsError(f"{encoding.codec.encoder}: {message.strip().rstrip('.')}")


@contextmanager
def _libav_log() -> Iterator[list[tuple[int, str, str]]]:
    """Collects libav's warnings of this thread: (level, who, message).

    Use it only while no other thread encodes: libav's callback into Python is otherwise off.
    """
    level, skip = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        av.logging.set_skip_repeated(skip)
        av.logging.set_level(level)
