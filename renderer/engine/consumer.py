"""The consumer, renderer-cpu: keyframes out of the channel, onto the disk and into the film.

The order is the promise: keyframe durable → journal → frames → segment appended → journal →
playlists → event. Knows film and the project; knows nothing of painting.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import count
from typing import Any

from renderer.engine.channel import Channel
from renderer.engine.controls import Controls
from renderer.engine.events import Emit, KeyframeReady, SegmentWritten
from renderer.engine.producer import Keyframe
from renderer.errors import Cancelled
from renderer.film.camera import Camera, Way
from renderer.film.encode import Encoding, encode_segment
from renderer.film.zoom import CanvasPlanes, Frame, closing_frame, interval_frames
from renderer.painting.figures import figures_in
from renderer.painting.geometry import Geometry
from renderer.project.project import Project


class Consumer:
    """Runs once, on its own thread, until the channel ends or an error occurs."""

    def __init__(
        self, project: Project, channel: Channel[Keyframe], controls: Controls, emit: Emit
    ) -> None:
        self._project = project
        self._channel = channel
        self._controls = controls
        self._emit = emit
        self._camera = Camera.of(project.settings)
        self._encoding = Encoding.of(project.settings)
        canvas_size = Geometry.of(project.settings).canvas_size
        painted = (project.keyframes[keyframe] for keyframe in count(1))
        self._coming_ways = self._camera.ways(canvas_size, painted)
        self._ways: list[Way] = []

    def run(self) -> None:
        """Take keyframes in order; each but the first closes an interval of the film."""
        self._project.publish(everything=True)
        last: Keyframe | None = None
        for keyframe in self._channel:
            last = keyframe
            if keyframe.made is not None:
                self._keep(keyframe, keyframe.made)
            interval = keyframe.index - 1
            if keyframe.held:
                continue
            if interval >= self._project.store.intervals and not self._controls.stopped:
                self._commit_interval(keyframe)
        if last is not None and self._complete():
            planes = CanvasPlanes.from_rgb(last.picture)
            frame = closing_frame(planes, self._camera, self._way(last.index))
            self._commit([frame], closes=True)
        self._project.publish(everything=True)

    def _keep(self, keyframe: Keyframe, made: Mapping[str, Any]) -> None:
        """Make a freshly painted keyframe durable."""
        stored = self._project.add_keyframe(keyframe.index, keyframe.picture, made)
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

    def _way(self, keyframe: int) -> Way:
        """The camera's, through the canvas of that keyframe; asked for in order."""
        while len(self._ways) < keyframe:
            self._ways.append(next(self._coming_ways))
        return self._ways[keyframe - 1]

    def _commit_interval(self, keyframe: Keyframe) -> None:
        frames_each = self._project.settings.frames_per_keyframe
        planes = CanvasPlanes.from_rgb(keyframe.picture)
        way = self._way(keyframe.index)
        with closing(interval_frames(planes, self._camera, frames_each, way=way)) as frames:
            try:
                self._commit(self._while_wanted(frames), closes=False)
            except Cancelled:
                if self._controls.hurried:
                    raise  # else the keyframes that wait are still kept

    def _while_wanted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """``frames``; Cancelled, where the segment is not to be finished."""
        for frame in frames:
            if self._controls.hurried or self._controls.interrupted:
                raise Cancelled
            yield frame

    def _commit(self, frames: Iterable[Frame], *, closes: bool) -> None:
        """Frames → one segment, durable in the film, then in the journal, then in the playlists."""
        project, store = self._project, self._project.store
        began = time.monotonic()
        encoded = encode_segment(
            frames, self._encoding, first_frame=store.frames, index=store.next_segment
        )
        segment = store.append(encoded, closing=closes)
        project.publish()
        self._emit(
            SegmentWritten(
                segment=segment.index,
                frames=segment.frames,
                total_frames=store.frames,
                duration=project.duration,
                size=store.size,
                seconds=time.monotonic() - began,
                queued=len(self._channel),
            )
        )

    def _complete(self) -> bool:
        """Every keyframe asked for is painted and filmed; only the closing frame is missing."""
        project = self._project
        total = project.current.keyframes
        return total is not None and project.store.intervals == total - 1 and not project.finished
