"""Files on their way to a browser, part by part: as fast as it reads, and no faster.

Opens plain files only, never what a link names: a project may come from elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from renderer.files import open_plain
from zoomtui.web.access import Cut

_CHUNK = 1 << 18
"""Bytes that a reader who stops reading costs, beside the kernel's own."""


def version(path: Path) -> tuple[int, str]:
    """(bytes, an ETag that changes whenever the file does). Raises OSError."""
    found = path.lstat()
    return found.st_size, f'"{found.st_mtime_ns:x}-{found.st_size:x}"'


def send_file(
    request: Request,
    path: Path,
    part: tuple[int, int],
    status: int,
    headers: dict[str, str],
    kind: str,
    check: Callable[[], None],
) -> Response:
    """The bytes from the first number to before the second.

    ``check`` is called once each piece is read, before it is sent; it may raise ``Cut``. Raises
    OSError.
    """
    os.close(open_plain(path))  # what can't be sent is not begun
    start, stop = part
    headers = {**headers, "Content-Length": str(stop - start)}
    if request.method == "HEAD":
        return Response(None, status, headers, kind)
    return StreamingResponse(_pieces(path, start, stop, check), status, headers, kind)


async def _pieces(
    path: Path, start: int, stop: int, check: Callable[[], None]
) -> AsyncIterator[bytes]:
    def piece() -> bytes:
        data = os.pread(handle, min(_CHUNK, stop - start), start)
        check()
        if not data:
            raise Cut  # the file has become shorter
        return data

    handle = open_plain(path)
    try:
        while start < stop:
            data = await asyncio.to_thread(piece)
            yield data
            start += len(data)
    finally:
        os.close(handle)
