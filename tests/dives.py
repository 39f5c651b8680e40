"""Dives into worlds whose true view is known: painters, chains of canvases, and true frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from renderer.export.source import CanvasFile
from renderer.film.camera import Camera, Place, Way
from renderer.film.zoom import CanvasPlanes, Frame, closing_frame, interval_frames
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted, outpaint, picture_of
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.settings.render import RenderSettings
from tests.lossless import Luma, decoded, luma_of
from tests.worlds import Point, World, blurred

Pixels = NDArray[np.uint8]


def dived(place: Place | None, *, stops: bool = False) -> CanvasFile:
    """What the camera is told of a canvas with the next picture at that place; None: zooms out."""
    return CanvasFile(Path(), 0, place, stops)


@dataclass
class Dive:
    """A dive into ``world``, from a first picture whose pixels are ``pixel`` wide around ``at``."""

    world: World
    settings: RenderSettings
    pixel: float
    at: Point = (0.0, 0.0)
    focuses: Sequence[str] = ()
    """Of keyframe 1, 2, …; the last one goes on; none: the settings' own."""
    keyframes: list[Outpainted] = field(default_factory=list)
    centres: list[Point] = field(default_factory=list)
    """Of what keyframe 1, 2, … shows, in the world."""

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        """What is truly there: a painter."""
        assert job.refine
        on_step(1, 1)
        return self.true_canvas(job.keyframe)

    def true_canvas(self, keyframe: int) -> Pixels:
        size = Geometry.of(self.settings).canvas_size
        return self.world.view(self.pixel_of(keyframe), size, self.centres[keyframe - 1])

    def pixel_of(self, keyframe: int) -> float:
        """The width of a canvas's pixel in the world."""
        return self.pixel / self.settings.zoom_factor**keyframe

    def first(self) -> Pixels:
        return self.world.view(self.pixel, self.settings.keyframe_size, self.at)

    def run(self, painter: Painter | None = None) -> Iterator[Outpainted]:
        """Keyframe 1, 2, …, painted by ``painter``; None: by the truth."""
        picture = self.first()
        reference = Reference.of(picture)
        self.keyframes, self.centres = [], [self.at]
        for keyframe in range(1, self.settings.keyframes or 0):
            done = outpaint(
                painter or self,
                picture,
                self._settings_at(keyframe),
                keyframe=keyframe,
                reference=reference,
                on_step=lambda done, total: None,
            )
            dived_to = done.dives_to
            assert dived_to is not None
            picture = picture_of(done.canvas, self.settings, dived_to)
            self.keyframes.append(done)
            (x, y), pixel = self.centres[-1], self.pixel_of(keyframe)
            (width, height), (cw, ch) = self.settings.keyframe_size, done.canvas.shape[1::-1]
            dx, dy = dived_to[0] + width / 2 - cw / 2, dived_to[1] + height / 2 - ch / 2
            self.centres.append((x + dx * pixel, y + dy * pixel))
            yield done

    def _settings_at(self, keyframe: int) -> RenderSettings:
        if not self.focuses:
            return self.settings
        at = min(keyframe, len(self.focuses)) - 1
        return self.settings.changed({"focus": self.focuses[at]})

    def way(self, interval: int) -> Way:
        size = Geometry.of(self.settings).canvas_size
        canvases = [dived(done.dives_to) for done in self.keyframes]
        return list(Camera.of(self.settings).ways(size, canvases))[interval]

    def film(self, painter: Painter | None = None) -> list[Luma]:
        """The luma of every frame of the whole film."""
        camera, count = Camera.of(self.settings), self.settings.frames_per_keyframe

        def segments() -> Iterator[list[Frame]]:
            for number, done in enumerate(self.run(painter), start=2):
                planes = CanvasPlanes.from_rgb(done.canvas)
                frames = list(interval_frames(planes, camera, count, way=self.way(number - 2)))
                if number == self.settings.keyframes:
                    frames.append(closing_frame(planes, camera, self.way(number - 2)))
                yield frames

        return decoded(segments(), self.settings)

    def true_frame(self, number: int) -> Luma:
        """What the film should show in frame ``number``."""
        count = self.settings.frames_per_keyframe
        interval = min(number // count, len(self.keyframes) - 1)
        done, pixel = self.keyframes[interval], self.pixel_of(interval + 1)
        height, width = done.canvas.shape[:2]
        camera = Camera.of(self.settings)
        box = camera.view((width, height), number / count - interval, self.way(interval))
        x, y = self.centres[interval]
        middle = (
            x + ((box.left + box.right) / 2 - width / 2) * pixel,
            y + ((box.top + box.bottom) / 2 - height / 2) * pixel,
        )
        size = self.settings.size
        return luma_of(self.world.view(box.width / size[0] * pixel, size, middle))


@dataclass(frozen=True)
class VaeLikeDive:
    """The truth, changed as a VAE's round trip does."""

    dive: Dive
    gain: float = 0.97
    offset: float = 4.0
    blur: float = 0.6
    noise: float = 1.5

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        soft = blurred(self.dive.paint(job, on_step), self.blur)
        rng = np.random.default_rng(job.seed)
        grain = self.noise * rng.standard_normal(soft.shape, np.float32)
        shifted = self.gain * soft + self.offset + grain
        return np.clip(np.rint(shifted), 0, 255).astype(np.uint8)
