"""A keyframe's canvas as BT.709 Y'CbCr planes, ready to be resampled many times.

The conversion to the film's colours happens once a canvas instead of once a frame. Resampling is
linear and so is the conversion, so their order makes no difference but for clipping. Knows nothing
of frames or cameras.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renderer.numeric.kernels import kernel
from renderer.numeric.resample import FRACTION
from renderer.settings.plain_values import Size

_TILE = 16
"""Side of the squares in which planes are turned, small enough to stay in the nearest cache."""


@dataclass(frozen=True, slots=True, eq=False)
class CanvasPlanes:
    """A canvas in BT.709 Y'CbCr, limited range, with chroma at full resolution.

    Each plane is (width, height) uint16, C-contiguous: transposed, as ``resample`` wants it, in 8.8
    fixed point. Eight bits would round twice; float32 is no more exact in the film and moves twice
    the memory.
    """

    luma: NDArray[np.uint16]
    blue: NDArray[np.uint16]
    red: NDArray[np.uint16]

    @classmethod
    def from_rgb(cls, rgb: NDArray[np.uint8]) -> CanvasPlanes:
        """Convert (H, W, 3) sRGB. Raises ValueError for any other shape or type."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
            raise ValueError(f"a canvas is (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
        shape = rgb.shape[1], rgb.shape[0]
        planes = [np.empty(shape, np.uint16) for _ in range(3)]
        # Writable only so that numba, to which a read-only array is another type, compiles once.
        _convert(np.require(rgb, requirements=("C", "W")), *planes)
        return cls(*planes)

    @property
    def size(self) -> Size:
        """(width, height) of the canvas."""
        width, height = self.luma.shape
        return width, height


@kernel
def _convert(
    rgb: NDArray[np.uint8],
    luma: NDArray[np.uint16],
    blue: NDArray[np.uint16],
    red: NDArray[np.uint16],
) -> None:
    """ITU-R BT.709-6, 3.2–3.4: Y' = 16 … 235, Cb and Cr = 16 … 240, times FRACTION."""
    kr, kb = 0.2126, 0.0722
    to_luma = np.float32(219 / 255 * FRACTION)
    to_blue = np.float32(224 / 255 * FRACTION / (2 * (1 - kb)))
    to_red = np.float32(224 / 255 * FRACTION / (2 * (1 - kr)))
    weight_r, weight_g, weight_b = np.float32(kr), np.float32(1 - kr - kb), np.float32(kb)
    black, grey = np.float32(16 * FRACTION + 0.5), np.float32(128 * FRACTION + 0.5)
    height, width = rgb.shape[:2]
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            for x in range(left, min(left + _TILE, width)):
                for y in range(top, min(top + _TILE, height)):
                    r, g, b = (
                        np.float32(rgb[y, x, 0]),
                        np.float32(rgb[y, x, 1]),
                        np.float32(rgb[y, x, 2]),
                    )
                    light = weight_r * r + weight_g * g + weight_b * b
                    luma[x, y] = np.uint16(light * to_luma + black)
                    blue[x, y] = np.uint16((b - light) * to_blue + grey)
                    red[x, y] = np.uint16((r - light) * to_red + grey)
