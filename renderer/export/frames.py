"""The frames of an export, made from kept canvases in constant memory, in any order of time.

Canvases are loaded as the camera comes to them; two are held at most, the second one only where a
loop is joined. Knows no encoder and no file that is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.export.source import Footage
from renderer.export.timeline import Shot, Timeline
from renderer.export.view_path import Sight, ViewPath
from renderer.film.zoom import CanvasPlanes, zoom_frame
from renderer.numeric.rgb import RgbPlanes
from renderer.settings.plain_values import Size

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

_Canvas = CanvasPlanes | RgbPlanes
"""Pictures keep all of RGB; only films go through Y'CbCr with half the chroma."""

_CANVASES = 2


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Everything that any frame of an export follows from; travels to other processes."""

    footage: Footage
    timeline: Timeline
    view_path: ViewPath
    size: Size
    rgb: bool = False
    """Frames are (height, width, 3) sRGB; otherwise yuv420p buffers, as the film's own are."""
    bits: int = 8
    """Of a film's samples."""

    def frames(self, first: int = 0, count: int | None = None) -> Iterator[Pixels]:
        """``count`` frames from ``first``; all by default. Not to be written into.

        Raises ProjectError for a canvas that is missing or damaged.
        """
        maker = _Maker(self)
        end = self.timeline.frames if count is None else first + count
        for number in range(first, end):
            yield maker.frame(self.timeline.shot(number))

    def interval(self, frame: int) -> int:
        """The interval whose canvas ``frame`` mostly shows."""
        return self.view_path.sight(self.timeline.shot(frame).depth).interval


class _Maker:
    """Makes frames, keeping what the next one is likely to need."""

    def __init__(self, take: FrameSource) -> None:
        self._take = take
        self._canvases: OrderedDict[int, _Canvas] = OrderedDict()
        self._last: tuple[Shot, Pixels] | None = None

    def frame(self, shot: Shot) -> Pixels:
        if self._last is not None and self._last[0] == shot:
            return self._last[1]  # a hold
        view_path = self._take.view_path
        frame = self._view(view_path.sight(shot.depth))
        if shot.other is not None:
            frame = _mixed(frame, self._view(view_path.sight(shot.other)), shot.share)
        self._last = shot, frame
        return frame

    def _view(self, sight: Sight) -> Pixels:
        canvas = self._canvas(sight.interval)
        box = self._take.view_path.box(canvas.size, sight)
        if isinstance(canvas, RgbPlanes):
            return canvas.view((box.left, box.top, box.right, box.bottom), self._take.size)
        return zoom_frame(canvas, box, self._take.size, self._take.bits)

    def _canvas(self, interval: int) -> _Canvas:
        canvas = self._canvases.pop(interval, None)
        if canvas is None:
            while len(self._canvases) >= _CANVASES - (not self._take.timeline.overlap):
                self._canvases.popitem(last=False)
            rgb = self._take.footage.load(interval)
            canvas = (RgbPlanes if self._take.rgb else CanvasPlanes).from_rgb(rgb)
        self._canvases[interval] = canvas
        return canvas


def _mixed(one: Pixels, other: Pixels, share: float) -> Pixels:
    """``one`` with so much of ``other``; in steps of 1/256, rounded."""
    weight = round(share * 256)
    mixed = one.astype(np.uint32) * np.uint32(256 - weight)
    mixed += other.astype(np.uint32) * np.uint32(weight)
    mixed += np.uint32(128)
    result = np.empty_like(one)
    np.right_shift(mixed, 8, out=result, casting="unsafe")
    return result
