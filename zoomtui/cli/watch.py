"""`ls`, `attach` and `logs`: finding renders, and watching them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from renderer.errors import ProjectError
from renderer.formatting import clean, count_text, duration_text, path_text, size_text
from renderer.project.records import LOG, read_settings
from zoomtui.cli.open_tui import Look, show
from zoomtui.cli.verb import FOLDER, project_verb, verb
from zoomtui.stdio import answer

if TYPE_CHECKING:
    from zoomtui.viewing.scan import Render

_GLANCE = 0.5
"""Seconds between two looks at a log that is followed."""


@verb(
    "List the renders that are known here.",
    "ls",
    "ls --json | jq -r '.[] | select(.state == \"running\") | .project'",
    name="ls",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
def list_renders(as_json: bool) -> None:
    """List the renders that are known here, and the projects in this folder."""
    renders = _renders()
    if as_json:
        answer(json.dumps([_row(render) for render in renders], ensure_ascii=False, indent=2))
    elif renders:
        for render in renders:
            answer(_line(render))
    else:
        answer("no renders yet; `zoomtui demo` makes one")


@verb(
    "Watch a render, wherever it was started.",
    "attach",
    "attach coral.zoom",
    notes="From elsewhere: ssh -t HOST zoomtui attach coral.zoom",
)
@click.argument("project", type=FOLDER, required=False)
@click.pass_obj
def attach(look: Look, project: Path | None) -> int:
    """Open the live monitor on PROJECT, or on the one render that is running.

    Leaving the monitor, closing the terminal or losing the connection changes nothing for the
    render. A project that is not being rendered can be looked at, and resumed, as well.
    """
    folder = the_running_one() if project is None else project
    read_settings(folder)
    return show(look, folder)


@project_verb(
    "Show the end of a render's log.",
    "logs coral.zoom",
    "logs coral.zoom -n 100 --follow",
)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many of the last lines.",
)
@click.option("-f", "--follow", is_flag=True, help="Follow the log as it grows, until Ctrl-C.")
def logs(project: Path, lines: int, follow: bool) -> None:
    """Show the end of PROJECT's render.log."""
    read_settings(project)
    path = project / LOG
    if not path.exists():
        raise ProjectError(f"{path} does not exist yet: nothing was rendered in this project")
    with path.open(encoding="utf-8", errors="replace") as log:
        for line in log.readlines()[-lines:] if lines > 0 else ():
            answer(clean(line.rstrip("\n")))
        log.seek(0, os.SEEK_END)
        while follow:
            line = log.readline()
            if line:
                answer(clean(line.rstrip("\n")))
            else:
                time.sleep(_GLANCE)


def _renders() -> list[Render]:
    from zoomtui.viewing.scan import Reader

    found = Reader(Path.cwd()).read().renders
    return sorted(found, key=lambda render: render.changed, reverse=True)


def the_running_one() -> Path:
    """The only render that is running. Raises ProjectError where none or several are."""
    from zoomtui.viewing.scan import running

    found = running(Path.cwd())
    if len(found) == 1:
        return found[0]
    if not found:
        raise ProjectError("no render is running; `zoomtui ls` lists those that can be looked at")
    names = ", ".join(path_text(folder) for folder in found)
    raise ProjectError(f"{len(found)} renders are running; say which: {names}")


def _row(render: Render) -> dict[str, Any]:
    status = render.status
    return {
        "project": str(render.folder),
        "state": render.state,
        "why": render.why,
        "keyframes": status.keyframes if status else None,
        "total_keyframes": status.total_keyframes if status else None,
        "frames": status.frames if status else None,
        "seconds": status.duration if status else None,
        "size": render.size,
        "changed": render.changed,
    }


def _line(render: Render) -> str:
    from zoomtui.viewing.words import state_word

    state = f"{state_word(render.state)[0]:<12}"
    where = clean(str(render.folder))
    if render.status is None:
        return f"{state} {where}  {clean(render.why)}"
    count = count_text(render.status.keyframes, render.status.total_keyframes)
    film = duration_text(render.status.duration)
    why = f"  {clean(render.why)}" if render.why else ""
    if render.parent:
        why += f"  (a branch of {clean(render.parent)})"
    return f"{state} {where}  {count} keyframes  {film} of film  {size_text(render.size)}{why}"
