"""Contact sheets of a finished folder, painted the way the product paints: keyframe after keyframe.

python -m training.sample FOLDER SHEET.png --keyframes 30

For each prompt the first picture and the canvases around it, in reading order, ``COLUMNS`` a row;
and on the terminal the seconds a keyframe takes and the engine's seam and drift figures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.errors import RendererError, SettingsError
from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import first_picture, outpaint, picture_of
from renderer.painting.painters import Painter, find
from renderer.planning.defaults import fill_in
from renderer.settings import cosmos
from renderer.settings.render import RenderSettings
from training.painting import PROMPTS

COLUMNS = 10
_TILE = 160


def settings_for(folder: Path, prompt: str, seed: int) -> RenderSettings:
    """What the product would paint this prompt with, at the steps and guidance on the card."""
    card = cosmos.read_card(folder)
    if card is None:
        raise SettingsError(f"{folder} has no {cosmos.CARD}, which training.save writes")
    wishes = {
        "painter": "diffusion",
        "model": str(folder.resolve()),
        "prompt": prompt,
        "seed": seed,
        "steps": card.steps,
        "guidance_scale": card.guidance_scale,
        "scheduler": "",
    }
    return fill_in(wishes).settings


@dataclass(frozen=True, slots=True)
class Painted:
    """A keyframe, and what it took."""

    canvas: NDArray[np.uint8]
    """(H, W, 3) sRGB."""
    seconds: float
    seam: float | None = None
    """As the engine has it, as drift is; None for a first picture."""
    drift: float | None = None

    def __str__(self) -> str:
        figures = f"{self.seconds:.2f} s"
        if self.seam is not None:
            figures += f", seam {self.seam:.3f}, drift {self.drift:.2f}"
        return figures


def keyframes(
    painter: Painter,
    settings: RenderSettings,
    count: int,
    first: NDArray[np.uint8] | None = None,
) -> Iterator[Painted]:
    """The first ``count`` keyframes, the very first one ``first``, if that is given."""
    began = time.perf_counter()
    picture = first_picture(painter, settings, _ignore) if first is None else first
    reference = Reference.of(picture)
    yield Painted(picture, time.perf_counter() - began)
    for number in range(1, count):
        began = time.perf_counter()
        done = outpaint(
            painter, picture, settings, keyframe=number, reference=reference, on_step=_ignore
        )
        yield Painted(done.canvas, time.perf_counter() - began, done.seam, done.drift)
        picture = picture_of(done.canvas, settings)


def sheet(rows: list[list[Image.Image]]) -> Image.Image:
    """Tiles in rows, on black."""
    width = max(len(row) for row in rows)
    whole = Image.new("RGB", (width * _TILE, len(rows) * _TILE))
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            whole.paste(
                tile.resize((_TILE, _TILE), Image.Resampling.LANCZOS), (x * _TILE, y * _TILE)
            )
    return whole


def _ignore(done: int, total: int) -> None:
    """There is no viewer."""


def main() -> int:
    """Paint the sheets."""
    parser = argparse.ArgumentParser(prog="python -m training.sample", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--keyframes", type=int, default=COLUMNS)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), help="how many of them")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows: list[list[Image.Image]] = []
    try:
        painter: Painter | None = None
        for prompt in PROMPTS[: given.prompts]:
            settings = settings_for(given.folder, prompt, given.seed)
            painter = painter or find(settings.painter)(settings)
            tiles = []
            for number, painted in enumerate(keyframes(painter, settings, given.keyframes)):
                print(f"{prompt}: keyframe {number}, {painted}", flush=True)
                tiles.append(Image.fromarray(painted.canvas))
            rows += [tiles[n : n + COLUMNS] for n in range(0, len(tiles), COLUMNS)]
    except (RendererError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    given.sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet(rows).save(given.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
