"""An RGB picture of which any part can be had at any size. Knows no frames, files or cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.resample import FRACTION, lanczos_taps, resample
from renderer.settings.plain_values import Size

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class RgbPlanes:
    """A picture as planes: (3, width, height) uint16 in 8.8 fixed point, as ``resample`` wants."""

    planes: NDArray[np.uint16]

    @classmethod
    def from_rgb(cls, rgb: Pixels) -> RgbPlanes:
        """Convert (H, W, 3) sRGB."""
        turned = rgb.transpose(2, 1, 0)
        return cls(np.multiply(turned, FRACTION, dtype=np.uint16, order="C"))

    @property
    def size(self) -> Size:
        """(width, height) of the picture."""
        _, width, height = self.planes.shape
        return width, height

    def view(self, box: tuple[float, float, float, float], size: Size) -> Pixels:
        """The part ``box`` as a (height, width, 3) sRGB picture of ``size``; Lanczos-3.

        ``box`` is left, top, right, bottom: real numbers in pixels, edge to edge.
        """
        (left, top, right, bottom), (width, height) = box, size
        across = lanczos_taps(left, right, width, self.size[0])
        down = lanczos_taps(top, bottom, height, self.size[1])
        picture = np.empty((height, width, 3), np.uint8)
        for channel, plane in enumerate(self.planes):
            resample(plane, across, down, 0, 255, picture[:, :, channel])
        return picture
