"""A growing film's bytes → a finished file of any container, packet by packet: nothing is decoded.

Sound, chapters, cover and metadata come in on the way. Knows no pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from renderer.errors import EncoderError
from renderer.export.audio import SoundWriter
from renderer.export.plan import Plan

_TITLE = 200
"""Characters."""


def remux(film: Path, length: int, plan: Plan, cover: bytes | None, out: Path) -> None:
    """Write ``out``; to make it durable, or to remove it, is left to the caller.

    ``film``: a fragmented MP4 of which the first ``length`` bytes count: another process may be
    lengthening it. ``cover``: a JPEG of the frames' size that stands for the film. The frames keep
    their bytes and times. MP4 and MOV get their index in front of the frames (faststart). Raises
    EncoderError, SettingsError for sound that can't be decoded, OSError.
    """
    container = plan.target.container
    options = {"movflags": "+faststart"} if container.quicktime else {}
    beginning = f"subfile,,start,0,end,{length},,:file:{film}"  # libav reads only that part
    try:
        with (
            av.open(beginning, format="mp4") as source,
            av.open(f"file:{out}", "w", format=container.muxer, options=options) as file,
        ):
            assert isinstance(source, InputContainer)
            _describe(file, plan)
            _copy(source, file, plan, cover)
    except OSError:
        raise  # libav's errors for a full disk are OSErrors as well
    except av.FFmpegError as error:
        raise EncoderError(f"{out} can't be written: {error}") from error


def _describe(file: OutputContainer, plan: Plan) -> None:
    footage = plan.take.footage
    file.metadata["comment"] = footage.provenance
    if footage.settings.prompt:
        file.metadata["title"] = footage.settings.prompt[:_TITLE]
    if chapters := list(_chapters(plan)):
        file.set_chapters(chapters)


def _chapters(plan: Plan) -> Iterator[Any]:
    """A chapter for every stretch of frames between two marks or changes of the prompt."""
    prompts, marks = plan.take.footage.prompts, dict(plan.take.footage.marks)
    starts = [0]  # of the chapter that each interval belongs to
    for interval in range(1, len(prompts)):
        begins = interval in marks or prompts[interval] != prompts[interval - 1]
        starts.append(interval if begins else starts[-1])
    if len(set(starts)) < 2 and 0 not in marks:
        return
    first = 0
    stretches = groupby(range(plan.frames), lambda frame: starts[plan.take.interval(frame)])
    for number, (start, stretch) in enumerate(stretches, 1):
        end = first + sum(1 for _ in stretch)
        title = marks.get(start, prompts[start])[:_TITLE]
        yield {
            "id": number,
            "start": first,
            "end": end,
            "time_base": 1 / plan.fps,
            "metadata": {"title": title},
        }
        first = end


def _copy(source: InputContainer, file: OutputContainer, plan: Plan, cover: bytes | None) -> None:
    pictures = source.streams.video[0]
    stream = file.add_stream_from_template(pictures, opaque=True)
    stream.time_base = pictures.time_base
    if plan.tag:
        stream.codec_context.codec_tag = plan.tag
    sound = None
    if plan.sound is not None:
        sound = SoundWriter(file, plan.sound, plan.frames / plan.fps)
    packet_of_cover = None if cover is None else _add_cover(file, plan, cover)
    for packet in source.demux(pictures):
        if packet.dts is None:
            continue  # the demuxer's mark of the end
        if sound is not None:
            assert packet.time_base is not None
            sound.write(packet.dts * packet.time_base)
        packet.stream = stream
        file.mux(packet)
        if packet_of_cover is not None:
            file.mux(packet_of_cover)
            packet_of_cover = None
    if sound is not None:
        sound.finish()


def _add_cover(file: OutputContainer, plan: Plan, cover: bytes) -> Packet[Stream] | None:
    """Make room for the cover; its packet, where it needs one. MKV has it as an attachment."""
    if file.format.name == "matroska":
        file.add_attachment("cover.jpg", "image/jpeg", cover)
        return None
    stream = file.add_stream("mjpeg")
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = plan.take.size
    stream.pix_fmt = "yuvj420p"
    stream.disposition = Disposition.attached_pic
    packet: Packet[Stream] = Packet(cover)
    packet.stream = stream
    packet.pts = packet.dts = 0
    packet.time_base = Fraction(1, 1000)
    return packet
