"""Keyframes made elsewhere → a normal project: their order and zoom factor found, canvases built.

The innermost picture becomes keyframe 0. Around it the next one is enlarged to the canvas's pixels,
matched in colour, and what lies inside is pasted in pixel for pixel, as after painting; so the film
is as continuous as any. Knows no terminal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from renderer.errors import SettingsError
from renderer.files import making_folder
from renderer.images import Picture, load_picture
from renderer.painting import colour_match
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import picture_of
from renderer.planning.defaults import fill_in
from renderer.planning.registration import LIKE, THUMB, Fit, Grey, find_order, fit
from renderer.project.create import create_project, refuse_occupied
from renderer.project.project import Project
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
_MULTIPLE = 8
"""Sides of keyframes are multiples of this, so that any painter can go on from them."""
_ROUND = (2.0, 1.5, 4 / 3, 1.25, 1.2, 3.0, 4.0, 1.75, 5 / 3)
"""Factors that people choose; a measured one within ``_NEAR``, as a share, is taken to be it."""
_NEAR = 5e-4
_UNEVEN = 0.01
"""How far, as a share, a pair's factor may be from the chain's."""
_ASTRAY = 0.02
"""How far, as a share of its width, a picture may lie from where the chain puts it."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Chain:
    """Pictures that lie inside one another."""

    files: tuple[Path, ...]
    """From the innermost one outwards."""
    size: Size
    """Of all of them, cut to multiples that painters want."""
    zoom_factor: float
    fits: tuple[Fit, ...]
    """Of each pair."""


def find_chain(folder: Path) -> Chain:
    """Look at all pictures in ``folder``. Raises SettingsError, naming what does not fit."""
    files = _files(folder)
    size, thumbs = _thumbs(files)
    order = find_order(thumbs)
    chosen = tuple(files[index] for index in order.indices)
    for (inner, outer), like in zip(pairwise(chosen), order.likeness, strict=True):
        if like < LIKE:
            raise SettingsError(_stranger(inner, outer, like))
    fits = tuple(_fits(chosen, size, order.factors))
    factor = _common(chosen, fits)
    _check_course(chosen, fits, factor, size)
    return Chain(chosen, size, factor, fits)


def import_chain(
    chain: Chain, out: Path, wishes: Mapping[str, Any], on_progress: OnProgress
) -> RenderSettings:
    """Make the project ``out``, whole or not at all; ``wishes`` are those of ``fill_in``.

    Raises SettingsError, ProjectError where something is there already, StorageError.
    """
    refuse_occupied(out)
    width, height = chain.size
    own = {
        "painter": "texture",
        "keyframe_size": f"{width}x{height}",
        "size_multiple": _MULTIPLE,
        "zoom_factor": chain.zoom_factor,
        "keyframes": len(chain.files),
    }
    settings = fill_in({**own, **wishes}).settings
    with making_folder(out) as beside:
        first = _load(chain.files[0], chain.size)
        create_project(beside, settings, picture=first)
        with Project.open(beside) as project:
            for keyframe, canvas, made in _canvases(chain, first, settings):
                project.add_keyframe(keyframe, canvas, made)
                on_progress(keyframe + 1, len(chain.files))
    return settings


def _canvases(
    chain: Chain, first: Picture, settings: RenderSettings
) -> Iterator[tuple[int, Picture, dict[str, Any]]]:
    """(keyframe, canvas, how it was made) of every keyframe but the first.

    The chain's picture k is P(k)(x) = file k (scale x + offset), from the middle, where scale stays
    near 1 and offset near 0: what the measured factors and shifts have added up to so far.
    """
    geometry = Geometry.of(settings)
    picture, reference = first, Reference.of(first)
    scale, offset = 1.0, (0.0, 0.0)
    for keyframe, (path, found) in enumerate(zip(chain.files[1:], chain.fits, strict=True), 1):
        outer = _load(path, chain.size)
        scale, offset = _next_place(scale, offset, found, 1.0)
        grown = _enlarged(outer, scale, offset, geometry.canvas_size)
        canvas = colour_match.match(grown, picture, geometry.known, reference)
        made = {
            "seed": settings.seed,
            "seconds": 0.0,
            "seam": colour_match.seam(canvas, geometry.known),
            "drift": colour_match.drift(canvas, reference),
            "painter": "import",
            "file": path.name,
            "misfit": found.misfit,
        }
        yield keyframe, canvas, made
        picture = picture_of(canvas, settings)
        scale *= chain.zoom_factor


def _next_place(
    scale: float, offset: tuple[float, float], found: Fit, zoom_factor: float
) -> tuple[float, tuple[float, float]]:
    """Where the outer picture of a pair lies; ``zoom_factor`` 1: in the inner one's pixels."""
    rho = found.zoom_factor
    x, y = (part / rho + moved for part, moved in zip(offset, found.shift, strict=True))
    return scale * zoom_factor / rho, (x, y)


def _enlarged(
    outer: Picture, scale: float, offset: tuple[float, float], canvas_size: Size
) -> Picture:
    """The canvas that shows ``outer``, ``scale`` of its pixels a pixel; edges are extended."""
    height, width = outer.shape[:2]
    half = [side * scale / 2 for side in canvas_size]
    middle = width / 2 + offset[0], height / 2 + offset[1]
    box = [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]
    over = max(0.0, -box[0], -box[1], box[2] - width, box[3] - height)
    pad = math.ceil(over)
    padded = np.pad(outer, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    left, top, right, bottom = (edge + pad for edge in box)
    image = Image.fromarray(padded)
    return np.array(
        image.resize(canvas_size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))
    )


# ----------------------------------------------------------------------------------- finding


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder with pictures")
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
    )
    if len(files) < 2:
        raise SettingsError(
            f"{folder} holds {len(files) or 'no'} picture{'s' * (not files)}; a zoom needs two or "
            f"more ({', '.join(sorted(ENDINGS))})"
        )
    return files


def _thumbs(files: list[Path]) -> tuple[Size, list[Grey]]:
    """(size of all pictures, cut; their thumbnails). SettingsError where one has another size."""
    size: Size | None = None
    thumbs = []
    for path in files:
        picture = load_picture(path)
        height, width = picture.shape[:2]
        if size is not None and size != (width, height):
            raise SettingsError(
                f"{path.name} is {width}x{height}, but {files[0].name} is {size[0]}x{size[1]}; "
                f"all pictures of a chain must have one size"
            )
        size = width, height
        scale = min(1.0, THUMB / max(size))
        grey = Image.fromarray(picture).convert("L")
        small = grey.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
        thumbs.append(np.asarray(small, np.float32))
    assert size is not None
    return (size[0] // _MULTIPLE * _MULTIPLE, size[1] // _MULTIPLE * _MULTIPLE), thumbs


def _load(path: Path, size: Size) -> Picture:
    """The middle of a picture, cut to ``size``: nothing is resampled."""
    picture = load_picture(path)
    left, top = (picture.shape[1] - size[0]) // 2, (picture.shape[0] - size[1]) // 2
    return np.ascontiguousarray(picture[top : top + size[1], left : left + size[0]])


def _grey(path: Path, size: Size) -> Grey:
    return np.asarray(Image.fromarray(_load(path, size)).convert("L"), np.float32)


def _fits(files: tuple[Path, ...], size: Size, guesses: tuple[float, ...]) -> Iterator[Fit]:
    inner = _grey(files[0], size)
    for (before, path), guess in zip(pairwise(files), guesses, strict=True):
        outer = _grey(path, size)
        found = fit(inner, outer, guess)
        if found.likeness < LIKE:
            raise SettingsError(_stranger(before, path, found.likeness))
        yield found
        inner = outer


def _common(files: tuple[Path, ...], fits: tuple[Fit, ...]) -> float:
    """The chain's zoom factor. Raises SettingsError for a pair with another one."""
    logs = np.log([found.zoom_factor for found in fits])
    middle = float(np.exp(np.median(logs)))
    for (inner, outer), found in zip(pairwise(files), fits, strict=True):
        if abs(found.zoom_factor / middle - 1) > _UNEVEN:
            raise SettingsError(
                f"{outer.name} is {found.zoom_factor:.3f} times wider than {inner.name}, but the "
                f"others are {middle:.3f} times wider than what they hold; a film needs one zoom "
                f"factor throughout"
            )
    mean = float(np.exp(logs.mean()))
    factor = next((value for value in _ROUND if abs(mean / value - 1) < _NEAR), mean)
    if factor > 4:
        raise SettingsError(
            f"the pictures are {factor:.2f} times wider each; at most 4 is possible"
        )
    return factor


def _check_course(
    files: tuple[Path, ...], fits: tuple[Fit, ...], factor: float, size: Size
) -> None:
    """Small errors must not add up to a picture that lies beside its place."""
    scale, offset = 1.0, (0.0, 0.0)
    for path, found in zip(files[1:], fits, strict=True):
        scale, offset = _next_place(scale, offset, found, factor)
        away = max(abs(offset[0]) / size[0], abs(offset[1]) / size[1], abs(scale - 1) / 2)
        if away > _ASTRAY:
            raise SettingsError(
                f"{path.name} does not lie around the middle of what it holds: it is off by "
                f"{away * max(size):.0f} pixels; only zooms about the middle can be imported"
            )


def _stranger(inner: Path, outer: Path, likeness: float) -> str:
    return (
        f"{inner.name} is not found in any other picture (the nearest is {outer.name}, likeness "
        f"{max(likeness, 0):.2f} of 1, needed {LIKE}); take out what does not belong to the zoom"
    )
