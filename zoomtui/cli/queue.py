"""`queue`: many renders one after the other, on as many GPUs as there are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from renderer.errors import ProjectError, RendererError, SettingsError
from renderer.formatting import clean, count_text, duration_text, path_text
from renderer.planning.film_list import Film, read_films
from renderer.planning.prepare import Prepared, named
from renderer.project.records import read_settings
from renderer.project.session_record import renders
from renderer.queue.jobs import Job, Queue, Turn, own_queue
from renderer.service.signals import Abandoned
from zoomtui.cli.new_film import check_source, has_source, new_film, new_film_options
from zoomtui.cli.notify import change_recipients, recipient_options, recipients
from zoomtui.cli.options import seconds
from zoomtui.cli.verb import FILE, FOLDER, verb
from zoomtui.stdio import answer, write_line

queue_option = click.option(
    "--queue",
    "folder",
    type=FOLDER,
    metavar="FOLDER",
    help="Another queue than your own: its folder, which also gets the projects made for it.",
)


@click.group(
    short_help="Render many films, one after the other, on every GPU.",
    epilog="""\b
Examples:
  zoomtui queue add "a coral reef" --keyframes 60
  zoomtui queue add --from films.toml
  zoomtui queue ls
  zoomtui queue run --gpus 0,1,2,3
""",
)
def queue() -> None:
    """Let renders wait for a GPU, and render them in their turn.

    A queue survives everything: it is a folder of small records, and each of its jobs is a project
    as any other, to be watched, steered and stopped while it is rendered.
    """


@verb(
    "Add films that are to be made, or projects that are there.",
    'queue add "a coral reef, oil painting" --keyframes 60',
    "queue add --painter texture --image moss.jpg --first",
    "queue add --project coral.zoom --project reef.zoom",
    "queue add --from films.toml --keyframes 60",
    notes="""\b
films.toml, of which this makes six films:
  [[film]]
  prompt = ["a coral reef", "a kelp forest"]
  seed = [1, 2, 3]
  size = "1280x720"

\b
films.csv, of which this makes two:
  prompt,seed,out
  a coral reef,7,reef.zoom
  a castle at night,8,castle.zoom

What stands in a file counts before what is said here. Nothing is made before all of it is checked.
""",
    of=queue,
)
@queue_option
@click.option("--first", is_flag=True, help="Before all that wait.")
@click.option("--from", "many", type=FILE, metavar="FILE", help="A film a row, in TOML or CSV.")
@click.option(
    "--project",
    "projects",
    type=FOLDER,
    multiple=True,
    metavar="PROJECT",
    help="A project that is there, to go on with it; repeatable.",
)
@recipient_options
@new_film_options
def add(
    folder: Path | None,
    first: bool,
    many: Path | None,
    projects: tuple[Path, ...],
    on_event: str | None,
    notify: tuple[str, ...],
    **film: Any,
) -> None:
    """Make a project of PROMPT, as `zoomtui render` does, and let it wait."""
    waiting = queue_named(folder)
    for project in projects:
        read_settings(project)
    films = [("", film)]
    if many is not None:
        films = [(where, {**film, **said}) for where, said in read_films(many)]
        if film["prompt"]:
            raise SettingsError("give one prompt or a list with --from, not both", "prompt")
    elif projects and not has_source(film):
        films = []
    told = recipients(on_event, notify)
    for each in _prepared(films, Path() if folder is None else waiting.folder):
        each.create()
        change_recipients(each.folder, told)
        waiting.add([each.folder], first=first)
        write_line(f"added {path_text(each.folder)}, seed {each.settings.seed}")
    for project in projects:
        change_recipients(project, told)
    waiting.add(projects, first=first)
    for project in projects:
        write_line(f"added {path_text(project)}")


@verb(
    "List what waits, and what became of the rest.",
    "queue ls",
    "queue ls --json | jq -r '.[] | select(.state == \"failed\") | .project'",
    name="ls",
    of=queue,
)
@queue_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
def list_jobs(folder: Path | None, as_json: bool) -> None:
    """List the jobs in the order of their turns."""
    waiting = queue_named(folder)
    jobs = waiting.jobs()
    if as_json:
        answer(json.dumps([_row(job) for job in jobs], ensure_ascii=False, indent=2))
        return
    for job in jobs:
        answer(_line(_row(job)))
    if not jobs:
        answer("no jobs; `zoomtui queue add` takes what `zoomtui render` takes")
    elif waiting.runner is None and any(job.turn is Turn.WAITING for job in jobs):
        answer("nothing begins them yet: run `zoomtui queue run`")
    if (why := waiting.paused) is not None:
        why = f": {clean(why)}" if why else ""
        answer(f"paused{why}; `zoomtui queue unpause` lets it go on")


@verb(
    "Take jobs out of the queue; their projects stay.",
    "queue rm coral.zoom",
    "queue rm --done",
    of=queue,
)
@queue_option
@click.option("--done", is_flag=True, help="All that are done.")
@click.argument("projects", type=FOLDER, nargs=-1, metavar="[PROJECT]...")
def rm(folder: Path | None, done: bool, projects: tuple[Path, ...]) -> None:
    """Take PROJECT out. One that is being rendered ends after the segment in hand."""
    waiting = queue_named(folder)
    jobs = _found(waiting, projects, enough=done)
    jobs += [job for job in waiting.jobs() if done and job.turn is Turn.DONE]
    for job in jobs:
        waiting.remove(job.folder)
        write_line(f"{path_text(job.folder)} is not in the queue any more; the project stays")


def _change(name: str, help_text: str, said: str, change: Callable[[Queue, Job], Any]) -> None:
    """Give `queue` a verb that changes jobs."""

    short_help, example = help_text.partition(";")[0] + ".", f"queue {name} coral.zoom"

    @verb(short_help, example, name=name, of=queue, help=f"{help_text}.")
    @queue_option
    @click.argument("projects", type=FOLDER, nargs=-1, required=True, metavar="PROJECT...")
    def change_jobs(folder: Path | None, projects: tuple[Path, ...]) -> None:
        waiting = queue_named(folder)
        for job in _found(waiting, projects):
            change(waiting, job)
            write_line(f"{path_text(job.folder)} {said}")


_change(
    "top",
    "Let PROJECT be the next",
    "is the next",
    lambda waiting, job: waiting.update(job, place=waiting.before_all()),
)
_change(
    "hold",
    "Keep PROJECT from being begun; if it is being rendered, that ends after the segment in hand",
    "is held; `zoomtui queue release` lets it go on",
    lambda waiting, job: waiting.update(job, turn=Turn.HELD, why=""),
)
_change(
    "release",
    "Let PROJECT, which was held, failed or is done, wait again",
    "waits",
    lambda waiting, job: waiting.update(job, turn=Turn.WAITING, why="", killed=0),
)


@verb("Begin no more jobs.", "queue pause", of=queue)
@queue_option
def pause(folder: Path | None) -> None:
    """Begin no more jobs until `unpause`; those that are being rendered go on."""
    queue_named(folder).pause()
    write_line("paused; `zoomtui queue unpause` lets it go on")


@verb("Begin jobs again.", "queue unpause", of=queue)
@queue_option
def unpause(folder: Path | None) -> None:
    """Begin jobs again."""
    queue_named(folder).go_on()
    write_line("jobs are begun again")


@verb(
    "Render the jobs, on these GPUs.",
    "queue run",
    "queue run --gpus 0,1,2,3",
    "queue run --gpus cpu:2 --until-empty",
    "queue run --slice 30m",
    notes="Ctrl-C ends all renders after the segments in hand; a second Ctrl-C leaves them at "
    "work, and the next `run` finds them. Run it in tmux, or by systemd (docs/server.md).",
    of=queue,
)
@queue_option
@click.option(
    "--gpus",
    default="",
    metavar="LIST",
    help="Numbers as nvidia-smi shows them, such as 0,2; all; or cpu:N for N engines without a "
    "GPU. By default all, and one without a GPU where there is none.",
)
@click.option("--until-empty", is_flag=True, help="End once no job is left to render.")
@click.option(
    "--slice",
    "slice_seconds",
    type=seconds,
    default="0",
    metavar="TIME",
    help="How long a job is rendered while others wait, such as 30m; it goes on in its next turn. "
    "For films without an end.",
)
def run(folder: Path | None, gpus: str, until_empty: bool, slice_seconds: float) -> int:
    """Render the jobs, one on each GPU, each to its end, with a line for what happens to it."""
    from renderer.queue.devices import devices
    from renderer.queue.runner import Runner

    if not slice_seconds >= 0:
        raise SettingsError(f"--slice must be 0 seconds or more, not {slice_seconds:g}")
    waiting = queue_named(folder)
    paints_on = devices(gpus)
    runner = Runner(
        waiting, lambda: paints_on, _say, until_empty=until_empty, slice_seconds=slice_seconds
    )
    count = sum(job.turn is Turn.WAITING for job in waiting.jobs())
    write_line(f"{', '.join(device.name for device in paints_on)}; jobs that wait: {count}")
    try:
        return runner.run()
    except Abandoned as abandoned:
        os._exit(abandoned.exit_code)


def _say(what: str, job: Job) -> None:
    write_line(f"{path_text(job.folder)}: {clean(what)}")


def queue_named(folder: Path | None) -> Queue:
    """The queue at ``folder``; None: the user's own."""
    return own_queue() if folder is None else Queue(named(folder))


def _found(waiting: Queue, projects: Sequence[Path], *, enough: bool = False) -> list[Job]:
    if not projects and not enough:
        raise SettingsError("say which: `zoomtui queue ls` lists the jobs")
    return [waiting.find(project) for project in projects]


def _prepared(films: Sequence[Film], place: Path) -> list[Prepared]:
    """The projects of these films, all checked, in the folder ``place``. Raises RendererError."""
    prepared: list[Prepared] = []
    for where, film in films:
        try:
            check_source(film)
            taken = [each.folder for each in prepared]
            found, _ = new_film(film, where=place, taken=taken)
            if found.folder in taken:
                raise ProjectError(f"{found.folder} is another film's already; choose another out")
        except RendererError as error:
            if where:
                raise type(error)(f"{where}: {error}") from None
            raise
        prepared.append(found)
    return prepared


def _row(job: Job) -> dict[str, Any]:
    from renderer.project.status import read_status

    try:
        status = read_status(job.folder)
    except RendererError as error:
        facts = dict.fromkeys(("keyframes", "total_keyframes", "seconds_left"))
        why = job.why or str(error)
        return {"project": job.project, "state": str(job.turn), "device": "", "why": why, **facts}
    total, pace = status.total_keyframes, status.seconds_per_keyframe
    at_work = renders(job.folder)
    return {
        "project": job.project,
        "state": "running" if at_work else str(job.turn),
        "device": job.device if at_work else "",
        "why": job.why,
        "keyframes": status.keyframes,
        "total_keyframes": total,
        "seconds_left": pace * (total - status.keyframes) if total and pace else None,
    }


def _line(row: Mapping[str, Any]) -> str:
    count = ""
    if row["keyframes"] is not None:
        count = f"  {count_text(row['keyframes'], row['total_keyframes'])} keyframes"
    device = f"  {row['device']}" if row["device"] else ""
    if row["device"] and row["seconds_left"] is not None:
        device += f", {duration_text(row['seconds_left'])} left"
    why = f"  {clean(row['why'])}" if row["why"] else ""
    return f"{row['state']:<8}  {clean(row['project'])}{count}{device}{why}"
