"""`report`: how a render went, in one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from renderer.errors import SettingsError
from renderer.files import replace_file
from renderer.formatting import path_text, size_text
from zoomtui.cli.progress_bar import progress
from zoomtui.cli.verb import FILE, FOLDER, verb
from zoomtui.stdio import write_line

_ENDINGS = (".html", ".htm")


@verb(
    "How a render went, as one HTML file to send or to keep.",
    "report coral.zoom coral.html",
    notes="Contact sheet, charts, prompts, notes, sessions and settings, in one file of some "
    "megabytes at most, which needs no other and runs no script. Of a project that is still "
    "rendering it shows what there is by now.",
)
@click.argument("project", type=FOLDER)
@click.argument("out", type=FILE)
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
def report(project: Path, out: Path, force: bool) -> None:
    """Write how PROJECT went to the file OUT. Reads PROJECT only."""
    if out.suffix.lower() not in _ENDINGS:
        raise SettingsError(f"a report is an .html file, not {out.name!r}", "out")
    if out.is_dir() or (out.exists() and not force):
        raise SettingsError(f"{out} exists; choose another name, or --force", "out")
    from zoomtui.viewing.report import report_html  # loads Pillow

    with progress(f"{out.name}: contact sheet", _pictures) as on_progress:
        page = report_html(project, on_progress)
    replace_file(out, page.encode("utf-8"))
    write_line(f"reported   {path_text(out)}   ({size_text(out.stat().st_size)})")


def _pictures(done: int, total: int) -> str:
    return f"{done}/{total} pictures"
