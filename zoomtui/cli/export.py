"""`export`: finished files out of a project's kept keyframes, without painting anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from renderer.errors import EncoderError, RendererError, StorageError
from renderer.formatting import clean, duration_text, path_text, size_text
from renderer.settings.plain_values import dimensions
from zoomtui.cli.options import export_options, json_option, wishes
from zoomtui.cli.progress_bar import OnProgress, bytes_read, frames, progress
from zoomtui.cli.verb import FOLDER, address_option, farm_address, project_verb
from zoomtui.stdio import ERR, OUT, answer, answer_json, write_json, write_line

if TYPE_CHECKING:
    from renderer.export.of_project import Plan, SideBySide


@project_verb(
    "Make a finished file: other size, speed, codec or direction.",
    "export coral.zoom coral.mp4",
    "export coral.zoom in.mp4 --direction in --easing ease-in-out",
    "export coral.zoom reel.mp4 --size 288x512 --audio song.ogg",
    "export coral.zoom loop.gif --loop --size 480x270 --fps 20",
    "export coral.zoom small.webm --codec av1 --size 512x288",
    "export coral.zoom frames/ --fps 24",
    "export coral.zoom --copy-project second.zoom",
    "export /shared/coral.zoom /shared/coral.mp4 --codec h265 --farm",
    notes="The ending of OUT decides: .mp4 .mkv .mov .webm are films; .gif .webp .png "
    "animated pictures; a folder, or a name such as frames/%06d.png, is for single "
    "pictures. As long as nothing has to change the film is copied, which takes "
    "seconds. A project that is still rendering is exported as far as it has come. "
    "Ctrl-C leaves nothing behind.",
)
@click.argument("out", required=False)
@export_options
@click.option(
    "--copy-project",
    type=FOLDER,
    metavar="NEW",
    help="Instead of a film make the project NEW, with all that PROJECT holds now; PROJECT may be "
    "rendered meanwhile. Takes no other option.",
)
@json_option
@click.option("--farm", is_flag=True, help="Encode on all machines of a Ray cluster.")
@address_option
@click.option("--dry-run", is_flag=True, help="Say frames, length and size; write nothing.")
def export(
    project: Path,
    out: str | None,
    copy_project: Path | None,
    as_json: bool,
    dry_run: bool,
    farm: bool,
    address: str,
    **asked: Any,
) -> None:
    """Make the finished file or folder OUT from what PROJECT keeps; paints nothing."""
    if copy_project is not None:
        if out or dry_run or as_json or farm or wishes(asked):
            raise click.UsageError("--copy-project takes no OUT and no other option")
        _copy_project(project, copy_project)
        return
    if out is None:
        raise click.MissingParameter(param_hint="OUT", param_type="argument")
    with _told(as_json):
        where = farm_address(farm, address)
        _export(project, out, asked, as_json=as_json, dry_run=dry_run, farm=where)


def _export(
    project: Path,
    out: str,
    asked: dict[str, Any],
    *,
    as_json: bool,
    dry_run: bool,
    farm: str | None,
) -> None:
    from renderer.export.of_project import export as make
    from renderer.export.of_project import plan_export
    from renderer.settings.export import ExportOptions

    if farm is not None:  # other machines know no working directory
        project, out = project.resolve(), os.path.join(Path.cwd(), out)  # noqa: PTH118 (a last /)
    plan = plan_export(project, out, ExportOptions.read(wishes(asked)))
    for note in plan.notes:
        write_line(f"note: {clean(note)}", ERR if as_json else OUT)
    if dry_run:
        if as_json:
            answer_json(_said("ExportPlanned", plan))
        else:
            answer(f"{path_text(plan.target.path)}: {_summary(plan)}")
        return
    side_by_side = None if farm is None else _on_farm(farm, (project, plan.target.folder))
    with _shown(plan, as_json) as on_progress:
        path = make(plan, on_progress, side_by_side)
    if as_json:
        write_json(_said("ExportFinished", plan))
        return
    size = f", {size_text(path.stat().st_size)}" if path.is_file() else ""
    write_line(f"exported   {path_text(path)}   ({_summary(plan)}{size})")


def _on_farm(address: str, shared: tuple[Path, Path]) -> SideBySide:
    from renderer.farm import connect

    connect(address)
    from renderer.farm.tasks import in_order

    return partial(in_order, shared=shared)


def _copy_project(project: Path, new: Path) -> None:
    from renderer.project.copy import copy_project

    with progress(f"copying {project}", bytes_read) as on_bytes:
        copy_project(project, new, on_bytes)
    write_line(f"copied     {path_text(new)}   (`zoomtui resume {path_text(new)}` goes on with it)")


def _summary(plan: Plan) -> str:
    how = "copied, not encoded again" if plan.copies else dimensions(plan.take.size)
    return f"{plan.frames} frames, {duration_text(plan.seconds)}, {how}"


def _said(event: str, plan: Plan) -> dict[str, Any]:
    """The JSON form."""
    return {
        "event": event,
        "out": str(plan.target.path),
        "frames": plan.frames,
        "seconds": plan.seconds,
        "size": dimensions(plan.take.size),
        "copies": plan.copies,
    }


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """An error is an event as well, with the option that is to blame."""
    try:
        yield
    except RendererError as error:
        usual = next((option for kind, option in _BLAMED.items() if isinstance(error, kind)), "")
        field = error.field or usual
        if as_json:
            write_json({"event": "ExportFailed", "message": str(error), "field": field})
        raise


_BLAMED = {StorageError: "out", EncoderError: "codec"}
"""The option that is to blame for such an error where the error names none."""


@contextmanager
def _shown(plan: Plan, as_json: bool) -> Iterator[OnProgress]:
    """Where progress goes: JSON, a bar on a terminal, or a line now and then."""
    if as_json:
        write_json(_said("ExportStarted", plan))
        yield lambda done, _: write_json(
            {"event": "ExportProgress", "done": done, "frames": plan.frames}
        )
        return
    if not os.isatty(OUT):
        write_line(f"exporting  {path_text(plan.target.path)}: {_summary(plan)}")
    with progress(f"{plan.target.path.name}: {_summary(plan)}", frames) as on_progress:
        yield on_progress
