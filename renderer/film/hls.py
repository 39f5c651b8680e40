"""The playlists that let a player follow the film while it grows.

``watch.m3u8`` lists the whole film, ``live.m3u8`` its last half hour; both are HLS (RFC 8216)
media playlists of byte ranges into the film. They are derived from the committed segments alone,
so they never point past the committed end and may be written again at any time. Knows no encoder
and no journal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from renderer.files import Place, replace_file, storage_errors
from renderer.film.records import Segment

LIVE, WATCH = "live.m3u8", "watch.m3u8"

WINDOW = 30 * 60
"""Length of the sliding window, seconds."""

EVERY = 2000
"""The full playlist is written for every segment up to this many; beyond it, after each share of
1/2000 of the film, so that three days of film cost gigabytes of playlist and not half a terabyte.
"""


def write_playlists(
    folder: Path,
    film_name: str,
    segments: Sequence[Segment],
    header_length: int,
    fps: Fraction,
    finished: bool,
    *,
    everything: bool = False,
    at: Place | None = None,
) -> None:
    """Write both playlists, each at one stroke, for the committed ``segments``.

    ``header_length`` is the size of the film's header in bytes. ``finished`` adds the end mark, at
    which players stop waiting. ``everything`` brings the full playlist up to date however long the
    film is: for the end of a session. ``at``: ``folder``, if it is held open. Removes them where
    there is no segment. Raises StorageError.
    """
    if not segments:
        with storage_errors(folder):
            for name in (LIVE, WATCH):
                (folder / name).unlink(missing_ok=True)
        return
    listing = _Listing(film_name, header_length, fps, _target(segments, fps), finished)
    live = listing.text(_window(segments, fps))
    replace_file(folder / LIVE, live.encode(), durable=False, at=at)
    watch = folder / WATCH
    due = len(segments) % max(1, len(segments) // EVERY) == 0
    if due or finished or everything or not watch.exists():
        text = listing.text(segments, "#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0")
        replace_file(watch, text.encode(), durable=False, at=at)


class _Listing:
    """What every playlist of one film has in common."""

    def __init__(
        self, film_name: str, header_length: int, fps: Fraction, target: int, finished: bool
    ) -> None:
        self._film = quote(film_name)
        self._header_length = header_length
        self._fps = fps
        self._target = target
        self._finished = finished

    def text(self, segments: Sequence[Segment], *tags: str) -> str:
        """The playlist of ``segments``, which are in order and without gaps."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{self._target}",
            f"#EXT-X-MEDIA-SEQUENCE:{segments[0].index}",
            *tags,
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f'#EXT-X-MAP:URI="{self._film}",BYTERANGE="{self._header_length}@0"',
            *self._entries(segments),
        ]
        if self._finished:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _entries(self, segments: Sequence[Segment]) -> Iterable[str]:
        for segment in segments:
            yield f"#EXTINF:{float(segment.frames / self._fps):.6f},"
            yield f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}"
            yield self._film


def _target(segments: Sequence[Segment], fps: Fraction) -> int:
    """Upper bound of a segment's duration, whole seconds."""
    return math.ceil(max(segment.frames for segment in segments) / fps)


def _window(segments: Sequence[Segment], fps: Fraction) -> Sequence[Segment]:
    """The last segments: as many as begin within ``WINDOW`` of the film's end, at least one."""
    end = segments[-1].first_frame + segments[-1].frames
    start = len(segments) - 1
    while start and (end - segments[start - 1].first_frame) / fps <= WINDOW:
        start -= 1
    return segments[start:]
