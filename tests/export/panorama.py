"""What the film's own tests measure by: pictures, keyframes made of them, and how near two are.

For the camera alone, without any painter: canvases are cut out of one large picture, with the
chain's own picture pasted back into the middle, as outpainting makes them. What a painter sees
and paints comes from ``tests.worlds``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from renderer.film.camera import Camera

Pixels = NDArray[np.uint8]


def leaves(side: int, seed: int) -> Image.Image:
    """Dead leaves (Lee, Mumford & Huang 2001): discs of power-law size that hide each other.

    The usual model of photographs: sharp edges at every scale and a 1/f spectrum. The smallest
    disc is such that the whole, seen at 320 pixels, has in every band of frequencies the energy
    that scikit-image's photograph "coffee" has, which is a sharp and contrasty one.
    """
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (side, side), (120, 110, 100))
    draw = ImageDraw.Draw(picture)
    count, smallest, largest = 3000, side / 80, side / 4
    radii = smallest / np.sqrt(rng.uniform((smallest / largest) ** 2, 1, count))
    middles = rng.uniform(0, side, (count, 2))
    tones = rng.normal(120, 50, (count, 1)) + rng.normal(0, 15, (count, 3))
    for radius, (x, y), tone in zip(radii, middles, tones.clip(10, 245), strict=True):
        ink = tuple(int(c) for c in tone)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def grass(side: int, seed: int) -> Image.Image:
    """Thin blades of all directions, light on dark: hard for any filter, as fur is."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (side, side), (40, 60, 30))
    draw = ImageDraw.Draw(picture)
    count = side * side // 60
    starts, angles = rng.uniform(0, side, (count, 2)), rng.normal(np.pi / 2, 0.5, count)
    lengths, tones = rng.uniform(6, 40, count), rng.uniform(0.3, 1.0, count)
    for (x, y), angle, length, tone in zip(starts, angles, lengths, tones, strict=True):
        end = x + length * np.cos(angle), y - length * np.sin(angle)
        ink = int(150 * tone), int(200 * tone), int(90 * tone)
        draw.line(((x, y), end), fill=ink, width=2)
    return picture.filter(ImageFilter.GaussianBlur(0.6))


@dataclass(frozen=True)
class Panorama:
    """A large picture, seen from its middle outwards by a camera."""

    picture: Image.Image
    camera: Camera

    def true_view(self, zoom: float, size: tuple[int, int]) -> Image.Image:
        """What the camera should see where its view is ``zoom`` times keyframe_size large."""
        width, height = (side * zoom for side in self.camera.keyframe_size)
        x, y = self.picture.width / 2, self.picture.height / 2
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return self.picture.resize(size, Image.Resampling.LANCZOS, box=box)

    def canvases(self, keyframes: int) -> list[Pixels]:
        """C(1) … C(keyframes): true borders around the chain's own picture."""
        zoom, size = self.camera.zoom_factor, self.camera.keyframe_size
        canvas_size = round(size[0] * zoom), round(size[1] * zoom)
        pads = (canvas_size[0] - size[0]) // 2, (canvas_size[1] - size[1]) // 2
        picture, canvases = self.true_view(1, size), []
        for k in range(1, keyframes + 1):
            canvas = self.true_view(zoom**k, canvas_size)
            canvas.paste(picture, pads)
            canvases.append(np.asarray(canvas))
            picture = canvas.resize(size, Image.Resampling.LANCZOS)
        return canvases


def ycbcr(rgb: NDArray[np.generic]) -> NDArray[np.float64]:
    """(..., 3) R'G'B' of 255 as BT.709 Y'CbCr in limited range, unrounded."""
    r, g, b = np.moveaxis(np.asarray(rgb, np.float64), -1, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    cb, cr = (b - y) / 1.8556, (r - y) / 1.5748
    return np.stack([16 + y * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255], axis=-1)


def psnr(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Of luma in limited range: the peak is 219."""
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return float(10 * np.log10(219**2 / max(error, 1e-9)))
