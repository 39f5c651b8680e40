"""`warm`, and `doctor --bench`: a model is made ready, and timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import click

from renderer.formatting import clean, size_text
from renderer.settings.plain_values import dimensions
from zoomtui.cli.options import named_options, wishes
from zoomtui.cli.progress_bar import OnProgress, bar_fits, progress, steps
from zoomtui.cli.verb import verb
from zoomtui.stdio import ERR, answer, write_line

if TYPE_CHECKING:
    from renderer.planning.bench import Row
    from renderer.settings.render import RenderSettings

_PROMPT = "a nebula and stars"
_HEAD = "| | s | s a step | a second | peak memory | idle |\n|---|---:|---:|---:|---:|---:|"


@verb(
    "Download, load and compile a model.",
    "warm sdxl",
    "warm sd2 --speed balanced --size 1280x720",
    "warm --painter texture",
    notes="What is compiled depends on model, speed and size; a render with the same ones finds "
    "it in ~/.cache/zoomtui/torchinductor. Nothing is ever cleared there: delete that folder when "
    "it has grown too large, and what is needed is compiled again.",
)
@click.argument("model", required=False)
@named_options("painter", "speed", "size", "keyframe_size", "steps", "loras", "device")
def warm(model: str | None, **options: Any) -> None:
    """Make MODEL ready for its first film: fetch it, load it, paint a picture and a border.

    Says how long each took, and the most memory that it took. Nothing of it is kept but the
    download and what was compiled.
    """
    measure({"model": model, **options}, whole=False)


def measure(options: dict[str, Any], *, whole: bool) -> None:
    """Print a table in Markdown of how fast a model paints here; see ``planning.bench``."""
    from renderer.painting.geometry import Geometry
    from renderer.planning.bench import PLAIN
    from renderer.planning.defaults import fill_in

    settings = fill_in({"prompt": _PROMPT, **wishes(options)}).settings
    versions = ", ".join(f"{name} {version(name)}" for name in ("zoomtui", "torch", "diffusers"))
    canvas = dimensions(Geometry.of(settings).canvas_size)
    name = clean(settings.model or settings.painter)
    answer(f"{name}, canvas {canvas}, speed {settings.speed}; {versions}\n\n{_HEAD}")
    took: dict[str, float] = {}
    for row in _rows(settings, whole=whole):
        took[row.name] = row.seconds
        pace = f"{row.seconds / row.steps:.3f} | {1 / row.seconds:.3f}" if row.steps else " | "
        idle = "" if row.idle is None else f"{row.idle:.1%}"
        answer(f"| {row.name} | {row.seconds:.2f} | {pace} | {size_text(row.memory)} | {idle} |")
    if plain := took.get(PLAIN):
        answer(f"\n{plain / took['keyframe']:.2f} keyframes in the time of one of diffusers' own.")


def _rows(settings: RenderSettings, *, whole: bool) -> Iterator[Row]:
    """Each as it comes; on a terminal, the steps on the way to it."""
    from renderer.painting.painters.notices import listening
    from renderer.planning.bench import bench

    shown: list[OnProgress] = []
    rows = bench(settings, lambda done, total: shown[-1](done, total), whole=whole)
    while True:
        bar = progress("painting", steps) if bar_fits() else nullcontext(lambda done, total: None)
        with listening(lambda text: write_line(clean(text), ERR)), bar as show:
            shown.append(show)
            row = next(rows, None)
        if row is None:
            return
        yield row
