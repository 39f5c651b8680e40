"""What is said of a new film on the command line, and the project that it makes: checked, not yet
written. Shared by the verbs that make one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from renderer.errors import SettingsError
from renderer.formatting import shortened
from renderer.planning.prepare import Prepared, free_folder, named, prepare
from renderer.planning.prompt_file import Changes, Places, with_plan
from renderer.settings.render import RenderSettings
from renderer.settings.sources import SOURCES
from zoomtui.cli.ask_painter import ask_painter, is_open
from zoomtui.cli.options import (
    F,
    film_options,
    painting_options,
    source_options,
    stacked,
    wishes,
)


def new_film_options(command: F) -> F:
    """All that ``new_film`` takes."""
    argument = click.argument("prompt", default="")
    return stacked(command, argument, source_options, painting_options, film_options())


def has_source(film: Mapping[str, Any]) -> bool:
    """Whether anything says what to paint."""
    names = ("prompt", "image", "exemplar", "prompts", "painter", "model")
    return any(film.get(name) for name in names)


def check_source(film: Mapping[str, Any]) -> None:
    """Raise SettingsError where nothing says what to paint."""
    if not has_source(film):
        raise SettingsError(
            "nothing says what to paint: give a prompt, a picture (--image) or a painter "
            "(--painter texture); `zoomtui demo` needs nothing",
            "prompt",
        )


def new_film(
    film: Mapping[str, Any],
    *,
    where: Path = Path(),
    taken: Collection[Path] = (),
    asking: bool = False,
) -> tuple[Prepared, Sequence[str]]:
    """The project that ``film``, the values of ``new_film_options``, describes, and what is worth
    noting. Raises RendererError.

    Without a name of its own it lies in ``where``, by a name that is not ``taken``. ``asking``:
    the user may be asked what is to paint.
    """
    from renderer.planning.defaults import fill_in

    beside = {"prompt", *SOURCES}
    prompt, image, exemplar = film.get("prompt", ""), film.get("image"), film.get("exemplar")
    options = {name: value for name, value in film.items() if name not in beside}
    later: Changes = ()
    places = _places(film.get("place", ()))
    given = {"prompt": prompt, **wishes(options)}
    if (prompts := film.get("prompts")) is not None:
        given, later, planned = with_plan(prompts, given)
        places = (*planned, *places)
    if asking and is_open(given):
        given, image = ask_painter(given, image)
    plan = fill_in(given)
    out = film.get("out")
    folder = named(out) if out is not None else free_folder(where, plan.settings.prompt, taken)
    _check_places(places, plan.settings)
    return prepare(folder, plan.settings, image, exemplar, later, places), plan.notes


def _places(given: Sequence[tuple[str, str]]) -> Places:
    """Of --place, with keyframes from 0. Raises SettingsError."""
    for key, _ in given:
        if not key.isdecimal() or int(key) < 2:
            raise SettingsError(
                f"{shortened(key, 40)!r} is no keyframe that a picture can be placed at: they are "
                f"counted from 1, and --image gives the first one",
                "place",
            )
    return tuple((int(key) - 1, Path(file)) for key, file in given)


def _check_places(places: Places, settings: RenderSettings) -> None:
    """Raise SettingsError for two pictures at one place, and for one beyond the film's end."""
    keyframes = [keyframe for keyframe, _ in places]
    for keyframe in keyframes:
        if keyframes.count(keyframe) > 1:
            raise SettingsError(f"keyframe {keyframe + 1} has two pictures", "place")
        if settings.keyframes is not None and keyframe >= settings.keyframes:
            raise SettingsError(
                f"keyframe {keyframe + 1} is beyond the film's end: it has {settings.keyframes} "
                f"keyframes",
                "place",
            )
