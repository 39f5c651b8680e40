"""The playlists that let a player follow the film while it grows.

``watch.m3u8`` lists the whole film, ``live.m3u8`` its last half hour; both are HLS (RFC 8216)
media playlists of byte ranges into the film. They are derived from the committed segments alone,
so they never point past the committed end and may be written again at any time. Knows no encoder
and no journal.
"""

from __future__ import annotations

import errno
import math
import os
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from renderer.files import Place, open_to_append, replace_file, storage_errors
from renderer.film.records import Segment

LIVE, WATCH = "live.m3u8", "watch.m3u8"

WINDOW = 30 * 60
"""Length of the sliding window, seconds."""
MOST = 1000
"""Segments in it, however short they are."""
PAGE = 4096
"""Bytes. Of what is appended within one of a file's pages a reader sees all or nothing."""
FROM_THE_START = ("#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0")
"""Tags of a playlist of the whole film."""
END = "#EXT-X-ENDLIST\n"


class Playlists:
    """Both playlists of one film; a segment costs the same however long that is."""

    def __init__(
        self, folder: Path, film_name: str, fps: Fraction, at: Place | None = None
    ) -> None:
        """``at``: ``folder``, if it is held open. Nothing is written yet."""
        self._folder = folder
        self._film = quote(film_name)
        self._fps = fps
        self._at = at
        self._last: Segment | None = None
        """The last that the full playlist lists; None: it is to be written anew."""
        self._ended = False
        """It has the end mark."""
        self._size = 0
        """Its bytes."""
        self._target = 0
        """Upper bound of a segment's duration, whole seconds."""
        self._entries: deque[str] = deque(maxlen=MOST)
        """Its last."""

    def write(self, segments: Sequence[Segment], header_length: int, *, finished: bool) -> None:
        """Bring both up to date with the committed ``segments``, in order and without gaps.

        ``header_length`` is the size of the film's header in bytes. ``finished`` adds the end mark,
        at which players stop waiting. Removes them where there is no segment. Raises StorageError.
        """
        last, self._last = self._last, None  # what an error leaves is written anew
        if not segments:
            with storage_errors(self._folder):
                for name in (LIVE, WATCH):
                    (self._folder / name).unlink(missing_ok=True)
            return
        count = last.index + 1 if last else 0
        new = segments[count:]
        same = count > 0 and segments[count - 1 : count] == [last]
        goes_on = same and self._ended == finished and not (finished and new)
        if not goes_on or self._seconds(new) > self._target:
            goes_on, new = False, segments[-MOST:]
            self._target = self._seconds(segments)
        entries = [self._entry(each) for each in new]
        self._entries = self._entries if goes_on else deque(maxlen=MOST)
        self._entries.extend(entries)
        self._write_live(segments, header_length, finished=finished)
        if not (goes_on and self._append(entries)):
            self._write_watch(segments, header_length, finished=finished)
        self._last, self._ended = segments[-1], finished

    def _write_live(
        self, segments: Sequence[Segment], header_length: int, *, finished: bool
    ) -> None:
        """The last segments: as many as begin within ``WINDOW`` of the film's end, at least one."""
        end = segments[-1].first_frame + segments[-1].frames
        earliest = math.ceil(end - WINDOW * self._fps)
        start = bisect_left(segments, earliest, key=lambda each: each.first_frame)
        count = max(1, min(len(segments) - start, MOST))
        shown = islice(self._entries, len(self._entries) - count, None)
        text = head(self._film, self._target, segments[-count].index, header_length)
        text += "".join(shown)
        text += END if finished else ""
        replace_file(self._folder / LIVE, text.encode(), durable=False, at=self._at)

    def _write_watch(
        self, segments: Sequence[Segment], header_length: int, *, finished: bool
    ) -> None:
        text = head(self._film, self._target, 0, header_length, *FROM_THE_START)
        text += "".join(map(self._entry, segments))
        data = (text + (END if finished else "")).encode()
        replace_file(self._folder / WATCH, data, durable=False, at=self._at)
        self._size = len(data)

    def _append(self, entries: Iterable[str]) -> bool:
        """Add to the full playlist, each at one stroke; False: it is not as it was left."""
        path = self._folder / WATCH
        with storage_errors(path):
            handle = open_to_append(path, at=self._at)
            try:
                if os.fstat(handle).st_size != self._size:
                    return False
                for each in entries:
                    data = _within_a_page(self._size, each.encode())
                    if os.write(handle, data) < len(data):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    self._size += len(data)
            except OSError:
                os.ftruncate(handle, self._size)
                raise
            finally:
                os.close(handle)
        return True

    def _entry(self, segment: Segment) -> str:
        return entry(self._film, segment, self._fps)

    def _seconds(self, segments: Sequence[Segment]) -> int:
        return longest(segments, self._fps)


def head(
    film: str, target: int, sequence: int, header_length: int, *tags: str, version: int = 7
) -> str:
    """A playlist up to its first segment, which is number ``sequence`` of the film.

    ``film``: its address. ``target``: what no segment is longer than, whole seconds. ``version``:
    of the protocol, that the tags take.
    """
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{target}",
        f"#EXT-X-MEDIA-SEQUENCE:{sequence}",
        *tags,
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{film}",BYTERANGE="{header_length}@0"',
    ]
    return "\n".join(lines) + "\n"


def entry(film: str, segment: Segment, fps: Fraction) -> str:
    """A segment's lines."""
    seconds = segment.frames * fps.denominator / fps.numerator
    return f"#EXTINF:{seconds:.6f},\n#EXT-X-BYTERANGE:{segment.length}@{segment.offset}\n{film}\n"


def longest(segments: Sequence[Segment], fps: Fraction) -> int:
    """Seconds of the longest, rounded up."""
    return math.ceil(max((each.frames for each in segments), default=0) / fps)


def _within_a_page(size: int, entry: bytes) -> bytes:
    """``entry``, with a comment before it where it would else cross from one page to the next."""
    room = PAGE - size % PAGE
    return entry if len(entry) <= room else b"#" * (room - 1) + b"\n" + entry
