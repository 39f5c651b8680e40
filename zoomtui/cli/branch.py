"""`branch`: a film that shares another one's beginning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from renderer.formatting import path_text
from renderer.planning.prepare import named
from renderer.project.records import read_history, read_settings
from renderer.project.steering import what_changes
from zoomtui.cli.options import FOLDER, film_options, keyframe_index, painting_options, wishes
from zoomtui.cli.progress_bar import bytes_read, progress
from zoomtui.cli.verb import verb
from zoomtui.stdio import write_line


@verb(
    "Begin another film with the keyframes of this one.",
    'branch coral.zoom night.zoom --prompt "the reef at night"',
    'branch coral.zoom forest.zoom --at 12 --prompt "a kelp forest"',
    "branch coral.zoom other.zoom --at 12 --seed 8 --keyframes 40",
    notes="Keyframes are counted from 1. What both films have is not painted or encoded "
    "again, and where the file system can share it, it takes no space. PROJECT may "
    "be rendered meanwhile.",
)
@click.argument("project", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option(
    "--at", type=int, metavar="K", help="The last common keyframe; by default the newest."
)
@click.option("--prompt", metavar="TEXT", help="What to paint from there on.")
@painting_options
@film_options(hidden=True)
def branch(project: Path, new: Path, at: int | None, prompt: str | None, **options: Any) -> int:
    """Make the project NEW of PROJECT up to keyframe K; from there on it has its own settings."""
    from renderer.planning.defaults import changes
    from renderer.project.copy import branch_project

    index = None if at is None else keyframe_index(at)
    settings, history = read_settings(project), read_history(project)
    last = len(history.keyframes) if index is None else index + 1
    now = history.settings_at(settings, last)
    planned = changes(now, wishes({"prompt": prompt, **options}))
    what_changes(now, planned, begun=last, finished=False)  # said before anything is made
    folder = named(new)
    with progress(f"branching {project}", bytes_read) as on_bytes:
        branch_project(project, folder, last - 1, planned, on_bytes)
    again = f"`zoomtui resume {path_text(folder)}` goes on"
    write_line(f"{path_text(folder)} has keyframes 1 to {last} of {path_text(project)}; {again}")
    return 0
