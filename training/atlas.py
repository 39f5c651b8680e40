"""Pictures of any sizes, at many scales, in one tensor, looked at anywhere in one go.

Each picture is kept at 1, 2^-½, 2^-1 … of its size, each a run of pixels in one long row, with
red, green and blue in the bytes of one number: so a batch of views into a hundred pictures is a
few gathers, however many pictures it looks at, and all pictures fit a GPU as bytes. Knows pixels
and places; nothing of chance and of captions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

LEVELS_PER_OCTAVE = 2
"""So a view is never more than 2^¼ larger or smaller than the level it is taken from."""
LEAST_SIDE = 12
"""There is no smaller level."""
AT_ONCE = 1 << 23, 1 << 17
"""So many pixels are looked at together: what a GPU's memory holds, what a CPU's cache holds."""


@dataclass(frozen=True, slots=True)
class Views:
    """Squares to look at, one a row; all tensors are (N,) on the atlas's device."""

    picture: Tensor
    """int64: which picture."""
    x: Tensor
    """float: where the middle is in the picture, pixels at its full size."""
    y: Tensor
    side: Tensor
    """float: side of the square, in the same pixels."""
    angle: Tensor
    """float: how the square is turned, radians."""
    mirrored: Tensor
    """bool: left and right change places."""
    rim: Tensor
    """float: over this share of the picture's sides it fades to the dark around it; 0: nowhere."""

    def at(self, rows: Tensor) -> Views:
        """Some of them."""
        return Views(*(getattr(self, name)[rows] for name in self.__slots__))


class Atlas:
    """Pictures (H, W, 3) uint8, on ``device``."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]], device: torch.device) -> None:
        runs: list[NDArray[np.int32]] = []
        table: list[list[tuple[int, int, int]]] = []
        begin = 0
        for picture in pictures:
            table.append([])
            for level in _levels(picture):
                height, width = level.shape[:2]
                table[-1].append((begin, width, height))
                runs.append(_packed(level))
                begin += height * width
        most = max(map(len, table))
        padded = [levels + [levels[-1]] * (most - len(levels)) for levels in table]
        self._pixels = torch.from_numpy(np.concatenate(runs)).to(device)
        self._table = torch.tensor(padded, dtype=torch.int64, device=device)
        self._last = torch.tensor([len(levels) - 1 for levels in table], device=device)
        self.width, self.height = self._table[:, 0, 1].float(), self._table[:, 0, 2].float()
        """(pictures,) float: their full sizes."""
        self.device = device

    def look(self, views: Views, size: int) -> Tensor:
        """What is seen: (N, 3, size, size) float in [0, 1]. Beyond a picture it is dark."""
        pixels = AT_ONCE[self.device.type == "cpu"]
        numbers = torch.arange(len(views.picture), device=self.device)
        parts = torch.split(numbers, max(1, pixels // size**2))
        return torch.cat([self._look(views.at(part), size) for part in parts])

    def _look(self, views: Views, size: int) -> Tensor:
        """Catmull-Rom cubic interpolation (Keys 1981, a = -½)."""
        run, x, y = self._places(views, size)
        left, top = torch.floor(x - 0.5), torch.floor(y - 0.5)
        across, down = _cubic(x - 0.5 - left), _cubic(y - 0.5 - top)
        columns = [run.column(left + tap) for tap in range(-1, 3)]
        seen = x.new_zeros((*x.shape, 4))
        for tap in range(4):
            row = run.row(top + (tap - 1))
            for column, weight in zip(columns, across, strict=True):
                seen.addcmul_(self._taken(row + column).float(), (weight * down[tap])[..., None])
        shown = _faded(x, run.width, views.rim) * _faded(y, run.height, views.rim)
        return ((seen[..., :3] / 255).clamp(0, 1) * shown[..., None]).permute(0, 3, 1, 2)

    def glance(self, views: Views, size: int) -> Tensor:
        """How much light is there, 0 to 1, by the nearest pixels of a (size, size) look: (N,)."""
        run, x, y = self._places(views, size)
        shown = (x >= 0) & (x < run.width) & (y >= 0) & (y < run.height)
        taken = self._taken(run.row(torch.floor(y)) + run.column(torch.floor(x)))
        return (taken[..., :3].amax(-1) / 255 * shown).mean((1, 2))

    def _taken(self, at: Tensor) -> Tensor:
        """(…) → (…, 4) uint8: red, green, blue and nothing."""
        return torch.take(self._pixels, at).view(torch.uint8).reshape(*at.shape, 4)

    def _places(self, views: Views, size: int) -> tuple[_Run, Tensor, Tensor]:
        """The levels to look at, and where each pixel of the views is in them: (N, size, size)."""
        level = torch.round(LEVELS_PER_OCTAVE * torch.log2(views.side / size)).long()
        level = level.clamp(min=0).minimum(self._last[views.picture])
        begin, width, height = self._table[views.picture, level][..., None, None].unbind(1)
        run = _Run(begin, width, height)

        steps = (torch.arange(size, device=self.device) + 0.5) / size - 0.5
        across = torch.where(views.mirrored, -views.side, views.side)[:, None, None] * steps
        down = views.side[:, None, None] * steps[:, None]
        cos, sin = torch.cos(views.angle)[:, None, None], torch.sin(views.angle)[:, None, None]
        x = views.x[:, None, None] + across * cos - down * sin
        y = views.y[:, None, None] + across * sin + down * cos
        full_width, full_height = self.width[views.picture], self.height[views.picture]
        x_scale, y_scale = width / full_width[:, None, None], height / full_height[:, None, None]
        return run, x * x_scale, y * y_scale


@dataclass(frozen=True, slots=True)
class _Run:
    """Where levels of pictures are in the long row; all (N, 1, 1) int64."""

    begin: Tensor
    width: Tensor
    height: Tensor

    def row(self, y: Tensor) -> Tensor:
        """Where the row ``y`` (float, whole) begins; beyond the picture its outermost row."""
        return self.begin + y.long().clamp(min=0).minimum(self.height - 1) * self.width

    def column(self, x: Tensor) -> Tensor:
        return x.long().clamp(min=0).minimum(self.width - 1)


def _levels(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The picture and what is left of it at smaller and smaller scales."""
    height, width = picture.shape[:2]
    levels = [picture]
    count = math.floor(LEVELS_PER_OCTAVE * math.log2(max(1, min(height, width) / LEAST_SIDE)))
    for number in range(1, count + 1):
        scale = 2 ** (-number / LEVELS_PER_OCTAVE)
        size = round(width * scale), round(height * scale)
        larger = Image.fromarray(levels[max(0, number - LEVELS_PER_OCTAVE)])
        levels.append(np.asarray(larger.resize(size, Image.Resampling.LANCZOS)))
    return levels


def _packed(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    wide = pixels.astype(np.int32)
    packed: NDArray[np.int32] = wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16
    return packed.reshape(-1)


def _cubic(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of the four neighbours of a point that lies ``t`` behind the second."""
    square, cube = t * t, t * t * t
    return (
        -0.5 * cube + square - 0.5 * t,
        1.5 * cube - 2.5 * square + 1,
        -1.5 * cube + 2 * square + 0.5 * t,
        0.5 * cube - 0.5 * square,
    )


def _faded(place: Tensor, length: Tensor, rim: Tensor) -> Tensor:
    """How much of a picture shows at a place along one of its sides, 0 to 1."""
    rim = rim[:, None, None]
    inside = torch.minimum(place, length - place) / (rim * length).clamp(min=1e-3)
    t = torch.where(rim > 0, inside, 1.0).clamp(0, 1)
    return t * t * (3 - 2 * t)
