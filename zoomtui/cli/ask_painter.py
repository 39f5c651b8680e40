"""What paints it, where there is no GPU and the user has not said: asked once, on a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from renderer.errors import SettingsError
from renderer.formatting import shortened
from renderer.settings.presets import find_preset
from zoomtui.cli.verb import FILE
from zoomtui.stdio import ERR, write_line


def is_open(given: Mapping[str, Any]) -> bool:
    """Whether what paints ``given`` is the user's to say."""
    from renderer.planning.painter_choice import usual_painter

    if given.get("painter"):
        return False
    return usual_painter(given.get("prompt", ""), given.get("model")) is None


def ask_painter(given: Mapping[str, Any], image: Path | None) -> tuple[dict[str, Any], Path | None]:
    """``given`` with a painter, and the first picture, which the texture painter needs.

    Raises click.Abort where the user leaves.
    """
    write_line(f"no GPU here; what shall paint {shortened(given['prompt'], 60)}?", ERR)
    for number, (name, text) in enumerate(_offers(given).items(), 1):
        write_line(f"  {number}  {name:8} {text}", ERR)
    choice = click.prompt("1, 2 or 3; Ctrl-C leaves", type=click.IntRange(1, 3), err=True)
    match choice:
        case 1:
            return {**given, "model": "cosmos"}, image
        case 2:
            return {**given, "model": "sd2"}, image
    if image is None:
        image = click.prompt("a picture of yours", type=FILE, err=True)
    return {**given, "painter": "texture"}, image


def _offers(given: Mapping[str, Any]) -> dict[str, str]:
    """The three of them, as `zoomtui models` and the form call them."""
    sd2 = find_preset("sd2")
    assert sd2 is not None
    return {
        "cosmos": "nebulae and stars, in seconds a keyframe; whatever the prompt, it is the sky",
        "sd2": f"anything, on the CPU: {_pace(given)}; {sd2.weights} to download",
        "texture": "grows from a picture of yours, in seconds; follows no prompt",
    }


def _pace(given: Mapping[str, Any]) -> str:
    from renderer.planning.cpu_pace import seconds_on_cpu
    from renderer.planning.defaults import fill_in

    try:
        seconds = seconds_on_cpu(fill_in({**given, "model": "sd2"}).settings)
    except SettingsError:  # of something else, and said once this is answered
        seconds = None
    if seconds is None:
        return "minutes a keyframe"
    return f"at least {math.ceil(seconds / 60)} min a keyframe by its arithmetic"
