"""Make the training set: ``python -m training.pack SOURCES PACK``.

SOURCES is what ``training.fetch`` filled. PACK gets the pictures of the catalogue, cut to what is
worth learning, and ``pictures.json``, which says of each what it shows, whose it is and under
which licence. The same sources give the same bytes.

The pictures are kept without loss (WebP), as stars suffer first: nearly all of them have 256
colours, and such a star field comes smaller that way than as a JPEG of quality 92, which is off
by 4 of 255 at the peaks of the stars.
"""

from __future__ import annotations

import argparse
import io
import logging
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from renderer.errors import RendererError, SettingsError, StorageError
from renderer.files import replace_file, storage_errors
from renderer.formatting import size_text
from training.pictures import catalogue, cropping, stellarium
from training.pictures.catalogue import Picture
from training.pictures.listing import LIST, Packed, list_text

log = logging.getLogger("training")

LIMIT = 40 << 20
"""A pack may weigh so many bytes: it travels to the machine that trains."""
MAX_SIDE = 2048
"""A larger picture is scaled down."""
MIN_SIDE = 96
"""A smaller one shows nothing."""
SHIPPED = Path(__file__).parents[1] / "renderer/assets"
"""The pictures of this repository's own."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the pictures of one source lie, and whom it names as their authors."""

    folder: Path
    credits: dict[str, str] | None
    """File name → author; None: the catalogue is the only one to say."""


def pack(pictures: Sequence[Picture], sources: Path, folder: Path) -> int:
    """Write the pack of ``pictures`` and return the size of its pictures in bytes.

    Raises SettingsError for a source that is missing, unreadable or credited to another author than
    the catalogue says, and for a ``folder`` that holds something else; StorageError when the pack
    gets too large.
    """
    with _replacing(folder) as beside:
        rows: list[Packed] = []
        total = 0
        known: dict[str, Source] = {}
        for picture in pictures:
            if picture.source not in known:
                known[picture.source] = _source(picture.source, sources)
            pixels = prepare(picture, known[picture.source])
            data = _webp(pixels)
            total += len(data)
            if total > LIMIT:
                raise StorageError(
                    f"the pack gets larger than {size_text(LIMIT)} at {picture.name}: "
                    f"leave pictures out of the catalogue"
                )
            replace_file(beside / f"{picture.name}.webp", data, durable=False)
            rows.append(_row(picture, pixels))
        replace_file(beside / LIST, list_text(rows).encode(), durable=False)
    return total


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder beside ``folder``, to take its place when the block ends without an error."""
    beside = folder.with_name(folder.name + ".part")
    with storage_errors(folder):
        if folder.exists() and any(folder.iterdir()) and not (folder / LIST).is_file():
            raise SettingsError(f"{folder} holds something else than a pack: name a new folder")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
    try:
        yield beside
        with storage_errors(folder):
            if folder.exists():
                shutil.rmtree(folder)
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _source(name: str, sources: Path) -> Source:
    if name == catalogue.REPOSITORY:
        return Source(SHIPPED, None)
    folder = sources / name / stellarium.FOLDER
    path = folder / stellarium.LIST
    if name != catalogue.STELLARIUM or not path.is_file():
        raise SettingsError(f"no {path}: run `python -m training.fetch {sources}` first")
    with storage_errors(path):
        return Source(folder, stellarium.credits_by_file(path.read_text("utf-8")))


def prepare(picture: Picture, source: Source) -> cropping.Pixels:
    """The part of a picture that is packed: (H, W, 3) uint8 sRGB. Raises SettingsError."""
    tiles = []
    for file in picture.files:
        if source.credits is not None and source.credits.get(file) != picture.credit:
            raise SettingsError(
                f"{file} is credited to {source.credits.get(file)!r}, not to {picture.credit!r} "
                f"as the catalogue says: read its licence again, then mend the catalogue"
            )
        tiles.append(_read(source.folder / file))
    pixels = cropping.mosaic(tiles)
    if picture.crop is not None:
        pixels = cropping.cut(pixels, picture.crop)
    elif picture.framing == "alone":
        pixels = cropping.around_thing(pixels)
    else:
        pixels = cropping.without_rim(pixels)
    pixels = _at_most(pixels, MAX_SIDE)
    if min(pixels.shape[:2]) < MIN_SIDE:
        raise SettingsError(f"{picture.name} has only {pixels.shape[1]}×{pixels.shape[0]} pixels")
    return pixels


def _read(path: Path) -> cropping.Pixels:
    """A picture as it looks before black: stellarium adds its light to the sky's."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise SettingsError(f"can't read the picture {path}: {error}") from error
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)


def _at_most(pixels: cropping.Pixels, side: int) -> cropping.Pixels:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = round(width * scale), round(height * scale)
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(small)


def _webp(pixels: cropping.Pixels) -> bytes:
    data = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(data, "WEBP", lossless=True, quality=80, method=4)
    return data.getvalue()


def _row(picture: Picture, pixels: cropping.Pixels) -> Packed:
    return Packed(
        file=f"{picture.name}.webp",
        kind=picture.kind,
        framing=picture.framing,
        held_out=picture.held_out,
        width=pixels.shape[1],
        height=pixels.shape[0],
        subject=picture.subject,
        source=picture.source,
        credit=picture.credit,
        licence=picture.licence,
    )


def report(pictures: Sequence[Picture], total: int) -> Iterator[str]:
    """What a pack holds, line by line."""
    held = sum(picture.held_out for picture in pictures)
    yield f"{len(pictures)} pictures, {held} of them held out, {size_text(total)}"
    for kind, count in Counter(picture.kind for picture in pictures).most_common():
        yield f"{count:5} {kind}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status that ``renderer.errors`` documents."""
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("sources", type=Path, help="the folder that training.fetch filled")
    parser.add_argument("pack", type=Path, help="the folder to write: new, or a pack to replace")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    pictures = catalogue.catalogue()
    try:
        total = pack(pictures, options.sources, options.pack)
    except RendererError as error:
        log.error("%s", error)
        return error.exit_code
    for line in report(pictures, total):
        log.info("%s", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
