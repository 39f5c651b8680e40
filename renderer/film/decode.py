"""Decoding a segment again: to see that it holds what was put in, or to look at it.

Touches no disk.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from renderer.errors import ProjectError


def decoded_frames(init: bytes, media: bytes) -> int:
    """Frames that can be decoded from a segment behind the film's header.

    Raises ProjectError where one of them is broken.
    """
    with _opened(init, media) as film:
        return len([None for _ in film.decode(video=0)])


def decoded_pictures(init: bytes, media: bytes, side: int) -> Iterator[NDArray[np.uint8]]:
    """The frames of a segment, (H, W, 3) uint8 sRGB, neither side above ``side`` pixels.

    Raises ProjectError where one of them is broken.
    """
    with _opened(init, media) as film:
        film.streams.video[0].codec_context.thread_count = 1  # the cores are the render's
        for frame in film.decode(video=0):
            yield _small(frame, side)


def _small(frame: av.VideoFrame, side: int) -> NDArray[np.uint8]:
    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = (max(1, round(length * scale)) for length in (frame.width, frame.height))
    picture = frame.reformat(
        width, height, "rgb24", src_colorspace=Colorspace.ITU709, interpolation=Interpolation.AREA
    ).to_ndarray()
    return picture.astype(np.uint8, copy=False)


@contextmanager
def _opened(init: bytes, media: bytes) -> Iterator[InputContainer]:
    try:
        with av.open(io.BytesIO(init + media), "r", options={"err_detect": "explode"}) as film:
            yield film
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"can't be decoded: {reason}") from None
