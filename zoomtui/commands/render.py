"""`render`, `resume` and `demo`: the verbs that make film."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from renderer.errors import SettingsError
from renderer.settings import RenderSettings
from zoomtui import headless
from zoomtui.commands.options import (
    FILE,
    FOLDER,
    film_options,
    headless_option,
    json_option,
    painting_options,
    wishes,
)
from zoomtui.estimate import Estimate
from zoomtui.output import ERR, OUT, write_line
from zoomtui.progress import watch_lines
from zoomtui.words import clean, path_text

DEMO = {
    "painter": "texture",
    "size": "1280x720",
    "seconds_per_keyframe": 1.5,
    "keyframes": 8,
    "seed": 1995,
}
"""About ten seconds of film, in a minute or two on two cores."""


@click.command(
    epilog="""\b
Examples:
  zoomtui render "a coral reef, oil painting" --keyframes 20
  zoomtui render "a castle" --image castle.jpg --size 1280x720 --seed 7
  zoomtui render --painter texture --image stars.png --zoom-factor 2
  zoomtui render "moss" --model ./my-model --steps 20 --scheduler unipc
  zoomtui render "a city" --codec av1 --seconds-per-keyframe 3 --dry-run

Without an end (--keyframes inf, the default) Ctrl-C ends after the segment in hand; a second
Ctrl-C ends at once. Either way the film is playable, and `zoomtui resume` goes on. The same
settings with the same seed give the same film; a seed that is not given is chosen, and recorded in
project.toml.
"""
)
@click.argument("prompt", default="")
@click.option(
    "--out",
    type=FOLDER,
    metavar="FOLDER",
    help="New project folder; by default named after the prompt, here.",
)
@click.option(
    "--image", type=FILE, metavar="FILE", help="Your own first picture, any size: cropped to fill."
)
@click.option(
    "--exemplar",
    type=FILE,
    metavar="FILE",
    help="Picture that the texture painter grows from; by default the first one.",
)
@painting_options
@film_options()
@headless_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say sizes, frames, length and disk; paint nothing.")
def render(
    prompt: str,
    out: Path | None,
    image: Path | None,
    exemplar: Path | None,
    as_json: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Render a new film of PROMPT, or around a picture of yours."""
    from renderer.defaults import fill_in

    plan = fill_in({"prompt": prompt, **wishes(options)})
    settings = plan.settings
    folder = _named(out) if out is not None else free_folder(Path(), prompt)
    picture = _prepare(folder, settings, image, exemplar)
    for note in plan.notes:
        write_line(f"note: {clean(note)}", ERR if as_json else OUT)
    if dry_run:
        _say_estimate(Estimate.of(folder, settings), as_json)
        return 0
    return _create_and_run(folder, settings, picture, exemplar, as_json)


def _prepare(
    folder: Path, settings: RenderSettings, image: Path | None, exemplar: Path | None
) -> Any:
    """Everything that can be refused is refused here, before anything is written."""
    from renderer.engine.creation import refuse_occupied
    from renderer.film.encode import Encoding, probe
    from renderer.painting.painters import find
    from renderer.pictures import crop_to_fill, load_picture

    refuse_occupied(folder)
    picture = None if image is None else crop_to_fill(load_picture(image), settings.keyframe_size)
    if exemplar is not None:
        load_picture(exemplar)
    find(settings.painter)
    probe(Encoding.of(settings))
    return picture


def _create_and_run(
    folder: Path, settings: RenderSettings, picture: Any, exemplar: Path | None, as_json: bool
) -> int:
    from renderer.engine.creation import create_project, discard_unpainted

    create_project(folder, settings, picture=picture, exemplar=exemplar)
    if not as_json:
        write_line(f"seed {settings.seed}")
    code = headless.run(folder, as_json=as_json)
    if code not in (0, 130, 143) and discard_unpainted(folder):
        return code
    _say_what_next(folder, code, as_json)
    return code


@click.command(
    short_help="Go on with a project, or lengthen its film.",
    epilog="""\b
Examples:
  zoomtui resume coral.zoom
  zoomtui resume coral.zoom --keyframes 40
  zoomtui resume coral.zoom --prompt "the reef at night" --keyframes inf

What is in the film stays: its size, frame rate, zoom factor and codec are fixed when the project is
made. Whatever the options above name counts from the next keyframe that is painted.
""",
)
@click.argument("project", type=FOLDER)
@click.option("--prompt", metavar="TEXT", help="What to paint.")
@painting_options
@film_options(hidden=True)
@headless_option
@json_option
def resume(project: Path, prompt: str | None, as_json: bool, **options: Any) -> int:
    """Go on with PROJECT: after a stop, a crash, a full disk, or to make a film longer."""
    given = wishes({"prompt": prompt, **options})
    if given:
        _steer(project, given)
    code = headless.run(project, as_json=as_json)
    _say_what_next(project, code, as_json)
    return code


def _steer(folder: Path, given: dict[str, Any]) -> None:
    """Change what comes next, once all that can be refused has not been."""
    from renderer.defaults import changes
    from renderer.engine.project import Project
    from renderer.film.encode import Encoding, probe
    from renderer.painting.painters import find

    with Project.open(folder) as project:
        changed = changes(project.current, given)
        find(changed.get("painter", project.current.painter))
        probe(Encoding.of(project.settings))
        project.steer(changed)


@click.command(
    short_help="Render ten seconds of stars, without any model.",
    epilog="""\b
Examples:
  zoomtui demo
  zoomtui demo --out stars.zoom
""",
)
@click.option(
    "--out", type=FOLDER, metavar="FOLDER", help="New project folder; by default demo.zoom, here."
)
def demo(out: Path | None) -> int:
    """Render about ten seconds of stars, without any model, to see that everything works."""
    from renderer.defaults import fill_in

    settings = fill_in(DEMO).settings
    folder = _named(out) if out is not None else free_folder(Path(), "demo")
    picture = _prepare(folder, settings, None, None)
    return _create_and_run(folder, settings, picture, None, as_json=False)


def free_folder(where: Path, prompt: str) -> Path:
    """A folder that is not there yet, named after the prompt: ``a-coral-reef.zoom``."""
    words = re.findall(r"[^\W_]+", prompt.lower())[:5]
    stem = "-".join(words)[:48].rstrip("-") or "film"
    for number in range(1, 10_000):
        folder = where / (f"{stem}.zoom" if number == 1 else f"{stem}-{number}.zoom")
        if not folder.exists():
            return folder
    raise SettingsError(f"too many projects here are named {stem}; give --out")


def _named(folder: Path) -> Path:
    """``folder`` by a path that ends in its name, which ``.`` and ``..`` don't."""
    return folder if folder.name not in {"", ".."} else folder.resolve()


def _say_estimate(estimate: Estimate, as_json: bool) -> None:
    if as_json:
        write_line(json.dumps(estimate.to_json(), ensure_ascii=False))
        return
    for line in estimate.lines():
        write_line(line)


def _say_what_next(folder: Path, code: int, as_json: bool) -> None:
    if as_json:
        return
    film = folder / "film.mp4"
    if film.exists() and film.stat().st_size:
        for line in watch_lines(folder, finished=code == 0):
            write_line(line)
    if code:
        write_line(f"go on      zoomtui resume {path_text(folder)}")
