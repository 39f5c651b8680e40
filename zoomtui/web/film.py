"""A growing film and its playlist as a browser reads them: never past what the journal commits.

As long as the film only grows it stays in one *epoch*, which stands in its address; what is taken
back begins another. So what is cached or still being loaded under an address is of one film,
and a request for bytes that may be others by now is refused. The playlist is made of the journal's
records, not of the project's files of that name, which anything may stand in.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from renderer.film.hls import END, FROM_THE_START, entry, head, longest
from renderer.film.records import Segment
from renderer.project.contents import Contents
from renderer.project.records import FILM, JOURNAL, read_settings
from zoomtui.web.access import Cut
from zoomtui.web.sending import send_file

_SKIPPED = 12
"""Target durations before a playlist's end: what is older is left out for who has it (RFC 8216bis,
4.4.3.8: six at least)."""
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much film there is."""

    epoch: str = ""
    """Empty: there is none yet."""
    end: int = 0
    """Bytes."""
    segments: int = 0
    frames: int = 0
    finished: bool = False


class Film:
    """Of one project, for all that watch it. Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILM
        self._folder = folder
        self._contents = Contents(folder)
        self._looking = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._last: Segment | None = None
        self._fps = Fraction(1)
        self._target = 0
        self._entries: list[str] = []
        self._extent = Extent()

    def look(self) -> Extent:
        """As of now. Raises ProjectError, SettingsError; OSError where there is no journal."""
        with self._looking:
            found = (self._folder / JOURNAL).stat()
            seen = found.st_ino, found.st_size, found.st_mtime_ns
            if seen != self._seen:
                self._go_on()
                self._seen = seen
            return self._extent

    def _go_on(self) -> None:
        film = self._contents.look().film
        segments, known = film.segments, len(self._entries)
        epoch = self._extent.epoch
        if not (known and segments[known - 1 : known] == [self._last]):
            self._fps = read_settings(self._folder).fps
            epoch = secrets.token_hex(4) if segments else ""
            self._entries, self._target, known = [], 0, 0
        new = segments[known:]
        self._entries += (entry(FILM, each, self._fps) for each in new)
        self._target = max(self._target, longest(new, self._fps))
        self._last = segments[-1] if segments else None
        self._extent = Extent(epoch, film.end, len(segments), film.frames, film.finished)

    def playlist(self, *, skip: bool) -> str:
        """All of the film's; ``skip``: without what the reader has had before."""
        with self._looking:
            film, count, until = self._contents.film, 0, _SKIPPED * self._target
            tags = [*FROM_THE_START, f"#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={until}"]
            if skip:
                earliest = film.frames - int(until * self._fps)
                count = bisect_left(film.segments, earliest, key=lambda each: each.first_frame)
            length = film.header.length if film.header else 0
            text = head(FILM, self._target, 0, length, *tags, version=9)
            text += f"#EXT-X-SKIP:SKIPPED-SEGMENTS={count}\n" if count else ""
            return text + "".join(self._entries[count:]) + (END if film.finished else "")

    def check(self, epoch: str) -> None:
        """Raise ``Cut`` where bytes that were just read may be of another epoch."""
        if self.look().epoch != epoch:
            raise Cut


async def answer_playlist(request: Request, film: Film, epoch: str) -> Response:
    """Raises what ``Film.look`` does."""
    extent = await asyncio.to_thread(film.look)
    if not epoch or extent.epoch != epoch:
        return taken_back()
    skip = request.query_params.get("_HLS_skip") is not None
    tag = f'"{epoch}-{extent.segments}-{extent.finished:d}-{skip:d}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    text = await asyncio.to_thread(film.playlist, skip=skip)
    if (await asyncio.to_thread(film.look)).epoch != epoch:
        return taken_back()
    return Response(text, 200, headers, PLAYLIST_TYPE)


async def answer_film(request: Request, film: Film, epoch: str) -> Response:
    """All of the film so far, or the range that is asked for. Raises what ``Film.look`` does."""
    extent = await asyncio.to_thread(film.look)
    if not epoch or extent.epoch != epoch:
        return taken_back()
    tag, size = f'"{epoch}-{extent.end}"', extent.end
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", tag) != tag:
        asked = ""
    try:
        part = wanted(asked, size)
    except ValueError:
        return PlainTextResponse("", 416, {**headers, "Content-Range": f"bytes */{size}"})
    start, stop = part or (0, size)
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status, check = 206 if part else 200, lambda: film.check(epoch)
    return send_file(request, film.path, (start, stop), status, headers, "video/mp4", check)


def taken_back() -> Response:
    return PlainTextResponse("there is no such film, or it was taken back\n", 404)


def wanted(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of a ``Range``; None: all is to be sent.

    What is no single range of bytes counts for nothing (RFC 9110, 14.2). Raises ValueError for one
    that begins after the end.
    """
    unit, _, span = asked.partition("=")
    first, dash, last = span.strip().partition("-")
    given = [each for each in (first, last) if each]
    if unit.strip().lower() != "bytes" or not dash or not given:
        return None
    if not all(each.isascii() and each.isdigit() and len(each) < 20 for each in given):
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise ValueError(asked)
    return start, stop
