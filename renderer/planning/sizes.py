"""Sizes that the user left open: of the film, of its keyframes, and how far each one zooms out.

Knows models by their presets only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from renderer.errors import SettingsError
from renderer.film.camera import Camera
from renderer.painting.geometry import Geometry, zoom_factor_from_pixels
from renderer.settings.film import MIN_SIDE, UPSCALES
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

    A film whose size is left open shows every pixel as painted, or enlarged by ``upscale``.
    """
    upscale = upscale_of(given)
    step = given.setdefault("size_multiple", RenderSettings().size_multiple) * upscale
    rho = given.get("zoom_factor", ZOOM_FACTOR)
    if given.get("method") == "refine" and preset is not None:
        rho = 1.0  # it is painted in tiles
    if "size" not in given and "keyframe_size" not in given:
        aspect = FILM_SIZE if preset is None else _SQUARE
        given["size"] = dimensions(_keyframe_size(aspect, preset, rho, step, upscale))
    if "size" not in given:
        width, height = _size(given["keyframe_size"], "keyframe size")
        given["size"] = dimensions((width - width % 2, height - height % 2))
    film = _size(given["size"], "size")
    if "keyframe_size" not in given:
        given["keyframe_size"] = dimensions(_keyframe_size(film, preset, rho, step, upscale))
    keyframe = _size(given["keyframe_size"], "keyframe size")
    if outpaint_size is not None:
        given["zoom_factor"] = zoom_factor_from_pixels(outpaint_size, keyframe)
    given.setdefault("zoom_factor", ZOOM_FACTOR)


def upscale_of(given: Mapping[str, Any]) -> int:
    """``upscale``, checked: other settings follow from it. Raises SettingsError."""
    return RenderSettings().changed({"upscale": given.get("upscale", 1)}).upscale


def _keyframe_size(
    film: Size, preset: ModelPreset | None, rho: float, step: int, upscale: int
) -> Size:
    """The film's size where the painter can paint any; else the film's aspect at the model's area.

    The area is such that the canvas, ρ times larger, stays a size that the model can compose well
    before it is enlarged.
    """
    if preset is None:
        width, height = film
        return math.ceil(width / step) * step, math.ceil(height / step) * step
    side = min(preset.native, preset.canvas / max(rho, 1.0)) * upscale
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
    needed = enlargement * settings.upscale
    sharper = next((each for each in UPSCALES if each >= needed), UPSCALES[-1])
    upscaled = settings.method != "refine" and sharper > settings.upscale
    return [
        f"the film ({dimensions(settings.size)}) is {enlargement:.3g} times larger than what is "
        f"painted ({dimensions((width, height))}, canvas {dimensions(canvas)}), so it will look "
        "soft; "
        + f"--upscale {sharper} --upscaler FILE enlarges what is painted, " * upscaled
        + f"--size {dimensions((width // 2 * 2, height // 2 * 2))} shows every pixel as painted"
    ]
