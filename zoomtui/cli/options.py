"""The options by which a film is described, shared by the verbs that make or change one.

They come from the rows of the settings and carry their names, so that a verb hands them on as they
come. Ranges and names are checked by the settings, in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from renderer.errors import SettingsError
from renderer.settings.film import BESIDES
from renderer.settings.option import METAVARS, Kind, Option
from renderer.settings.plain_values import parse_seconds
from renderer.settings.render import OPTIONS
from renderer.settings.sources import SOURCES
from zoomtui.cli.verb import FILE

F = TypeVar("F", bound=Callable[..., Any])


def keyframe_count(text: str) -> int | str:
    """A whole number, or ``inf``."""
    try:
        return "inf" if text.lower() == "inf" else int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a whole number nor inf") from None


def key_value(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, rest = text.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    return key, rest


def seconds(text: str) -> float:
    """A number of seconds, or with a unit: ``90``, ``90s``, ``1.5m``, ``2h``."""
    try:
        return parse_seconds(text)
    except ValueError:
        message = f"{text!r} is no number of seconds, such as 90, 90s or 2m"
        raise click.BadParameter(message) from None


_TYPES: Mapping[Kind, Any] = {
    "whole": int,
    "number": float,
    "seconds": seconds,
    "path": FILE,
    "count": keyframe_count,
    "pairs": key_value,
}
"""The rest is text."""

headless_option = click.option(
    "--headless",
    is_flag=True,
    help="Render in the foreground, with plain lines (Slurm, systemd, CI). Otherwise, on a "
    "terminal, the render gets a process of its own and the live monitor opens on it.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, for scripts."
)


def painting_options(command: F) -> F:
    """What may change at every keyframe."""
    return stacked(command, *(_option(name, row) for name, row in _rows(steerable=True)))


def film_options(*, hidden: bool = False) -> Callable[[F], F]:
    """What is fixed once a film has begun. ``hidden``: accepted, so the refusal can say why."""

    def decorate(command: F) -> F:
        rows = _rows(steerable=False)
        return stacked(command, *(_option(name, row, hidden=hidden) for name, row in rows))

    return decorate


def named_options(*names: str) -> Callable[[F], F]:
    """Those of these settings."""
    return lambda command: stacked(command, *(_option(name, OPTIONS[name]) for name in names))


def source_options(command: F) -> F:
    """What a project is made from, and where."""
    return stacked(command, *(_option(name, row) for name, row in SOURCES.items()))


def export_options(command: F) -> F:
    """What may be asked of an export."""
    from renderer.settings.export import EXPORT_OPTIONS  # other verbs need not wait for it

    return stacked(command, *(_option(name, row) for name, row in EXPORT_OPTIONS.items()))


def _rows(*, steerable: bool) -> Iterator[tuple[str, Option]]:
    """The settings that have an option, each with those that say it in another way."""
    for name, row in OPTIONS.items():
        if row.help and row.steerable == steerable:
            yield name, row
            yield from ((key, other) for key, other in BESIDES.items() if other.instead_of == name)


def _option(name: str, row: Option, *, hidden: bool = False) -> Callable[[F], F]:
    """The click option of a setting; its value comes under the setting's own name."""
    metavar = row.metavar or METAVARS.get(row.kind)
    said: dict[str, Any] = {"help": row.help, "hidden": hidden, "metavar": metavar}
    words = row.option(name)
    match row.kind:
        case "flag":
            said |= {"is_flag": True, "default": None}
        case "switch":
            words, said["default"] = f"{words}/--no-{words.removeprefix('--')}", None
        case "words" | "pairs":
            said["multiple"] = True
    if row.alone is not None:
        said |= {"is_flag": False, "flag_value": row.alone}
    if row.kind in _TYPES:
        said["type"] = _TYPES[row.kind]
    return click.option(words, name, **said)


def option_of(setting: str) -> str:
    """The option that says it; the setting's own name where there is none."""
    from renderer.settings.export import EXPORT_OPTIONS

    row = {**EXPORT_OPTIONS, **BESIDES, **OPTIONS}.get(setting)
    return row.option(setting) if row and row.help else setting


def keyframe_index(number: int) -> int:
    """From 0, of a keyframe that is counted from 1, as the monitor does. Raises SettingsError."""
    if number < 1:
        raise SettingsError(f"keyframes are counted from 1: there is none with number {number}")
    return number - 1


def wishes(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was really given, as plain values by the settings' names."""
    # An empty tuple is click's way to say that a repeatable option was not given.
    said = {key: value for key, value in options.items() if value not in (None, ())}
    if "encoder_options" in said:
        said["encoder_options"] = dict(said["encoder_options"])
    return said


def stacked(command: F, *options: Callable[[Any], Any]) -> F:
    """``command`` with the options in the order of its help."""
    for option in reversed(options):
        command = option(command)
    return command
