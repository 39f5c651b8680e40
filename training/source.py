"""Where stages get pictures from, and how they show some: tensors in, a PNG out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional


class Source(Protocol):
    """Training pictures."""

    def batch(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        """(count, 3, size, size) float sRGB in [-1, 1] on the device, and a caption for each.

        ``generator`` is on the CPU; the same one gives the same pictures.
        """


def open_pack(folder: Path, device: torch.device) -> tuple[Source, Source]:
    """The pictures to train on, and those that are held out."""
    from training.dataset import Pictures

    return Pictures(folder, device, "train"), Pictures(folder, device, "held-out")


def save_sheet(path: Path, rows: Sequence[Tensor], *, side: int = 256) -> None:
    """Rows of pictures, (N, 3, H, W) in [-1, 1] each, as one PNG of tiles of that side."""
    tiles = [
        torch.cat([*functional.interpolate(row.float(), (side, side), mode="area")], 2)
        for row in rows
    ]
    levels = ((torch.cat(tiles, 1).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.permute(1, 2, 0).cpu().numpy()).save(path)
