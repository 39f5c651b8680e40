"""Keyframes as a browser shows them: smaller, as JPEG, each made once; or the file itself.

One is made at a time, on a thread, so that a hundred of them take the painter one core at most.
What was made stays in memory, up to a bound.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from renderer.files import open_plain
from renderer.images import FAULTS, small_jpeg
from renderer.project.records import keyframe_path
from zoomtui.web.access import Cut
from zoomtui.web.sending import send_file, version

SIDES = {"small": 240, "large": 1600}
"""Name in the address → pixels that neither side exceeds."""
_ROOM = 64 << 20
"""Bytes of pictures that are kept."""

_Key = tuple[Path, str, int]


class Pictures:
    """Those of all projects."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._size = 0
        self._making: dict[_Key, asyncio.Task[bytes]] = {}
        self._turn = asyncio.Semaphore(1)

    async def answer(
        self, request: Request, folder: Path, keyframe: int, take: int, size: str
    ) -> Response:
        """Of the names in ``SIDES``, or ``full``: the keyframe's own file."""
        path = keyframe_path(folder, keyframe, take)
        try:
            length, tag = version(path)
            headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
            if request.headers.get("if-none-match") == tag:
                return Response(None, 304, headers)
            if size == "full":
                return _whole_file(request, path, length, headers)
            data = await self._made((path, tag, SIDES[size]))
        except (*FAULTS, KeyError):
            return PlainTextResponse("there is no such keyframe\n", 404)
        return Response(data, 200, headers, "image/jpeg")

    async def _made(self, key: _Key) -> bytes:
        """The picture; made once, however many ask for it meanwhile, or give up. Raises FAULTS."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._making:
            task = self._making[key] = asyncio.create_task(self._make(key))
            task.add_done_callback(lambda _: self._making.pop(key))
        return await asyncio.shield(self._making[key])

    async def _make(self, key: _Key) -> bytes:
        path, _, side = key
        async with self._turn:
            data = await asyncio.to_thread(small_jpeg, path, side)
        self._kept[key] = data
        self._size += len(data)
        while self._size > _ROOM:
            self._size -= len(self._kept.popitem(last=False)[1])
        return data


def _whole_file(request: Request, path: Path, length: int, headers: dict[str, str]) -> Response:
    """Raises OSError, and ValueError for what is no PNG: a project may come from elsewhere."""
    with os.fdopen(open_plain(path), "rb") as file:
        if file.read(8) != b"\x89PNG\r\n\x1a\n":
            raise ValueError(path)

    def check() -> None:
        if version(path)[1] != headers["ETag"]:
            raise Cut

    return send_file(request, path, (0, length), 200, headers, "image/png", check)
