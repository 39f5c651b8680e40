"""Sizes that the user left open: of the film, of its keyframes, and how far each one zooms out.

Knows models by their presets only.
"""

from __future__ import annotations

import math
from typing import Any

from renderer.errors import SettingsError
from renderer.film.camera import Camera
from renderer.painting.geometry import Geometry, zoom_factor_from_pixels
from renderer.settings.film import MIN_SIDE
from renderer.settings.option import NOTATION
from renderer.settings.plain_values import Size, dimensions, parse_size
from renderer.settings.presets import ModelPreset
from renderer.settings.render import RenderSettings, nearest_multiple

FILM_SIZE: Size = (1280, 720)
"""Film of a painter that has no size of its own."""
_SQUARE: Size = (1, 1)
"""Aspect of what models were trained on."""
ZOOM_FACTOR = 1.5
_VISIBLY = 1.001
"""Enlargement beyond which a film looks softer than what was painted."""


def choose_sizes(
    given: dict[str, Any], preset: ModelPreset | None, outpaint_size: int | None
) -> None:
    """Film size, keyframe size and zoom factor, each from the others where it is left open.

    A film whose size is left open shows every pixel as painted.
    """
    step = given.setdefault("size_multiple", RenderSettings().size_multiple)
    rho = given.get("zoom_factor", ZOOM_FACTOR)
    if given.get("method") == "refine" and preset is not None:
        rho = 1.0  # it is painted in tiles
    if "size" not in given and "keyframe_size" not in given:
        aspect = FILM_SIZE if preset is None else _SQUARE
        given["size"] = dimensions(_keyframe_size(aspect, preset, rho, step))
    if "size" not in given:
        width, height = _size(given["keyframe_size"], "keyframe size")
        given["size"] = dimensions((width - width % 2, height - height % 2))
    film = _size(given["size"], "size")
    if "keyframe_size" not in given:
        given["keyframe_size"] = dimensions(_keyframe_size(film, preset, rho, step))
    keyframe = _size(given["keyframe_size"], "keyframe size")
    if outpaint_size is not None:
        given["zoom_factor"] = zoom_factor_from_pixels(outpaint_size, keyframe)
    given.setdefault("zoom_factor", ZOOM_FACTOR)


def _keyframe_size(film: Size, preset: ModelPreset | None, rho: float, step: int) -> Size:
    """The film's size where the painter can paint any; else the film's aspect at the model's area.

    The area is such that the canvas, ρ times larger, stays a size that the model can compose well.
    """
    if preset is None:
        width, height = film
        return math.ceil(width / step) * step, math.ceil(height / step) * step
    side = min(preset.native, preset.canvas / max(rho, 1.0))
    aspect = math.sqrt(film[0] / film[1])
    return nearest_multiple(side * aspect, step), nearest_multiple(side / aspect, step)


def _size(text: str, name: str) -> Size:
    try:
        size = parse_size(text)
    except ValueError:
        raise SettingsError(f"{name} must be {NOTATION['size']}, not {text!r}", name) from None
    if min(size) < MIN_SIDE:
        raise SettingsError(f"{name} {text} is too small; each side at least {MIN_SIDE}", name)
    return size


def size_notes(settings: RenderSettings) -> list[str]:
    enlargement = Camera.of(settings).enlargement
    if enlargement <= _VISIBLY:
        return []
    width, height = settings.keyframe_size
    canvas = Geometry.of(settings).canvas_size
    return [
        f"the film ({dimensions(settings.size)}) is {enlargement:.3g} times larger than what is "
        f"painted ({dimensions((width, height))}, canvas {dimensions(canvas)}), so it will look "
        "soft; "
        f"--size {dimensions((width // 2 * 2, height // 2 * 2))} shows every pixel as painted"
    ]
