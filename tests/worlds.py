"""Worlds whose true view is known at any zoom, and painters that paint exactly that.

A world is measured in pixels of keyframe 0; the zoom's centre is its origin. ``Scene`` is analytic
and never ends; ``PictureWorld`` is one large picture and ends at its edge. The factories at the
bottom can be named on the command line, for instance ``tests.worlds:true_border``.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from renderer.numeric.rgb import RgbPlanes
from renderer.painting.geometry import Geometry
from renderer.painting.painters import OnStep, PaintJob
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

Pixels = NDArray[np.uint8]
Point = tuple[float, float]
ORIGIN: Point = (0.0, 0.0)


class World(Protocol):
    """Something that can be seen truly at any zoom."""

    def view(self, pixel: float, size: Size, centre: Point = ORIGIN) -> Pixels:
        """The (H, W, 3) picture around ``centre`` whose pixels are ``pixel`` wide; antialiased."""
        ...


@functools.lru_cache(maxsize=128)
def true_canvas(world: World, geometry: Geometry, keyframe: int) -> Pixels:
    """What canvas ``keyframe`` should be. Read-only: it is shared."""
    size = geometry.canvas_size if keyframe else geometry.keyframe_size
    # The known part of a canvas has the pixels of the keyframe before.
    canvas = world.view(geometry.zoom_factor ** max(keyframe - 1, 0), size)
    canvas.flags.writeable = False
    return canvas


def true_frame(world: World, geometry: Geometry, time: float, size: Size) -> Pixels:
    """What the film should show at ``time``, in intervals from keyframe 0."""
    width = geometry.keyframe_size[0] * geometry.zoom_factor**time
    return world.view(width / size[0], size)


# ---------------------------------------------------------------------------------- pictures


@dataclass(frozen=True, eq=False)
class PictureWorld:
    """One large picture, seen through Pillow's Lanczos filter; a pixel of it is 1 wide."""

    picture: Image.Image

    def view(self, pixel: float, size: Size, centre: Point = ORIGIN) -> Pixels:
        half_w, half_h = size[0] * pixel / 2, size[1] * pixel / 2
        x, y = self.picture.width / 2 + centre[0], self.picture.height / 2 + centre[1]
        box = (x - half_w, y - half_h, x + half_w, y + half_h)
        return np.array(self.picture.resize(size, Image.Resampling.LANCZOS, box=box))


@functools.cache
def natural(side: int, seed: int = 1) -> PictureWorld:
    """Like a photograph: a 1/f spectrum, and things of every size with edges, a little soft."""
    rng = np.random.default_rng(seed)
    drawing = Image.new("RGB", (side, side), (110, 120, 130))
    pen = ImageDraw.Draw(drawing)
    for radius in np.sort(side / 5 * rng.random(900) ** 3)[::-1]:
        x, y = rng.uniform(0, side, 2)
        a, b = radius * rng.uniform(0.4, 1.0, 2) + 3
        colour = tuple(int(v) for v in rng.normal(115, 30) + rng.normal(0, 12, 3))
        pen.ellipse((x - a, y - b, x + a, y + b), fill=colour)
    drawing = drawing.filter(ImageFilter.GaussianBlur(0.8))
    noise = np.stack([_one_over_f(side, rng) for _ in range(2)], axis=2)
    mixed = noise @ np.array([[1.0, 0.9, 0.8], [-0.3, 0.0, 0.35]], np.float32)
    return PictureWorld(_image(np.asarray(drawing) + 14 * mixed))


@functools.cache
def hard(side: int, seed: int = 2) -> PictureWorld:
    """Fur or grass: fine strokes everywhere, as much detail as pixels can hold."""
    rng = np.random.default_rng(seed)
    drawing = Image.new("RGB", (side, side), (70, 90, 50))
    pen = ImageDraw.Draw(drawing)
    count = side * side // 60
    at = rng.uniform(0, side, (count, 2))
    lean = np.sin(at[:, 0] * 9 / side) + np.cos(at[:, 1] * 7 / side) + rng.normal(0, 0.25, count)
    reach = rng.uniform(8, 40, count)[:, None] * np.stack([np.cos(lean), np.sin(lean)], 1)
    ends = np.concatenate([at, at + reach], axis=1).tolist()
    colours = rng.normal((105, 125, 75), 12, (count, 3)) + rng.normal(0, 32, (count, 1))
    colours = np.clip(colours, 0, 255).astype(int).tolist()
    for line, colour, width in zip(ends, colours, rng.integers(1, 4, count).tolist(), strict=True):
        pen.line(line, fill=tuple(colour), width=width)
    return PictureWorld(drawing.filter(ImageFilter.GaussianBlur(0.5)))


def _one_over_f(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of standard deviation 1 whose amplitude falls as 1/f, as in photographs."""
    white = np.fft.rfft2(rng.standard_normal((side, side), np.float32))
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    noise = np.fft.irfft2(white / np.maximum(np.hypot(fx, fy), 2 / side), (side, side))
    noise -= noise.mean()
    return (noise / noise.std()).astype(np.float32)


# ---------------------------------------------------------------------------- analytic scene


@dataclass(frozen=True)
class Scene:
    """Endless and alike at every zoom: spiral bands, and gradient noise in octaves of all sizes.

    Every octave is 0 at the origin, so what is far larger than the view fades to nothing there, and
    brightness has no trend. ``level`` and ``contrast`` say how bright and how strong it is.
    """

    seed: int = 0
    level: float = 120.0
    contrast: float = 34.0

    _STEP = 1.9
    """From octave to octave; not 2, or the zeros of all lattices would lie on one another."""

    _FINER = 3
    """Samples for a pixel, each way, of whatever is small: no detail but what pixels can hold."""
    _SMALL = 5.0
    """Lattice cells up to so many pixels wide are small; the others need no antialiasing."""

    def view(self, pixel: float, size: Size, centre: Point = ORIGIN) -> Pixels:
        first, last = (
            math.log(pixel * n) / math.log(self._STEP) for n in (1 / self._FINER, 100 * max(size))
        )
        middle = math.log(pixel * self._SMALL) / math.log(self._STEP)
        small = range(math.floor(first), math.floor(middle) + 1)
        large = range(math.floor(middle) + 1, math.ceil(last) + 1)
        x, y = _centres(size, pixel, self._FINER, centre)
        light, tint = (self._noise(x, y, pixel / self._FINER, small, field) for field in (0, 1))
        light += self._bands(x, y, pixel / self._FINER)
        x, y = _centres(size, pixel, 1, centre)
        light, tint = (
            _reduced(fine, size) + self._noise(x, y, pixel / self._FINER, large, field)
            for field, fine in enumerate((light, tint))
        )
        planes = [light + 0.4 * tint, light - 0.1 * tint, light - 0.4 * tint]
        return np.array(_image(self.level + self.contrast * np.stack(planes, axis=2)))

    def _noise(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        fine: float,
        octaves: range,
        field: int,
    ) -> NDArray[np.float32]:
        """Perlin's gradient noise, summed over octaves: 1/f. Ken Perlin, SIGGRAPH 1985."""
        total = np.zeros((len(y), len(x)), np.float32)
        for octave in octaves:
            cell = self._STEP**octave
            seen = min(max(cell / fine - 1, 0.0), 1.0)
            total += seen * self._octave(x / cell, y / cell, (octave + 4096, field))
        return total

    def _octave(
        self, x: NDArray[np.float64], y: NDArray[np.float64], which: tuple[int, int]
    ) -> NDArray[np.float32]:
        """One octave at lattice coordinates, as products of matrices: it is separable."""
        ix, iy = (np.arange(math.floor(v[0]), math.floor(v[-1]) + 2) for v in (x, y))
        hashed = _hash(iy[:, None], ix[None, :], self.seed, *which)
        angle = hashed * np.float32(2 * math.pi / 2**32)
        dx, dy = (v[:, None] - i[None, :] for v, i in ((x, ix), (y, iy)))
        wx, wy = (_bump(d).astype(np.float32) for d in (dx, dy))
        across = wy @ np.cos(angle) @ (wx * dx).astype(np.float32).T
        down = (wy * dy).astype(np.float32) @ np.sin(angle) @ wx.T
        return np.asarray(across + down, np.float32)

    def _bands(
        self, x: NDArray[np.float64], y: NDArray[np.float64], fine: float
    ) -> NDArray[np.float32]:
        """Spirals, periodic in log r and in the angle; gone where pixels can't hold them."""
        radius = np.hypot(x[None, :], y[:, None]) + 1e-9 * fine
        log_r, angle = np.log(radius), np.arctan2(y[:, None], x[None, :])
        total = np.zeros(radius.shape, np.float32)
        for along, around, strength in ((9.0, 5, 0.3), (-14.0, 11, 0.22), (4.0, -3, 0.25)):
            wave = 2 * math.pi * radius / math.hypot(along, around) / fine
            seen = np.clip(wave / 3 - 1, 0, 1)
            phase = 2 * math.pi * _hash(self.seed, around + 64, 0, 0, 0) / 2**32
            total += strength * seen * np.cos(along * log_r + around * angle + phase)
        return total


def _centres(
    size: Size, pixel: float, finer: int, centre: Point = ORIGIN
) -> list[NDArray[np.float64]]:
    """Where the centres of columns and rows lie, ``finer`` samples for each pixel."""
    return [
        middle + (np.arange(n * finer) + 0.5 - n * finer / 2) * (pixel / finer)
        for n, middle in zip(size, centre, strict=True)
    ]


def _reduced(fine: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(fine).resize(size, Image.Resampling.LANCZOS))


def _bump(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Perlin's fade, 1 at a lattice point and 0 at its neighbours."""
    d = np.minimum(np.abs(distance), 1)
    return 1 - d * d * d * (d * (d * 6 - 15) + 10)


def _hash(a: object, b: object, *more: int) -> NDArray[np.float32]:
    """32 well mixed bits of whole numbers, the same everywhere; Wellons' lowbias32."""
    mixed = np.uint64(0)
    for value in (*more, a, b):
        mixed = (mixed ^ np.asarray(value).astype(np.int64).astype(np.uint64)) & _LOW
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            mixed = ((mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)) & _LOW
        mixed = mixed ^ (mixed >> np.uint64(16))
    return np.asarray(mixed, np.float32)


_LOW = np.uint64(0xFFFFFFFF)


def _image(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


# ---------------------------------------------------------------------------------- painters


@dataclass(frozen=True)
class TrueBorder:
    """Paints what is truly there, and leaves the known area exactly as it is."""

    world: World
    settings: RenderSettings

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        steps = self.settings.steps
        for step in range(steps):
            on_step(step + 1, steps)
        return np.where(job.mask[:, :, None], self.truth(job), job.canvas)

    def truth(self, job: PaintJob) -> Pixels:
        """The job's canvas in the world; the sequential method's are parts of the whole canvas."""
        geometry = Geometry.of(self.settings)
        canvas = true_canvas(self.world, geometry, job.keyframe)
        height, width = job.mask.shape
        if job.keyframe == 0:
            return canvas
        sizes = [call.canvas_size for call in geometry.calls(self.settings.method)]
        # Sides come in the order left, top, right, bottom: the first canvas still lacks the top.
        top = geometry.pad[1] if sizes.index((width, height)) == 0 and len(sizes) > 1 else 0
        return canvas[top : top + height, :width]


@dataclass
class SmallTruth:
    """Paints what is truly there, ``upscale`` times smaller, and can enlarge just that, truly.

    As a painter, it leaves the known area as it is; as an upscaler, it finds out where in the
    canvas that it painted last the part lies that it is shown.
    """

    world: World
    settings: RenderSettings
    rim: int
    """Pixels around its canvas, mirrored, of which it is shown some as well."""
    enlarged: int = 0
    """How many parts it was shown."""

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        factor = self.settings.upscale
        height, width = job.mask.shape
        whole = np.ones((factor * height, factor * width), np.bool_)
        large = replace(job, mask=whole, canvas=np.zeros((*whole.shape, 3), np.uint8))
        self._truth = TrueBorder(self.world, self.settings).paint(large, on_step)
        box = (0, 0, factor * width, factor * height)
        small = RgbPlanes.from_rgb(self._truth).view(box, (width, height))
        self._painted = np.where(job.mask[:, :, None], small, job.canvas)
        return self._painted

    def enlarge(self, part: Pixels) -> Pixels:
        self.enlarged += 1
        factor, (height, width) = self.settings.upscale, part.shape[:2]
        around, truth = (
            np.pad(each, ((rim, rim), (rim, rim), (0, 0)), mode="symmetric")
            for each, rim in ((self._painted, self.rim), (self._truth, factor * self.rim))
        )
        corners = around[: 1 + len(around) - height, : 1 + around.shape[1] - width]
        for top, left in np.argwhere((corners == part[0, 0]).all(axis=2)):
            if np.array_equal(around[top : top + height, left : left + width], part):
                rows = slice(factor * top, factor * (top + height))
                return truth[rows, factor * left : factor * (left + width)]
        raise AssertionError("it is shown what was not painted")


@dataclass(frozen=True)
class VaeLike:
    """From keyframe 1 on changes the whole picture, as a VAE's round trip does."""

    painter: TrueBorder
    gain: float | tuple[float, float, float] = 0.97
    offset: float | tuple[float, float, float] = 4.0
    blur: float = 0.6
    noise: float = 1.5

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        picture = self.painter.paint(job, on_step)
        if job.keyframe == 0:
            return picture
        soft = blurred(picture, self.blur)
        rng = np.random.default_rng(job.seed)
        grain = self.noise * rng.standard_normal(soft.shape, np.float32)
        shifted = np.asarray(self.gain) * soft + np.asarray(self.offset) + grain
        return np.clip(np.rint(shifted), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Vivid:
    """Paints what is truly there in the look that it is given, all of it too colourful.

    The look is luma's gain, chroma's gain and the mean colour of what is known, against the truth;
    both are seen out of focus, as each resampling makes fine detail a little stronger. Some grain,
    as any model leaves, keeps rounding from taking sides.
    """

    painter: TrueBorder
    by: float = 1.12
    noise: float = 0.5

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        truth = self.painter.paint(job, on_step).astype(float)
        if job.keyframe == 0:
            return truth.astype(np.uint8)
        rows, columns = (np.flatnonzero((~job.mask).any(axis=axis)) for axis in (1, 0))
        known = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        true, given = (
            blurred(picture[known], 3.0).astype(float).reshape(-1, 3)
            for picture in (self.painter.truth(job), job.canvas)
        )
        pairs = zip(
            _parts(true - true.mean(axis=0)), _parts(given - given.mean(axis=0)), strict=True
        )
        gains = [float((one * other).sum() / (one**2).sum()) for one, other in pairs]
        luma, chroma = _parts(truth - true.mean(axis=0))
        looked = given.mean(axis=0) + gains[0] * luma + gains[1] * chroma
        painted = np.where(job.mask[:, :, None], looked, truth)
        luma, chroma = _parts(painted)
        grain = self.noise * np.random.default_rng(job.seed).standard_normal(painted.shape)
        return np.clip(np.rint(luma + self.by * chroma + grain), 0, 255).astype(np.uint8)


def _parts(colours: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BT.709's luma, (…, 1), and chroma, (…, 3)."""
    luma = (colours @ np.array([0.2126, 0.7152, 0.0722]))[..., None]
    return luma, colours - luma


def blurred(picture: Pixels, sigma: float) -> NDArray[np.float32]:
    """A true Gaussian (Pillow's is made of boxes, and rounds)."""
    out = picture.astype(np.float32)
    if sigma <= 0:
        return out
    reach = math.ceil(4 * sigma)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        pad = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        wide, n = np.pad(out, pad, mode="edge"), out.shape[axis]
        out = sum(t * np.take(wide, range(i, i + n), axis) for i, t in enumerate(taps))
    return out


def true_border(settings: RenderSettings) -> TrueBorder:
    """Painter factory: the analytic scene of the settings' seed."""
    return TrueBorder(Scene(settings.seed), settings)


def vae_like(settings: RenderSettings) -> VaeLike:
    """Painter factory: the same scene through something like a VAE."""
    return VaeLike(true_border(settings))
