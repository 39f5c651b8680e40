"""Pictures of the user's own that keyframes to come are to show: kept in the project as they are
to lie on the canvas, and recorded. Knows no painter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from renderer.errors import ProjectError, SettingsError
from renderer.files import flush_folder, storage_errors
from renderer.images import Picture, crop_to_fill, load_picture, read_keyframe, write_keyframe
from renderer.painting.geometry import Geometry
from renderer.project.history import History, Placed
from renderer.project.records import PLACED, placed_path
from renderer.settings.plain_values import dimensions
from renderer.settings.render import RenderSettings

MOST_ENLARGED = 2.0
"""A picture that would have to be enlarged by more is too small."""


def read_for_canvas(path: Path, settings: RenderSettings) -> Picture:
    """The picture, cropped to fill a canvas: (H, W, 3) sRGB of the geometry's canvas size.

    Raises SettingsError where it can't be read, or is too small.
    """
    size = Geometry.of(settings).canvas_size
    picture = load_picture(path)
    height, width = picture.shape[:2]
    enlarged = max(size[0] / width, size[1] / height)
    if enlarged > MOST_ENLARGED:
        least = (round(size[0] / MOST_ENLARGED), round(size[1] / MOST_ENLARGED))
        raise SettingsError(
            f"picture {path} is {width}x{height}, too small for a keyframe of this film: at least "
            f"{dimensions(least)}, and {dimensions(size)} to be sharp",
            "place",
        )
    return crop_to_fill(picture, size)


def check_place(history: History, keyframe: int) -> None:
    """Raise ProjectError unless ``keyframe`` is still to be painted."""
    if keyframe == 0:
        raise ProjectError("keyframe 1 is the first picture: `zoomtui render --image` gives it")
    if keyframe < len(history.keyframes):
        raise ProjectError(
            f"keyframe {keyframe + 1} is painted already; `zoomtui rewind` takes it back first"
        )


def refuse_dive(settings: RenderSettings, keyframe: int) -> None:
    """Raise SettingsError where the keyframe shows what the one before it does."""
    if settings.method == "refine":
        raise SettingsError(
            f"keyframe {keyframe + 1} dives into the picture before it, so it can't show one of "
            f"your own; `zoomtui render --image` gives a dive its first picture",
            "place",
        )


def store_placed(folder: Path, keyframe: int, picture: Picture) -> Placed:
    """Keep a picture for ``keyframe`` in the project, durably; its record. Raises StorageError."""
    place = folder / PLACED
    with storage_errors(place):
        place.mkdir(exist_ok=True)
        flush_folder(folder)
    beside = place / f"{keyframe:06d}.png"
    length, crc = write_keyframe(beside, picture, {"keyframe": keyframe, "painter": "placed"})
    placed = Placed(keyframe, length, crc)
    with storage_errors(place):
        beside.rename(placed_path(folder, placed))
        flush_folder(place)
    return placed


def load_placed(folder: Path, placed: Placed, settings: RenderSettings) -> Picture:
    """The picture as it was kept. Raises ProjectError."""
    size = Geometry.of(settings).canvas_size
    return read_keyframe(placed_path(folder, placed), size, placed.crc)


def unrecorded_places(folder: Path, history: History) -> Iterator[Path]:
    """Files that a kill has left without a record, and those that another one has replaced."""
    recorded = {placed_path(folder, placed) for placed in history.placed.values()}
    place = folder / PLACED
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.suffix in (".png", ".part") and path not in recorded:
            yield path
