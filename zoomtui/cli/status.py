"""`status`: what a project holds, being rendered or not."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from renderer.engine.events import RenderFailed
from renderer.errors import ProjectError
from renderer.formatting import (
    clean,
    count_text,
    duration_text,
    path_text,
    share_text,
    shortened,
    size_text,
)
from renderer.painting.figures import explained
from renderer.service.client import NotRunning, Told, follow
from zoomtui.cli.event_lines import watch_lines
from zoomtui.cli.headless import Show, in_lines, show_json
from zoomtui.cli.history import show_history
from zoomtui.cli.options import FOLDER
from zoomtui.cli.verb import verb
from zoomtui.stdio import answer, write_line

if TYPE_CHECKING:
    from renderer.project.session_record import SessionRecord
    from renderer.project.status import Status


@verb(
    "",
    "status coral.zoom",
    "status coral.zoom --json | jq .frames",
    "status coral.zoom --watch",
    "status coral.zoom --history",
)
@click.argument("project", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@click.option("--watch", is_flag=True, help="Stay until it ends, with a line for whatever happens.")
@click.option("--history", is_flag=True, help="How the whole render went: charts of its figures.")
@click.pass_context
def status(
    context: click.Context, project: Path, as_json: bool, watch: bool, history: bool
) -> None:
    """Show PROJECT: finished, running or killed. Reads only.

    With --watch the lines are those of a render in the foreground: the way to follow one without a
    screen. Ctrl-C ends the watching, not the render. The exit code is the render's own.
    """
    from renderer.project.status import read_status

    if history:
        if watch:
            raise click.UsageError("--history and --watch don't go together")
        show_history(project, as_json=as_json, plain=context.find_root().obj.ascii)
        return
    found = read_status(project)
    if watch and found.holder:
        said = [] if as_json else status_lines(found)
        show = show_json if as_json else in_lines()
        context.exit(asyncio.run(_follow(project, said, show)))
    if as_json:
        answer(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    lines = status_lines(found)
    if found.frames:
        lines += watch_lines(project, finished=found.state == "finished")
    for line in lines:
        answer(line)


async def _follow(project: Path, said: list[str], show: Show) -> int:
    """Say how things stand, then show what the engine of ``project`` says, and those that take its
    place after crashes, until the last one ends: with that exit code."""
    code = 0
    try:
        async for message in follow(project):
            if isinstance(message, Told):
                show(message.event)
                code = message.event.exit_code if isinstance(message.event, RenderFailed) else 0
                continue
            for line in said:  # once: a snapshot comes first, and perhaps again
                write_line(line)
            said = []
    except NotRunning as error:
        again = f"`zoomtui resume {path_text(project)}` goes on"
        raise ProjectError(f"{error}; {again}") from None
    return code


def status_lines(found: Status) -> list[str]:
    """The human form."""
    state = str(found.state)
    if found.holder:
        state += f" ({found.holder})"
    elif found.state.resumable:
        state += f"; `zoomtui resume {path_text(found.project)}` goes on"
    pace = found.seconds_per_keyframe
    lines = [
        f"project    {clean(found.project)}",
        f"state      {state}",
        f"prompt     {shortened(found.prompt) or '(none)'}",
        f"painter    {clean(' '.join(filter(None, [found.painter, found.model])))}",
        f"keyframes  {count_text(found.keyframes, found.total_keyframes)}"
        + (f", {duration_text(pace)} each" if pace is not None else "")
        + (f", painter idle {share_text(found.figures.idle)}" if found.figures else "")
        + f", {size_text(found.keyframes_size)}",
        f"frames     {count_text(found.frames, found.total_frames)}, "
        f"{duration_text(found.duration)} of film, {size_text(found.film_size)}",
    ]
    if found.state == "failed":
        when = time.strftime("%b %d %H:%M", time.localtime(found.session.at))
        lines.insert(2, f"why        {clean(found.session.failure)} ({when})")
    elif found.session.restarts:
        lines.append(f"crashes    {_crashes_text(found.session)}")
    if found.figures is not None:
        lines.append(f"quality    {explained(found.figures)}")
    return lines


def _crashes_text(session: SessionRecord) -> str:
    times = "once" if session.restarts == 1 else f"{session.restarts} times"
    when = time.strftime("%H:%M:%S", time.localtime(session.at))
    return f"restarted {times}, last at {when}: {clean(session.crash)}"
