"""`place`: a picture of the user's own in a film that is being made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from renderer.errors import SettingsError
from renderer.formatting import path_text
from renderer.project.records import read_history, read_settings
from zoomtui.cli.options import FILE, FOLDER, keyframe_index
from zoomtui.cli.verb import verb
from zoomtui.stdio import write_line


@verb(
    "Let a keyframe to come show your own picture.",
    "place coral.zoom 12 castle.png",
    "place coral.zoom 12 --remove",
    notes="Keyframes are counted from 1. The picture is cropped to fill the keyframe; the "
    "picture before lies in its middle, and around that a band is painted in which "
    "the two grow together. For a keyframe that is painted already, `zoomtui "
    "rewind` comes first.",
)
@click.argument("project", type=FOLDER)
@click.argument("keyframe", type=int, metavar="K")
@click.argument("picture", type=FILE, required=False, metavar="[FILE]")
@click.option("--remove", is_flag=True, help="Paint it as any other keyframe.")
def place(project: Path, keyframe: int, picture: Path | None, remove: bool) -> None:
    """Let keyframe K of PROJECT, which is not painted yet, show the picture FILE."""
    from renderer.project.placing import check_place, read_for_canvas
    from renderer.service.revise import place as let_show

    index = keyframe_index(keyframe)
    if remove == (picture is not None):
        raise SettingsError("give a picture, or --remove to paint the keyframe as any other")
    settings, history = read_settings(project), read_history(project)
    check_place(history, index)
    end = history.settings_at(settings, keyframe).keyframes
    if end is not None and keyframe > end:
        raise SettingsError(f"keyframe {keyframe} is behind the film's end: it has {end} keyframes")
    shown = None if picture is None else read_for_canvas(picture, settings)
    asyncio.run(let_show(project, index, shown))
    said = "is painted as any other" if remove else f"will show {path_text(picture or '')}"
    write_line(f"keyframe {keyframe} {said}")
