"""Small pictures of skies, and folders that look like the packages they come in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.pack import pack
from training.pictures import stellarium
from training.pictures.catalogue import Picture

Pixels = NDArray[np.uint8]


def stars(side: int, seed: int = 0, colour: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    """Sharp stars on a dim ground, (side, side, 3)."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), 12, np.uint8)
    for y, x in rng.integers(2, side - 2, (side * side // 250, 2)):
        pixels[y, x] = colour
        pixels[y, x + 1] = np.array(colour) // 2
    return pixels


def cloud(side: int, colour: tuple[int, int, int]) -> Pixels:
    """A cloud that fills the frame, brighter and darker, (side, side, 3)."""
    y, x = np.mgrid[:side, :side] / side
    light = 0.7 + 0.15 * np.sin(9 * x + 4 * y) + 0.15 * np.cos(7 * y)
    shaded: Pixels = (light[..., None] * np.array(colour)).astype(np.uint8)
    return shaded


def faded(pixels: Pixels, rim: int) -> Pixels:
    """The same, fading to black over ``rim`` pixels at every side."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    inside = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    dimmed: Pixels = (pixels * np.clip(inside / rim, 0, 1)[..., None]).astype(np.uint8)
    return dimmed


def disc(side: int, radius: int, colour: tuple[int, int, int]) -> Pixels:
    """A round thing in the middle of the dark, (side, side, 3)."""
    y, x = np.mgrid[:side, :side] - side / 2 + 0.5
    return np.where((x * x + y * y < radius * radius)[..., None], colour, 0).astype(np.uint8)


def picture(name: str, kind: str = "nebula", **other: object) -> Picture:
    """A row of a catalogue: ``name``.png of stellarium's, by A. Uthor, that fills its frame."""
    row: dict[str, object] = {
        "name": name,
        "kind": kind,
        "framing": "filled",
        "subject": f"the {name}",
        "source": "stellarium-data",
        "files": (f"{name}.png",),
        "crop": None,
        "licence": "CC BY 4.0",
        "credit": "A. Uthor",
        "origin": "",
        "held_out": False,
    }
    return Picture(**(row | other))  # type: ignore[arg-type]


def write_package(sources: Path, pictures: dict[str, Pixels], credit: str = "A. Uthor") -> Path:
    """What ``training.fetch`` leaves of stellarium's package: pictures by name, and their list."""
    folder = sources / "stellarium-data" / stellarium.FOLDER
    folder.mkdir(parents=True)
    entries = []
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
        entries.append(
            f'{{"imageCredits" : {{"Short": {json.dumps(credit)}, "infoUrl": ""}},\n'
            f'"imageUrl" : "{name}.png",\n"worldCoords" : [[[1.5,-.9794]]]}}'
        )
    (folder / stellarium.LIST).write_text('{"subTiles" : [\n' + ",\n".join(entries) + "]}")
    return folder


def small_pack(folder: Path) -> Path:
    """A pack of six pictures, one of them held out, in ``folder``/pack."""
    pictures = {
        "red": (cloud(160, (220, 40, 50)), picture("red")),
        "blue": (cloud(200, (40, 70, 220)), picture("blue")),
        "field": (stars(220), picture("field", "star field")),
        "ring": (
            disc(180, 60, (60, 200, 90)),
            picture("ring", "planetary nebula", framing="alone"),
        ),
        "spiral": (disc(140, 40, (230, 190, 60)), picture("spiral", "galaxy", framing="alone")),
        "other": (stars(200, seed=1), picture("other", "star field", held_out=True)),
    }
    write_package(folder / "sources", {name: pixels for name, (pixels, _) in pictures.items()})
    pack([row for _, row in pictures.values()], folder / "sources", folder / "pack")
    return folder / "pack"
