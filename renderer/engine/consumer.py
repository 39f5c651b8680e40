"""The consumer, renderer-cpu: keyframes out of the channel, onto the disk and into the film.

The order is the promise: keyframe durable → journal → segment appended → journal → playlists →
event. What takes long, compressing keyframes and making segments, is done for several at a time on
threads of their own; this one writes down what they have made, in the film's order. Knows film and
the project; knows nothing of painting.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from renderer.engine.channel import Channel
from renderer.engine.controls import Controls
from renderer.engine.events import Emit, KeyframeReady, SegmentWritten
from renderer.engine.producer import Keyframe
from renderer.errors import Cancelled
from renderer.film.camera import Camera, Canvas, Way
from renderer.film.encode import EncodedSegment, Encoding, encode_segment
from renderer.film.frame_workers import FrameWorkers
from renderer.film.zoom import CanvasPlanes, Frame, closing_frame, interval_frames
from renderer.images import Picture, compressed
from renderer.machine import as_many_as_fit
from renderer.painting.figures import figures_in
from renderer.painting.geometry import Geometry
from renderer.project.project import Project
from renderer.settings.codecs import FILM_BITS_PER_PIXEL
from renderer.settings.film import MOST_WORKERS
from renderer.settings.render import RenderSettings

_FRAMES_HELD = 64
"""By an encoder that looks ahead, with a thread for each core, and by those who wait for it."""
_COPIES = 2
"""Of an encoded segment that are in memory at once."""


@dataclass(slots=True)
class _InHand:
    """A keyframe on its way to the disk, and the segment that shows the way to it, being made."""

    keyframe: Keyframe
    png: Future[bytes] | None
    """None: it is kept."""
    segment: Future[EncodedSegment] | None
    """None: there is to be none."""
    began: float = field(default_factory=time.monotonic)


class Consumer:
    """Runs once, on its own thread, until the channel ends or an error occurs."""

    _frame_workers: FrameWorkers
    _pool: ThreadPoolExecutor

    def __init__(
        self,
        project: Project,
        channel: Channel[Keyframe],
        controls: Controls,
        emit: Emit,
        noted: Callable[[], Mapping[str, Any]],
    ) -> None:
        """``noted``: what is recorded with a keyframe beside how it was made."""
        self._project = project
        self._noted = noted
        self._channel = channel
        self._controls = controls
        self._emit = emit
        self._camera = Camera.of(project.settings)
        self._encoding = Encoding.of(project.settings)
        fitting = as_many_as_fit(_memory_each(project.settings))
        self._workers_by_default = min(fitting, MOST_WORKERS)
        self._workers = project.current.workers or self._workers_by_default
        self._in_hand: deque[_InHand] = deque()
        self._broken_off = False
        """A segment was left unmade, so that none can follow."""
        self._last_interval: int | None = None
        """That is still filmed after a stop: the film's next one then, and none behind it."""
        self._deciding = threading.Lock()
        self._newest: Keyframe | None = None
        self._last_way: tuple[int, Way] | None = None
        self._coming_ways: Iterator[Way] | None = None
        self._written_at = 0.0

    def run(self) -> None:
        """Take keyframes in order; each but the first closes an interval of the film."""
        self._project.publish()
        with (
            FrameWorkers(self._workers) as self._frame_workers,
            ThreadPoolExecutor(2 * MOST_WORKERS, "renderer-film") as self._pool,
        ):
            try:
                self._make_film()
            except BaseException:
                self._broken_off = True  # what is still being made ends early
                raise

    def _make_film(self) -> None:
        for keyframe in self._channel.items(self._has_room, self._is_due):
            if keyframe is not None:
                self._begin(keyframe)
            self._write_down()
        while self._in_hand:
            wait(self._next_steps(), return_when=FIRST_COMPLETED)
            self._write_down()
        if self._newest is not None and self._complete():
            planes = CanvasPlanes.from_rgb(self._newest.picture)
            way, bits = self._way(self._newest.index), self._encoding.bits
            frame = closing_frame(planes, self._camera, way, bits=bits)
            self._commit(self._encode([frame], self._project.store.next_segment), closes=True)

    # --- what is in hand ----------------------------------------------------------------------

    def _has_room(self) -> bool:
        return len(self._in_hand) < min(self._workers, self._encoding.codec.at_once)

    def _next_steps(self) -> list[Future[Any]]:
        """What this thread waits for: the next keyframe to be kept, and the film's next segment."""
        steps: list[Future[Any]] = [each.png for each in self._in_hand if each.png][:1]
        head = self._in_hand[0] if self._in_hand else None
        if head is not None and head.png is None and head.segment is not None:
            steps.append(head.segment)
        return steps

    def _is_due(self) -> bool:
        return any(step.done() for step in self._next_steps())

    def _begin(self, keyframe: Keyframe) -> None:
        """Have a keyframe compressed, and its interval made."""
        self._newest = keyframe
        self._workers = (
            self._project.settings_at(keyframe.index).workers or self._workers_by_default
        )
        self._frame_workers.set_count(self._workers)
        interval = keyframe.index - 1
        png = segment = None
        if keyframe.made is not None:
            png = self._pool.submit(compressed, keyframe.picture)
        filmed = interval < self._project.store.intervals
        if not (keyframe.held or filmed or self._controls.stopped or self._broken_off):
            way = self._way(keyframe.index)
            segment = self._pool.submit(self._make, interval, keyframe.picture, way)
        for step in (png, segment):
            if step is not None:
                step.add_done_callback(lambda _: self._channel.notify())
        self._in_hand.append(_InHand(keyframe, png, segment))

    def _write_down(self) -> None:
        """All that is made and whose turn it is."""
        for each in self._in_hand:
            if each.png is not None:
                if not each.png.done():
                    break
                assert each.keyframe.made is not None
                self._keep(each.keyframe, each.png.result(), each.keyframe.made)
                each.png = None
        while self._in_hand and self._in_hand[0].png is None:
            head = self._in_hand[0]
            if head.segment is not None and not head.segment.done():
                break
            self._in_hand.popleft()
            if head.segment is not None:
                self._film(head.keyframe.index - 1, head.segment, head.began)

    def _keep(self, keyframe: Keyframe, png: bytes, made: Mapping[str, Any]) -> None:
        """Make a freshly painted keyframe durable."""
        stored = self._project.add_keyframe(keyframe.index, png, made, self._noted())
        self._controls.notify()
        self._emit(
            KeyframeReady(
                keyframe=keyframe.index,
                take=stored.take,
                seed=made["seed"],
                prompt=made["prompt"],
                queued=len(self._channel),
                **figures_in(made),
            )
        )

    def _film(self, interval: int, segment: Future[EncodedSegment], began: float) -> None:
        try:
            if not self._is_wanted(interval):
                raise Cancelled
            self._commit(segment.result(), began=began)
        except Cancelled:
            if self._controls.hurried:
                raise
            self._broken_off = True  # the keyframes that wait are still kept

    def _commit(self, encoded: EncodedSegment, *, began: float = 0.0, closes: bool = False) -> None:
        """One segment, durable in the film, then in the journal, then in the playlists."""
        project, store = self._project, self._project.store
        segment = store.append(encoded, closing=closes)
        project.publish()
        project.thin()
        began, self._written_at = max(began, self._written_at), time.monotonic()
        self._emit(
            SegmentWritten(
                segment=segment.index,
                frames=segment.frames,
                total_frames=store.frames,
                duration=project.duration,
                size=store.size,
                seconds=self._written_at - began,
                queued=len(self._channel),
            )
        )

    # --- on the threads of the pool -----------------------------------------------------------

    def _make(self, interval: int, picture: Picture, way: Way) -> EncodedSegment:
        frames = interval_frames(
            CanvasPlanes.from_rgb(picture),
            self._camera,
            self._project.settings.frames_per_keyframe,
            way=way,
            bits=self._encoding.bits,
            workers=self._frame_workers,
            interval=interval,
        )
        with closing(frames):
            return self._encode(self._while_wanted(interval, frames), interval)

    def _encode(self, frames: Iterable[Frame], index: int) -> EncodedSegment:
        first = index * self._project.settings.frames_per_keyframe
        return encode_segment(frames, self._encoding, first_frame=first, index=index)

    def _while_wanted(self, interval: int, frames: Iterable[Frame]) -> Iterator[Frame]:
        """``frames``; Cancelled, where the segment is not to be finished."""
        for frame in frames:
            if not self._is_wanted(interval):
                raise Cancelled
            yield frame

    def _is_wanted(self, interval: int) -> bool:
        if self._controls.hurried or self._controls.interrupted or self._broken_off:
            return False
        if not self._controls.stopped:
            return True
        with self._deciding:
            if self._last_interval is None:
                self._last_interval = self._project.store.intervals
        return interval <= self._last_interval

    # --- the camera ---------------------------------------------------------------------------

    def _way(self, keyframe: int) -> Way:
        """Through the canvas of that keyframe; of the last one, or the next."""
        if self._last_way is not None and self._last_way[0] == keyframe:
            return self._last_way[1]
        if self._coming_ways is None:
            first = self._settled_before(keyframe)
            size = Geometry.of(self._project.settings).canvas_size
            self._coming_ways = self._camera.ways(size, self._canvases(first))
            for _ in range(first, keyframe):
                next(self._coming_ways)
        self._last_way = keyframe, next(self._coming_ways)
        return self._last_way[1]

    def _settled_before(self, keyframe: int) -> int:
        """The last one before from which on all ways follow: one that zooms out, or the first."""
        outward = (
            index
            for index in range(keyframe - 1, 0, -1)
            if self._project.keyframes[index].dives_to is None
        )
        return next(outward, 1)

    def _canvases(self, first: int) -> Iterator[Canvas]:
        """What the camera is told of them, as they come."""
        for index in count(first):
            newest = self._newest
            fresh = newest is not None and newest.index == index and newest.made is not None
            yield newest if newest is not None and fresh else self._project.keyframes[index]

    def _complete(self) -> bool:
        """Every keyframe asked for is painted and filmed; only the closing frame is missing."""
        project = self._project
        total = project.current.keyframes
        return total is not None and project.store.intervals == total - 1 and not project.finished


def _memory_each(settings: RenderSettings) -> int:
    """Bytes that a segment in the making takes, about."""
    width, height = Geometry.of(settings).canvas_size
    canvas = width * height * (3 + 3 * 2)  # the picture, and its planes in 16 bits
    width, height = settings.size
    encoded = settings.frames_per_keyframe * width * height * FILM_BITS_PER_PIXEL / 8
    return canvas + _FRAMES_HELD * width * height * 3 // 2 + int(_COPIES * encoded)
