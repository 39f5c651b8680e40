"""A growing film's bytes → a finished file of any container, packet by packet: nothing is decoded.

Sound, chapters, cover and metadata come in on the way. Knows no frames and no keyframes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from renderer.errors import EncoderError
from renderer.export.audio import Soundtrack, SoundWriter
from renderer.settings.plain_values import Size

_TITLE = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the film that one prompt belongs to."""

    first: int
    """Frame."""
    end: int
    """Frame after its last one."""
    title: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A JPEG that stands for the film."""

    data: bytes
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Everything that makes a finished file, but for the frames."""

    muxer: str
    tag: str
    """Sample entry of MP4 and MOV; empty: libav's own choice."""
    fps: Fraction
    frames: int
    title: str
    provenance: Mapping[str, Any]
    chapters: tuple[Chapter, ...] = ()
    sound: Soundtrack | None = None
    cover: Cover | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A fragmented MP4, as far as it counts."""

    path: Path
    length: int
    """Bytes."""


def remux(source: Source, out: Path, finish: Finish) -> None:
    """Write ``out`` from ``source``; to make it durable, or to remove it, is left to the caller.

    The frames keep their bytes and times. MP4 and MOV get their index in front of the frames
    (faststart). Raises EncoderError, SettingsError for sound that can't be decoded, OSError.
    """
    options = {"movflags": "+faststart"} if finish.muxer in ("mp4", "mov") else {}
    try:
        with (
            _Prefix(source) as file,
            av.open(file, format="mp4") as film,
            av.open(str(out), "w", format=finish.muxer, options=options) as container,
        ):
            assert isinstance(film, InputContainer)
            _describe(container, finish)
            _copy(film, container, finish)
    except OSError:
        raise  # libav's errors for a full disk are OSErrors as well
    except av.FFmpegError as error:
        raise EncoderError(f"{out} can't be written: {error}") from error


def _describe(container: OutputContainer, finish: Finish) -> None:
    text = json.dumps(finish.provenance, ensure_ascii=False, sort_keys=True)
    container.metadata["comment"] = text
    if finish.title:
        container.metadata["title"] = finish.title[:_TITLE]
    if finish.chapters:
        container.set_chapters(
            [
                {
                    "id": number,
                    "start": chapter.first,
                    "end": chapter.end,
                    "time_base": 1 / finish.fps,
                    "metadata": {"title": chapter.title[:_TITLE]},
                }
                for number, chapter in enumerate(finish.chapters, 1)
            ]
        )


def _copy(film: InputContainer, container: OutputContainer, finish: Finish) -> None:
    pictures = film.streams.video[0]
    stream = container.add_stream_from_template(pictures, opaque=True)
    stream.time_base = pictures.time_base
    if finish.tag:
        stream.codec_context.codec_tag = finish.tag
    sound = None
    if finish.sound is not None:
        sound = SoundWriter(container, finish.sound, finish.frames / finish.fps)
    cover = _add_cover(container, finish.cover)
    for packet in film.demux(pictures):
        if packet.dts is None:
            continue  # the demuxer's mark of the end
        if sound is not None:
            assert packet.time_base is not None
            sound.write(packet.dts * packet.time_base)
        packet.stream = stream
        container.mux(packet)
        if cover is not None:
            container.mux(cover)
            cover = None
    if sound is not None:
        sound.finish()


def _add_cover(container: OutputContainer, cover: Cover | None) -> Packet[Stream] | None:
    """Make room for the cover; its packet, where it needs one. MKV has it as an attachment."""
    if cover is None:
        return None
    if container.format.name == "matroska":
        container.add_attachment("cover.jpg", "image/jpeg", cover.data)
        return None
    stream = container.add_stream("mjpeg")
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = cover.size
    stream.pix_fmt = "yuvj420p"
    stream.disposition = Disposition.attached_pic
    packet: Packet[Stream] = Packet(cover.data)
    packet.stream = stream
    packet.pts = packet.dts = 0
    packet.time_base = Fraction(1, 1000)
    return packet


class _Prefix(io.RawIOBase):
    """The first ``length`` bytes of a file, which another process may be lengthening."""

    def __init__(self, source: Source) -> None:
        self._file = source.path.open("rb")
        self._length = source.length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return self._file.seek(self._length + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()
