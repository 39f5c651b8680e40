"""The list of training pictures, ``catalogue.csv``: reads it and refuses what can't be right.

One row a picture, chosen by eye and by licence. Knows no pixels and no folders.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from renderer.errors import SettingsError

REPOSITORY = "zoomtui"
"""The ``source`` of a picture that this repository ships itself."""
STELLARIUM = "stellarium-data"
"""The Debian package with photographs of nebulae, clusters and galaxies."""

LICENCES = {
    "public domain": "no rights claimed, or waived by the author",
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "free with credit": "the author allows free use, changes and passing on, with the credit given",
}
"""The licences that a picture may have. None of them asks for the same licence again."""

FRAMINGS = {
    "filled": "goes on beyond the frame; a crop lies inside it",
    "alone": "one thing in the dark; more dark may be put around it",
}
HELD_OUT = 12, 2
"""Of so many rows the one of that number is never trained on, but measures what a model does to
pictures that it hasn't seen."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A row of the catalogue."""

    name: str
    """Short and unique, fit for a file name."""
    kind: str
    """What it shows: a key of ``captions.KINDS``."""
    framing: str
    """One of ``FRAMINGS``."""
    subject: str
    """What it shows, for people: ``"Lagoon Nebula, Messier 8"``."""
    source: str
    """The Debian package it comes from, or ``REPOSITORY``."""
    files: tuple[str, ...]
    """File names in that source; several are the tiles of a square mosaic, in reading order."""
    crop: tuple[float, float, float, float] | None
    """Left, top, right and bottom of the part that is used, 0 to 1; None: found by itself."""
    licence: str
    """A key of ``LICENCES``."""
    credit: str
    """The author, exactly as the source names them."""
    origin: str
    """The page that the source names for the picture; empty where it names none."""
    held_out: bool
    """Kept from training."""


@cache
def catalogue() -> tuple[Picture, ...]:
    """All pictures in the order of the file. Raises SettingsError with the line that is wrong."""
    text = resources.files(__package__).joinpath("catalogue.csv").read_text("utf-8")
    return read_catalogue(text)


def read_catalogue(text: str) -> tuple[Picture, ...]:
    """The pictures of a catalogue's text (CSV with a header line). Raises SettingsError."""
    pictures: list[Picture] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=1):
        try:
            picture = _picture(row, held_out=number % HELD_OUT[0] == HELD_OUT[1])
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"picture catalogue, line {number + 1}: {error}") from error
        if any(picture.name == other.name for other in pictures):
            raise SettingsError(f"picture catalogue, line {number + 1}: {picture.name} again")
        pictures.append(picture)
    return tuple(pictures)


def _picture(row: dict[str, str], *, held_out: bool) -> Picture:
    if None in row or None in row.values():
        raise ValueError("not as many cells as the header has")
    for cell in ("name", "kind", "subject", "source", "files", "credit"):
        if not row[cell].strip():
            raise ValueError(f"no {cell}")
    if row["licence"] not in LICENCES:
        known = ", ".join(LICENCES)
        raise ValueError(f"licence {row['licence']!r} is none of those allowed: {known}")
    if row["framing"] not in FRAMINGS:
        raise ValueError(f"framing {row['framing']!r} is neither {' nor '.join(FRAMINGS)}")
    files = tuple(row["files"].split())
    if round(len(files) ** 0.5) ** 2 != len(files):
        raise ValueError(f"{len(files)} tiles make no square mosaic")
    return Picture(
        name=row["name"],
        kind=row["kind"],
        framing=row["framing"],
        subject=row["subject"],
        source=row["source"],
        files=files,
        crop=_crop(row["crop"]),
        licence=row["licence"],
        credit=row["credit"],
        origin=row["origin"],
        held_out=held_out,
    )


def _crop(text: str) -> tuple[float, float, float, float] | None:
    if not text.strip():
        return None
    left, top, right, bottom = (float(percent) / 100 for percent in text.split())
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"crop {text!r} is not `left top right bottom` in per cent")
    return left, top, right, bottom


def packages() -> tuple[str, ...]:
    """The Debian packages that the pictures come from, sorted."""
    return tuple(sorted({picture.source for picture in catalogue()} - {REPOSITORY}))
