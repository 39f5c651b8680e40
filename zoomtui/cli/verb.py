"""What all verbs have in common on their help pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

FILE = FOLDER = click.Path(path_type=Path)
"""Type of an argument or option that is a path; its name says which kind of path."""


address_option = click.option(
    "--address",
    default="auto",
    show_default=True,
    metavar="WHERE",
    help="The Ray cluster: HOST:PORT; auto: the one that runs on this machine; local: one that is "
    "begun here and ends with what is asked.",
)
"""Of verbs that can use a farm."""


def farm_address(farm: bool, address: str) -> str | None:
    """The cluster that a verb with ``--farm`` uses; None: none. Raises click.UsageError."""
    source = click.get_current_context().get_parameter_source("address")
    if not farm and source is not ParameterSource.DEFAULT:
        raise click.UsageError("--address is for --farm")
    return address if farm else None


def verb(
    short_help: str,
    *examples: str,
    notes: str = "",
    name: str | None = None,
    of: click.Group | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command, by default named after its function; ``of`` another verb, if that is a group.

    ``short_help``: its line in the list of verbs; empty: the docstring's first sentence.
    ``examples``: what is typed after ``zoomtui``. ``notes``: more to know, below the examples.
    """
    lines = [f"  zoomtui {example}" for example in examples]
    epilog = "\n".join(["\b", "Examples:", *lines, "", notes])
    make = of.command if of else click.command
    return make(name, short_help=short_help, epilog=epilog, **options)


def project_verb(
    short_help: str, *examples: str, **options: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """A ``verb`` whose first argument is a project's folder."""
    project = click.argument("project", type=FOLDER)
    return lambda function: verb(short_help, *examples, **options)(project(function))
