"""A call's latents as a small picture, for viewers that ask to see what is being painted.

Each cell of the latents gives, by a linear map, roughly the colour of its square of pixels.
The map is not taken from a table of models: it is learned from what the pipeline itself makes of
its latents, by least squares over the cells of each picture that was painted while a viewer
watched. So it fits every autoencoder, in whatever order a pipeline packs its latents, and costs
nothing but a few sums; but there is no map before the first such picture. Latents in the middle of
a call are half noise, and so is what they show.

Nothing here waits for the device: a preview leaves it while the next step is computed, and is shown
when that is done. Knows jobs and latents; knows neither models nor viewers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from renderer.painting.painters import PaintJob, preview_hook

_FORGETS = 0.5
"""Factor on the weight of all earlier pictures at each new one: colours change along a film."""
_RIDGE = 1e-3
"""Keeps the map small in directions in which the pictures so far have not varied."""


class Previewer:
    """For one pipeline, one call at a time, on the thread that calls it."""

    def __init__(self) -> None:
        self._seen: tuple[torch.Tensor, torch.Tensor] | None = None
        """Sums over cells: latents x latents and latents x colours, on the CPU, float64."""
        self._map: torch.Tensor | None = None
        """(C + 1, 3): latents, and a 1, to sRGB in [0, 1]."""
        self._leaving: _Leaving | None = None
        self._last: torch.Tensor | None = None
        """The newest latents of the call in hand, where its picture is to be learned from."""

    def begin(self) -> None:
        """A call begins; nothing of the one before is shown any more."""
        self._leaving = self._last = None

    def at_step_end(self, latents: torch.Tensor, job: PaintJob) -> None:
        """To be called at the end of each step, with all the latents that there are."""
        if self._last is not None:
            self._last = latents
        if self._leaving is None and preview_hook.wanted():
            self._last = latents
            cells = _cells(latents, *job.mask.shape)
            if self._map is not None and cells is not None:
                self._leaving = _Leaving(_pixels(cells @ self._map))
        if self._leaving is not None and self._leaving.arrived():
            preview_hook.show(_over(self._leaving.pixels.numpy(), job))
            self._leaving = None

    def end(self, picture: torch.Tensor) -> None:
        """The call has made ``picture``, (3, H, W) in [0, 1]: learn from it if a viewer looked."""
        latents, self._last, self._leaving = self._last, None, None
        if latents is None or not bool(torch.isfinite(picture).all()):
            return
        cells = _cells(latents, *picture.shape[1:])
        if cells is None:
            return
        rows, columns, channels = cells.shape
        boxes = torch.nn.functional.adaptive_avg_pool2d(picture[None].float(), (rows, columns))
        known = cells.reshape(-1, channels)
        colours = boxes[0].permute(1, 2, 0).reshape(-1, 3)
        squares = (known.T @ known).double().cpu() / len(known)
        products = (known.T @ colours).double().cpu() / len(known)
        if self._seen is not None and self._seen[0].shape == squares.shape:
            squares += _FORGETS * self._seen[0]
            products += _FORGETS * self._seen[1]
        self._seen = squares, products
        ridge = _RIDGE * torch.eye(channels, dtype=torch.float64)
        self._map = torch.linalg.solve(squares + ridge, products).to(known)


class _Leaving:
    """A preview on its way from the device: (h, w, 3) uint8."""

    def __init__(self, pixels: torch.Tensor) -> None:
        self.pixels = pixels.to("cpu", non_blocking=pixels.is_cuda)
        self._event: Any = None
        if pixels.is_cuda:
            self._event = torch.cuda.current_stream().record_event()

    def arrived(self) -> bool:
        return self._event is None or bool(self._event.query())


def _cells(latents: torch.Tensor, height: int, width: int) -> torch.Tensor | None:
    """The first picture's latents, (h, w, C + 1) float32 with a 1 at the end; None: of no known
    shape.

    They come as (N, C, h, w), or packed in rows as (N, h·w, C). Samplers differ in how strong they
    let noise be: latents stronger than finished ones (about 1) are brought down to that.
    """
    if latents.ndim == 4:
        cells = latents[0].permute(1, 2, 0)
    elif latents.ndim == 3:
        rows = round(math.sqrt(latents.shape[1] * height / width))
        if rows == 0 or latents.shape[1] % rows:
            return None
        cells = latents[0].reshape(rows, latents.shape[1] // rows, -1)
    else:
        return None
    cells = cells.float()
    cells = cells / cells.std().clamp(min=1.0)
    return torch.cat([cells, torch.ones_like(cells[:, :, :1])], dim=2)


def _pixels(colours: torch.Tensor) -> torch.Tensor:
    """(h, w, 3) in [0, 1] → uint8, made small."""
    width, height = preview_hook.fitting(colours.shape[1], colours.shape[0])
    small = torch.nn.functional.adaptive_avg_pool2d(colours.permute(2, 0, 1), (height, width))
    return (small.permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).contiguous()


def _over(pixels: NDArray[np.uint8], job: PaintJob) -> NDArray[np.uint8]:
    """The preview where the job paints, and what is known where it doesn't."""
    size = (pixels.shape[1], pixels.shape[0])
    known = Image.fromarray(job.canvas).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    share = Image.fromarray(job.mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)
    return np.array(Image.composite(Image.fromarray(pixels), known, share))
