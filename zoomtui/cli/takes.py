"""`rewind`, `reroll`, `takes`, `choose` and `prune`: which painting of each keyframe a film has.

And `branch`: a film that shares another one's beginning.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from renderer.errors import ProjectError, SettingsError
from renderer.formatting import duration_text, path_text, shortened, size_text
from renderer.painting.figures import texts
from renderer.planning.prepare import named
from renderer.project.contents import Contents
from renderer.project.history import StoredKeyframe
from renderer.project.records import path_of, read_settings
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.steering import what_changes
from renderer.project.thinning import kept_takes
from renderer.service.revise import revise
from renderer.settings.render import OF_THE_RENDER
from zoomtui.cli.options import film_options, keyframe_index, painting_options, wishes
from zoomtui.cli.progress_bar import bytes_read, progress
from zoomtui.cli.steer import note_unused
from zoomtui.cli.verb import FOLDER, project_verb
from zoomtui.stdio import OUT, answer, answer_json, write_line

F = TypeVar("F", bound=Callable[..., Any])

_KEPT = """Keyframes are counted from 1, as the monitor does. What is taken back is kept as a take,
until `zoomtui prune`; `zoomtui rewind PROJECT --undo` brings it back while nothing new is painted.
Works while the project is rendered, and when it is not."""
_yes = click.option("--yes", is_flag=True, help="Don't ask.")


@project_verb(
    "Take keyframes back: the film ends before one.",
    "rewind coral.zoom 12",
    "rewind coral.zoom 12 --yes",
    "rewind coral.zoom --undo",
    notes=_KEPT,
)
@click.argument("keyframe", type=int, required=False, metavar="K")
@click.option("--undo", is_flag=True, help="Bring back what was taken back last.")
@_yes
def rewind(project: Path, keyframe: int | None, undo: bool, yes: bool) -> None:
    """Take back keyframe K of PROJECT and everything after it."""
    if undo:
        if keyframe is not None:
            raise SettingsError("give a keyframe or --undo, not both")
        _revise(project, "what was taken back is in the film again", "undo-rewind")
        return
    if keyframe is None:
        raise SettingsError("say which keyframe to take back first, such as 12; or --undo")
    film, index = _Film(project), keyframe_index(keyframe)
    rewound(film.history, index)
    film.tell_steering(index)
    film.confirm(index, "taken back", yes)
    _revise(project, f"the film ends with keyframe {keyframe - 1}", "rewind", keyframe=index)


@project_verb(
    "Paint a keyframe, and what follows, anew.",
    "reroll coral.zoom",
    "reroll coral.zoom 12",
    'reroll coral.zoom 12 --prompt "a kelp forest" --steps 40',
    notes=_KEPT,
)
@click.argument("keyframe", type=int, required=False, metavar="[K]")
@click.option("--prompt", metavar="TEXT", help="What to paint from there on.")
@painting_options
@film_options(hidden=True)
@_yes
def reroll(
    project: Path, keyframe: int | None, prompt: str | None, yes: bool, **options: Any
) -> None:
    """Paint keyframe K of PROJECT (by default the newest) as another take, and go on from it."""
    film = _Film(project)
    index = len(film.history.keyframes) - 1 if keyframe is None else keyframe_index(keyframe)
    rerolled(film.history, index, {})
    planned = film.planned(index, {"prompt": prompt, **options})
    film.tell_steering(index)
    film.confirm(index, "painted anew", yes)
    said = f"keyframe {index + 1} gets another take"
    _revise(project, said, "reroll", keyframe=index, changes=planned)


@project_verb(
    "List the takes of a film's keyframes.",
    "takes coral.zoom",
    "takes coral.zoom 12",
    "takes coral.zoom --json | jq '.[] | select(.chosen)'",
    notes="The film has the takes with a star. `zoomtui choose` goes back to another one.",
)
@click.argument("keyframe", type=int, required=False, metavar="[K]")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for scripts.")
def takes(project: Path, keyframe: int | None, as_json: bool) -> None:
    """List every take of PROJECT that is kept, or those of keyframe K."""
    film = _Film(project)
    known = [*film.history.keyframes, *kept_takes(project, film.history)]
    if keyframe is not None:
        index = keyframe_index(keyframe)
        known = [stored for stored in known if stored.keyframe == index]
        if not known:
            raise ProjectError(f"keyframe {keyframe} is not painted")
    known.sort(key=lambda stored: (stored.keyframe, stored.take))
    rows = [film.facts(stored) for stored in known]
    if as_json:
        answer_json(rows)
        return
    for row in rows:
        answer(_row_text(row))


@project_verb(
    "Go back to a take that was kept.",
    "takes coral.zoom 12",
    "choose coral.zoom 12 1",
    notes="What was last painted around that take comes back with it; its film is made "
    "again from the keyframes.\n\n" + _KEPT,
)
@click.argument("keyframe", type=int, metavar="K")
@click.argument("take", type=int, metavar="TAKE")
@_yes
def choose(project: Path, keyframe: int, take: int, yes: bool) -> None:
    """Let the film of PROJECT go on with TAKE of keyframe K."""
    film, index = _Film(project), keyframe_index(keyframe)
    keyframes = film.history.keyframes
    if index != len(keyframes) - 1 or keyframes[index].take != take:  # else one that is held
        choosing(film.history, index, take)
        film.confirm(index, "replaced", yes)
    said = f"the film has take {take} of keyframe {keyframe}"
    _revise(project, said, "choose", keyframe=index, take=take)


@project_verb(
    "Delete the takes that are not in the film.",
    "prune coral.zoom",
    "prune coral.zoom --yes",
)
@_yes
def prune(project: Path, yes: bool) -> None:
    """Delete every take of PROJECT that is not in its film."""
    film = _Film(project)
    kept = kept_takes(project, film.history)
    if not kept:
        write_line(f"{path_text(project)} has no takes but those in its film")
        return
    freed = size_text(sum(stored.length for stored in kept))
    _ask(f"{_count(len(kept), 'take')} will be deleted, for good: {freed}", yes)
    asyncio.run(revise(project, "prune"))
    write_line(f"freed {freed}")


@project_verb(
    "Begin another film with the keyframes of this one.",
    'branch coral.zoom night.zoom --prompt "the reef at night"',
    'branch coral.zoom forest.zoom --at 12 --prompt "a kelp forest"',
    "branch coral.zoom other.zoom --at 12 --seed 8 --keyframes 40",
    notes="Keyframes are counted from 1. What both films have is not painted or encoded "
    "again, and where the file system can share it, it takes no space. PROJECT may "
    "be rendered meanwhile.",
)
@click.argument("new", type=FOLDER)
@click.option(
    "--at", type=int, metavar="K", help="The last common keyframe; by default the newest."
)
@click.option("--prompt", metavar="TEXT", help="What to paint from there on.")
@painting_options
@film_options(hidden=True)
def branch(project: Path, new: Path, at: int | None, prompt: str | None, **options: Any) -> int:
    """Make the project NEW of PROJECT up to keyframe K; from there on it has its own settings."""
    from renderer.project.copy import branch_project

    film = _Film(project)
    last = len(film.history.keyframes) if at is None else keyframe_index(at) + 1
    planned = film.planned(last, {"prompt": prompt, **options})
    folder = named(new)
    with progress(f"branching {project}", bytes_read) as on_bytes:
        branch_project(project, folder, last - 1, planned, on_bytes)
    again = f"`zoomtui resume {path_text(folder)}` goes on"
    write_line(f"{path_text(folder)} has keyframes 1 to {last} of {path_text(project)}; {again}")
    return 0


class _Film:
    """What a project holds at the moment."""

    def __init__(self, folder: Path) -> None:
        self.settings = read_settings(folder)
        contents = Contents(folder).look()
        self.history, self._segments = contents.history, contents.film.segments
        self._folder = folder

    def confirm(self, keyframe: int, fate: str, yes: bool) -> None:
        """Say what becomes of ``keyframe`` and all after it, and ask, where film goes with it."""
        painted = len(self.history.keyframes)
        frames = sum(each.frames for each in self._segments if each.index >= keyframe - 1)
        seconds = duration_text(float(frames / self.settings.fps))
        first = keyframe + 1
        which = f"keyframes {first} to {painted}" if painted > first else f"keyframe {first}"
        if frames:
            _ask(f"{which} will be {fate}: {_count(frames, 'frame')}, {seconds} of film", yes)

    def planned(self, first: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """What ``options`` change from the keyframe ``first`` on. Raises SettingsError, before
        anything is made or taken back."""
        from renderer.planning.defaults import changes

        now = self.history.settings_at(self.settings, first)
        given = wishes(options)
        planned = changes(now, given)
        what_changes(now, planned, begun=first, finished=False)
        note_unused(now, given)
        return planned

    def tell_steering(self, keyframe: int) -> None:
        """Say what was steered for keyframes after this one, since that still counts for them."""
        for steering in self.history.steering:
            later = steering.changes.keys() - OF_THE_RENDER
            if later and steering.from_keyframe > keyframe:
                names = ", ".join(name.replace("_", " ") for name in sorted(later))
                write_line(f"still steered from keyframe {steering.from_keyframe + 1} on: {names}")

    def facts(self, stored: StoredKeyframe) -> dict[str, Any]:
        """What is known of a take, as plain values; keyframes from 1."""
        chosen = self.history.has(stored)
        prompt = self.history.settings_of(self.settings, stored).prompt
        about = {**asdict(stored), "keyframe": stored.keyframe + 1}
        file = str(path_of(self._folder, stored))
        return {**about, "chosen": chosen, "prompt": prompt, "file": file}


def _row_text(row: Mapping[str, Any]) -> str:
    star = "*" if row["chosen"] else " "
    figures = "  ".join(f"{text:>11}" for text in texts(row, ("seam", "drift", "residue")))
    prompt = shortened(row["prompt"], 60) or "(none)"
    return (
        f"{star} keyframe {row['keyframe']:>4}  take {row['take']:>2}  {figures}  "
        f"seed {row['seed']:<19}  {prompt}"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _ask(what: str, yes: bool) -> None:
    """Say it; go on only if it is wanted."""
    write_line(what)
    if yes:
        return
    if not (os.isatty(0) and os.isatty(OUT)):
        raise SettingsError("nothing was changed: without a terminal to ask on, say --yes")
    if not click.confirm("Go on?"):
        write_line("nothing was changed")
        raise click.Abort


def _revise(project: Path, said: str, command: str, **details: Any) -> None:
    """Change which keyframes the film has, and say how it goes on."""
    running = asyncio.run(revise(project, command, **details))
    again = "its engine paints on" if running else f"`zoomtui resume {path_text(project)}` goes on"
    write_line(f"{said}; {again}")
