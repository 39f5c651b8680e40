"""`farm`: a queue's renders on the GPUs of many machines, by Ray."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from renderer.errors import SettingsError
from renderer.farm import connect
from renderer.formatting import clean, path_text
from renderer.project import registry
from renderer.service.signals import Abandoned, stopping
from zoomtui.cli.options import seconds
from zoomtui.cli.queue import queue_named, queue_option
from zoomtui.cli.verb import FOLDER, address_option, verb
from zoomtui.cli.watch import attach as attach_here
from zoomtui.stdio import answer, write_line


@click.group(
    short_help="Render a queue on the GPUs of many machines (Ray).",
    epilog="""\b
Examples:
  zoomtui queue add --queue /shared/films --from films.toml
  zoomtui farm start --queue /shared/films
  zoomtui farm ls
  zoomtui farm attach /shared/films/coral.zoom
  zoomtui farm stop
""",
)
def farm() -> None:
    """Render a queue's jobs on every GPU of a Ray cluster (pip install 'zoomtui[farm]').

    All machines see the queue and its projects under the same path. Machines may come and go: a
    job whose machine has gone goes on elsewhere, and its film is the same, byte for byte.
    """


@verb(
    "Render a queue's jobs, on all GPUs of the cluster.",
    "farm start --queue /shared/films",
    "farm start --queue /shared/films --address head:6379 --slice 30m",
    "farm start --queue films --address local --workers cpu:2 --until-empty",
    notes="Ctrl-C ends all renders after the segments in hand; a second Ctrl-C leaves them at "
    "work, and so does losing the line: `farm start` comes back to them. docs/server.md says how "
    "a cluster is begun.",
    of=farm,
)
@queue_option
@address_option
@click.option(
    "--workers",
    default="gpu",
    show_default=True,
    metavar="KIND",
    help="gpu: one on each GPU of each machine; cpu:N: N on the processors of each.",
)
@click.option("--until-empty", is_flag=True, help="End once no job is left to render.")
@click.option(
    "--slice",
    "slice_seconds",
    type=seconds,
    default="0",
    metavar="TIME",
    help="How long a job is rendered while others wait, such as 30m.",
)
@click.option(
    "--lease",
    type=seconds,
    default="30s",
    show_default=True,
    metavar="TIME",
    help="How long nothing may be heard of a machine before its job is given to another.",
)
def start(
    folder: Path | None,
    address: str,
    workers: str,
    until_empty: bool,
    slice_seconds: float,
    lease: float,
) -> int:
    """Render the jobs, one on each GPU of the cluster, with a line for what happens to each."""
    kind = re.fullmatch(r"gpu|cpu:([1-9]\d{0,2})", workers)
    if kind is None:
        raise SettingsError(f"{workers!r} names no workers: say gpu, or cpu:2", "workers")
    if lease < 1:
        raise SettingsError("a lease is at least a second", "lease")
    waiting = queue_named(folder)
    waiting.make()
    connect(address)
    from renderer.farm import queue_actor
    from renderer.farm.workers import Wishes

    wishes = Wishes(
        folder=str(waiting.folder.resolve()),
        engines=int(kind[1] or 0),
        until_empty=until_empty,
        slice_seconds=slice_seconds,
        lease=lease,
        environment=(("XDG_STATE_HOME", str(registry.state_directory().parent)),),
    )
    return _follow(queue_actor.start(wishes))


@verb(
    "List the workers, and what each of them renders.",
    "farm ls",
    name="ls",
    of=farm,
)
@address_option
def list_workers(address: str) -> None:
    """List the farm's workers; `zoomtui queue ls` lists the jobs."""
    connect(address)
    from renderer.farm import queue_actor

    for name, project in queue_actor.rows(queue_actor.running()):
        answer(f"{clean(name)}  {path_text(Path(project)) if project else 'waits for a job'}")


@verb("Watch a job.", "farm attach coral.zoom", of=farm)
@click.argument("job", type=FOLDER)
@click.pass_context
def attach(context: click.Context, job: Path) -> Any:
    """Show JOB as `zoomtui attach` does, on the machine where the farm was started.

    So do status, prompt, pause, rewind, and all other verbs there.
    """
    return context.invoke(attach_here, project=job)


@verb("End the farm.", "farm stop", of=farm)
@address_option
def stop(address: str) -> int:
    """End all renders after the segments in hand, and then the farm; the jobs wait again."""
    connect(address)
    from renderer.farm import queue_actor

    return _follow(queue_actor.running(), stop=True)


def _follow(farm: Any, *, stop: bool = False) -> int:
    from renderer.farm import queue_actor

    try:
        with stopping(lambda number: None) as signals:
            code = queue_actor.follow(farm, _say, signals, stop=stop)
    except Abandoned as abandoned:
        os._exit(abandoned.exit_code)
    return 0 if stop else code


def _say(line: str) -> None:
    write_line(clean(line))
