"""Sizes that the user left open: of the film, of its keyframes, and how far each one zooms out.

Knows models by their presets only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from renderer.errors import SettingsError
from renderer.film.camera import Camera
from renderer.painting.geometry import Geometry, pad_for, zoom_factor_from_pixels
from renderer.settings.film import MIN_SIDE, UPSCALES
from renderer.settings.plain_values import Size, dimensions, parse_size
from renderer.settings.presets import ModelPreset
from renderer.settings.render import RenderSettings, nearest_multiple

FILM_SIZE: Size = (1280, 720)
"""Film of a painter that has no size of its own."""
_SQUARE: Size = (1, 1)
"""Aspect of what models were trained on."""
ZOOM_FACTOR = 1.5
_HALVED = 64
"""Sides of a UNet's canvas had better be multiples of this, px: it halves its latents, an eighth as
large, three times, and has to cut and fill where that leaves a rest."""
_ASKEW = 1.05
"""By how much the keyframe's aspect may differ from the film's for that."""
_VISIBLY = 1.001
"""Enlargement beyond which a film looks softer than what was painted."""


def choose_sizes(
    given: dict[str, Any], preset: ModelPreset | None, outpaint_size: int | None
) -> None:
    """Film size, keyframe size and zoom factor, each from the others where it is left open.

    A film whose size is left open shows every pixel as painted, or enlarged by ``upscale``.
    """
    upscale = upscale_of(given)
    step = given.setdefault("size_multiple", RenderSettings().size_multiple)
    rho = given.get("zoom_factor", ZOOM_FACTOR)
    if given.get("method") == "refine" and preset is not None:
        rho = 1.0  # it is painted in tiles
    if "size" not in given and "keyframe_size" not in given:
        aspect = FILM_SIZE if preset is None else _SQUARE
        given["size_multiple"], keyframe = _keyframe_size(aspect, preset, rho, step, upscale)
        given["size"] = dimensions(keyframe)
    if "size" not in given:
        width, height = _size(given["keyframe_size"], "keyframe size")
        given["size"] = dimensions((width - width % 2, height - height % 2))
    film = _size(given["size"], "size")
    if "keyframe_size" not in given:
        given["size_multiple"], keyframe = _keyframe_size(film, preset, rho, step, upscale)
        given["keyframe_size"] = dimensions(keyframe)
    keyframe = _size(given["keyframe_size"], "keyframe size")
    if outpaint_size is not None:
        given["zoom_factor"] = zoom_factor_from_pixels(outpaint_size, keyframe)
    given.setdefault("zoom_factor", ZOOM_FACTOR)


def upscale_of(given: Mapping[str, Any]) -> int:
    """``upscale``, checked: other settings follow from it. Raises SettingsError."""
    return RenderSettings().changed({"upscale": given.get("upscale", 1)}).upscale


def _keyframe_size(
    film: Size, preset: ModelPreset | None, rho: float, step: int, upscale: int
) -> tuple[int, Size]:
    """The film's size where the painter can paint any; else the film's aspect at the model's area.

    The area is such that the canvas, ρ times larger, stays a size that the model can compose well
    before it is enlarged. Also the multiple of what is painted: ``step``, or what suits a UNet.
    """
    if preset is None:
        grain = step * upscale
        return step, (math.ceil(film[0] / grain) * grain, math.ceil(film[1] / grain) * grain)
    side = min(preset.native, preset.canvas / max(rho, 1.0))
    aspect = math.sqrt(film[0] / film[1])
    wanted = side * aspect, side / aspect
    if preset.unet and rho > 1:
        for whole in (_HALVED, _HALVED // 2):
            pads, (width, height) = _below(wanted, rho, step, whole)
            skew = width * film[1] / (height * film[0])
            if 1 / _ASKEW < skew < _ASKEW:
                return pads, (width * upscale, height * upscale)
    width, height = (nearest_multiple(length, step) * upscale for length in wanted)
    return step, (width, height)


def _below(wanted: tuple[float, float], rho: float, step: int, whole: int) -> tuple[int, Size]:
    """The pads' multiple and the largest keyframe whose canvas has sides in multiples of ``whole``.

    At most as large as ``wanted``.
    """

    def side(most: float, pads: int) -> int:
        sides = range(int(most / pads) * pads, pads, -pads)
        fitting = (side for side in sides if (side + 2 * pad_for(side, rho, pads)) % whole == 0)
        return next(fitting, pads)

    width, height = wanted
    found = [(pads, (side(width, pads), side(height, pads))) for pads in (step, 2 * step)]
    return max(found, key=lambda each: (each[1][0] * each[1][1], -each[0]))


def _size(text: str, name: str) -> Size:
    size = parse_size(text)
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
