"""`mark` and `place`: a note about a keyframe, and a picture of the user's own for one to come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from renderer.errors import SettingsError
from renderer.formatting import clean, path_text
from renderer.project.records import read_history, read_settings
from renderer.service.revise import place as let_show
from renderer.service.revise import revise
from zoomtui.cli.options import keyframe_index
from zoomtui.cli.verb import FILE, project_verb
from zoomtui.stdio import answer, answer_json, write_line


@project_verb(
    "Note something about a keyframe, or list the notes.",
    'mark coral.zoom 12 "the castle"',
    "mark coral.zoom 12 --remove",
    "mark coral.zoom",
    "mark coral.zoom --json | jq -r '.[].note'",
    notes="Keyframes are counted from 1. An exported film has a chapter for each mark.",
)
@click.argument("keyframe", type=int, required=False, metavar="[K]")
@click.argument("note", required=False, metavar="[NOTE]")
@click.option("--remove", is_flag=True, help="Take the mark away.")
@click.option("--json", "as_json", is_flag=True, help="List as a JSON array, for scripts.")
def mark(
    project: Path, keyframe: int | None, note: str | None, remove: bool, as_json: bool
) -> None:
    """Mark keyframe K of PROJECT with NOTE; without K list all marks."""
    if keyframe is None:
        _list(project, as_json)
        return
    index = keyframe_index(keyframe)
    if remove == bool(note):
        raise SettingsError("give a note, or --remove to take the mark away")
    asyncio.run(revise(project, "mark", keyframe=index, note=note or ""))
    said = "is not marked any more" if remove else f"is marked: {clean(note or '')}"
    write_line(f"keyframe {keyframe} {said}")


def _list(project: Path, as_json: bool) -> None:
    read_settings(project)
    marks = read_history(project).marks
    if as_json:
        answer_json([{"keyframe": keyframe + 1, "note": note} for keyframe, note in marks])
        return
    for keyframe, note in marks:
        answer(f"{keyframe + 1:>6}  {clean(note)}")
    if not marks:
        answer(f'no marks; `zoomtui mark {path_text(project)} 12 "the castle"` makes one')


@project_verb(
    "Show your own picture at a keyframe to come.",
    "place coral.zoom 12 castle.png",
    "place coral.zoom 12 --remove",
    notes="Keyframes are counted from 1. The picture is cropped to fill the keyframe; the "
    "picture before lies in its middle, and around that a band is painted in which "
    "the two grow together. For a keyframe that is painted already, `zoomtui "
    "rewind` comes first.",
)
@click.argument("keyframe", type=int, metavar="K")
@click.argument("picture", type=FILE, required=False, metavar="[FILE]")
@click.option("--remove", is_flag=True, help="Paint it as any other keyframe.")
def place(project: Path, keyframe: int, picture: Path | None, remove: bool) -> None:
    """Let keyframe K of PROJECT, which is not painted yet, show the picture FILE."""
    from renderer.project.placing import check_place, read_for_canvas

    index = keyframe_index(keyframe)
    if remove == (picture is not None):
        raise SettingsError("give a picture, or --remove to paint the keyframe as any other")
    settings, history = read_settings(project), read_history(project)
    check_place(history, index)
    end = history.settings_at(settings, keyframe).keyframes
    if end is not None and keyframe > end:
        raise SettingsError(f"keyframe {keyframe} is beyond the film's end: it has {end} keyframes")
    shown = None if picture is None else read_for_canvas(picture, settings)
    asyncio.run(let_show(project, index, shown))
    said = "is painted as any other" if remove else f"will show {path_text(picture or '')}"
    write_line(f"keyframe {keyframe} {said}")
