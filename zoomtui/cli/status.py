"""`status`: what a project holds, being rendered or not."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
from zoomtui.cli.status_line import FIELDS, parsed, status_line
from zoomtui.cli.verb import FOLDER, verb
from zoomtui.stdio import answer

if TYPE_CHECKING:
    from renderer.engine.facts import Facts
    from renderer.project.session_record import SessionRecord
    from renderer.project.status import Status


@verb(
    "",
    "status coral.zoom",
    "status coral.zoom --json | jq .frames",
    "status coral.zoom --watch",
    "status coral.zoom --history",
    "status --format '{state} {keyframes}/{total} {left}'",
    notes=f"Fields of a format: {', '.join(FIELDS)}; {{{{ and }}}} are braces. In tmux: set -g "
    "status-right \"#(zoomtui status --format '{percent} {left}')\".",
)
@click.argument("project", type=FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@click.option("--watch", is_flag=True, help="Stay until it ends, with a line for whatever happens.")
@click.option("--history", is_flag=True, help="How the whole render went: charts of its figures.")
@click.option("--format", "wording", metavar="TEXT", help="One line, for tmux and prompts.")
@click.pass_context
def status(
    context: click.Context,
    project: Path | None,
    as_json: bool,
    watch: bool,
    history: bool,
    wording: str | None,
) -> None:
    """Show PROJECT: running, paused, finished or stopped. Reads only.

    Without PROJECT it is the one render that is running. With --watch the lines are those of a
    render in the foreground: the way to follow one without a screen. Ctrl-C ends the watching, not
    the render. The exit code is the render's own.
    """
    if history + watch + (wording is not None) > 1:
        raise click.UsageError("--history, --watch and --format don't go together")
    if as_json and wording is not None:
        raise click.UsageError("--json and --format don't go together")
    parts = None if wording is None else parsed(wording)
    if project is None:
        from zoomtui.cli.watch import the_running_one

        project = the_running_one()
    if history:
        from zoomtui.cli.history import show_history

        show_history(project, as_json=as_json, plain=context.find_root().obj.ascii)
        return
    from renderer.project.status import read_status

    found = read_status(project)
    facts = _facts(project, found)
    found = replace(found, state=facts.state)
    if parts is not None:
        answer(status_line(parts, facts))
    elif watch and found.holder:
        from zoomtui.cli.follow import follow_lines

        said = [] if as_json else status_lines(found)
        context.exit(follow_lines(project, said, as_json=as_json))
    elif as_json:
        answer(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        from zoomtui.cli.event_lines import watch_lines

        films = watch_lines(project, finished=found.state == "finished") if found.frames else []
        for line in (*status_lines(found), *films):
            answer(line)


def _facts(project: Path, found: Status) -> Facts:
    """As its engine has it, where one answers."""
    from renderer.engine.facts import facts_of_project

    if found.holder is None:
        return facts_of_project(found)
    from renderer.service.glance import glance

    return facts_of_project(found, glance(project))


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
    if found.state == "failed" and found.session.failure:
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
