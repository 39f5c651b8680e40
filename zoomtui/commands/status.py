"""`status`: what a project holds, whoever renders it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoomtui.commands.options import FOLDER
from zoomtui.output import write_line
from zoomtui.progress import watch_lines
from zoomtui.words import clean, count_text, duration_text, path_text, shortened, size_text

if TYPE_CHECKING:
    from renderer.engine.status import Status


@click.command(
    epilog="""\b
Examples:
  zoomtui status coral.zoom
  zoomtui status coral.zoom --json | jq .frames
"""
)
@click.argument("project", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def status(project: Path, as_json: bool) -> None:
    """Show PROJECT: finished, running or killed. Reads only."""
    from renderer.engine.status import read_status

    found = read_status(project)
    if as_json:
        write_line(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    lines = status_lines(found)
    if found.frames:
        lines += watch_lines(project, finished=found.state == "finished")
    for line in lines:
        write_line(line)


def status_lines(found: Status) -> list[str]:
    """The human form."""
    state = str(found.state)
    if found.holder:
        state += f" ({found.holder})"
    elif found.state == "unfinished":
        state += f"; `zoomtui resume {path_text(found.project)}` goes on"
    pace = found.seconds_per_keyframe
    lines = [
        f"project    {clean(found.project)}",
        f"state      {state}",
        f"prompt     {shortened(found.prompt) or '(none)'}",
        f"painter    {clean(' '.join(filter(None, [found.painter, found.model])))}",
        f"keyframes  {count_text(found.keyframes, found.total_keyframes)}"
        + (f", {duration_text(pace)} each" if pace is not None else "")
        + f", {size_text(found.keyframes_size)}",
        f"frames     {count_text(found.frames, found.total_frames)}, "
        f"{duration_text(found.duration)} of film, {size_text(found.film_size)}",
    ]
    if found.seam is not None and found.drift is not None:
        lines.append(
            f"quality    seam {found.seam:.2f} (1 = invisible), drift {found.drift:.1f}/255"
        )
    return lines
