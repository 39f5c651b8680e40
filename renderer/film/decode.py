"""Decoding a segment again, to see that it holds what was put in. Touches no disk."""

from __future__ import annotations

import io

import av

from renderer.errors import ProjectError


def decoded_frames(init: bytes, media: bytes) -> int:
    """Frames that can be decoded from a segment behind the film's header.

    Raises ProjectError where one of them is broken.
    """
    try:
        with av.open(io.BytesIO(init + media), "r", options={"err_detect": "explode"}) as film:
            return len([None for _ in film.decode(video=0)])
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"can't be decoded: {reason}") from None
