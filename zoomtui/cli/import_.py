"""`import`: a project out of zoom pictures that were made elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from renderer.formatting import clean, path_text
from zoomtui.cli.options import wishes
from zoomtui.cli.verb import FOLDER, verb
from zoomtui.stdio import write_json, write_line

if TYPE_CHECKING:
    from renderer.planning.import_chain import Chain


@verb(
    "Make a project of zoom pictures from elsewhere.",
    "import midjourney/ --out castle.zoom",
    "export castle.zoom castle.mp4 --seconds-per-keyframe 3",
    'resume castle.zoom --prompt "a castle" --keyframes 30',
    notes="The pictures must have one size, and each must show the one before it, "
    "smaller, in its middle; their names don't matter. Order and zoom factor are "
    "found by looking. The innermost picture becomes the first keyframe.",
    name="import",
)
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, metavar="FOLDER", help="New project folder.")
@click.option("--prompt", metavar="TEXT", help="What to paint when the project is continued.")
@click.option("--size", metavar="WxH", help="Film size; by default the pictures' own.")
@click.option("--fps", metavar="RATE", help="Frames a second of the film; 30 by default.")
@click.option(
    "--seconds-per-keyframe", type=float, metavar="S", help="Time between pictures; 2 by default."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def import_pictures(folder: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Make the project --out of the pictures in FOLDER: Midjourney's zooms, for instance."""
    from renderer.planning.import_chain import find_chain, import_chain
    from renderer.project.create import refuse_occupied

    refuse_occupied(out)
    chain = find_chain(folder)
    if not as_json:
        for line in chain_lines(chain):
            write_line(line)
    import_chain(chain, out, wishes(options), lambda _done, _total: None)
    if as_json:
        write_json(_said(chain, out))
        return
    write_line(f"project    {path_text(out)}")
    write_line(f"film       zoomtui export {path_text(out)} film.mp4")


def chain_lines(chain: Chain) -> list[str]:
    """The order that was found, and how well each pair fits."""
    lines = [
        f"{len(chain.files)} pictures, each {chain.zoom_factor:.4g} times wider than the one before"
    ]
    for (inner, outer), fit in zip(pairwise(chain.files), chain.fits, strict=True):
        dx, dy = fit.shift
        lines.append(
            f"{clean(inner.name)} in {clean(outer.name)}: zoom {fit.zoom_factor:.4f}, "
            f"off the middle {dx:+.2f} {dy:+.2f} px, misfit {fit.misfit:.1f}/255"
        )
    return lines


def _said(chain: Chain, out: Path) -> dict[str, Any]:
    """The JSON form."""
    return {
        "project": str(out),
        "zoom_factor": chain.zoom_factor,
        "pictures": [path.name for path in chain.files],
        "pairs": [
            {"inner": inner.name, "outer": outer.name, **asdict(fit)}
            for (inner, outer), fit in zip(pairwise(chain.files), chain.fits, strict=True)
        ],
    }
