"""`render`, `resume` and `demo`: the verbs that make film."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from renderer.errors import DeviceLost, EngineCrashed, SettingsError
from renderer.farm import NEEDS_RAY, PAINTS
from renderer.formatting import clean, path_text
from renderer.planning.estimate import Estimate
from renderer.planning.prepare import Prepared, free_folder, named, prepare
from renderer.project.recipients import Recipients
from renderer.project.records import read_settings_at
from renderer.service.launch import launch
from renderer.settings.render import RenderSettings
from zoomtui.cli.event_lines import watch_lines
from zoomtui.cli.headless import run as run_here
from zoomtui.cli.new_film import check_source, new_film, new_film_options
from zoomtui.cli.notify import change_recipients, metrics_option, recipient_options, recipients
from zoomtui.cli.open_tui import Look, on_terminal, show
from zoomtui.cli.options import film_options, headless_option, json_option, painting_options, wishes
from zoomtui.cli.steer import note_unused, record_steering
from zoomtui.cli.verb import FOLDER, address_option, farm_address, project_verb, verb
from zoomtui.stdio import ERR, OUT, answer, answer_json, write_line

_DEMO_FILM = {"size": "1280x720", "seconds_per_keyframe": 1.5, "keyframes": 8, "seed": 1995}
"""About ten seconds, in about a minute on two cores."""
DEMO = {
    **_DEMO_FILM,
    "model": "cosmos",
    "prompt": "crimson nebula, glowing",
    "keyframe_size": "768x432",
}
DEMO_WITHOUT_WEIGHTS = {**_DEMO_FILM, "painter": "texture"}
"""The same for a package that was built without cosmos."""
DEMO_DIVE = {
    **DEMO_WITHOUT_WEIGHTS,
    "method": "refine",
    "focus": "auto",
    "seed": 5,
    "keyframe_size": "768x432",
}


farm_option = click.option(
    "--farm",
    is_flag=True,
    help="Paint on the free GPUs of a Ray cluster, as many --candidates at once; counts for this "
    "session.",
)


@verb(
    "",
    'render "a coral reef, oil painting" --keyframes 20',
    'render "blue nebula, glowing" --model cosmos --keyframes 20',
    'render "a castle" --image castle.jpg --size 1280x720 --seed 7',
    "render --painter texture --image stars.png --zoom-factor 2",
    'render "moss" --model ./my-model --steps 20 --scheduler unipc',
    "render --prompts plan.txt --keyframes 60",
    'render "moss" --size 1920x1080 --upscale 4 --upscaler a.safetensors',
    'render "a city" --candidates 8 --farm --out /shared/city.zoom',
    'render "a city" --codec av1 --seconds-per-keyframe 3 --dry-run',
    notes="Without an end (--keyframes inf, the default) Ctrl-C ends after the segment in "
    "hand; a second Ctrl-C ends at once. Either way the film is playable, and "
    "`zoomtui resume` goes on. The same settings with the same seed give the same "
    "film; a seed that is not given is chosen, and recorded in project.toml.",
)
@new_film_options
@recipient_options
@metrics_option
@farm_option
@address_option
@headless_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say sizes, frames, length and disk; paint nothing.")
@click.pass_obj
def render(
    look: Look,
    /,
    on_event: str | None,
    notify: tuple[str, ...],
    metrics: str | None,
    farm: bool,
    address: str,
    headless: bool,
    as_json: bool,
    dry_run: bool,
    **film: Any,
) -> int:
    """Render a new film of PROMPT, or around a picture of yours."""
    told = recipients(on_event, notify, metrics)
    _paint_there(farm_address(farm, address))
    detached = _detached(headless, as_json)
    if not detached:
        check_source(film)
    asking = not as_json and on_terminal()
    prepared, notes = new_film(film, asking=asking)
    if not dry_run:
        _check_review(prepared.settings)
    for note in notes:
        write_line(f"note: {clean(note)}", ERR if as_json else OUT)
    if dry_run:
        _say_estimate(Estimate.of(prepared.folder, prepared.settings), as_json)
        return 0
    return _create_and_run(prepared, look, told, detached=detached, as_json=as_json)


def _paint_there(address: str | None) -> None:
    """Let the engine that this process starts paint on that cluster. Raises SettingsError."""
    if address is None:
        return
    if find_spec("ray") is None:
        raise SettingsError(NEEDS_RAY)
    os.environ[PAINTS] = address


_REVIEW = ("review", "review_wait")


def _check_review(settings: RenderSettings) -> None:
    """Raise SettingsError where a render would wait for a decision, and nothing could make one."""
    if settings.review and not settings.review_wait and not on_terminal():
        raise SettingsError(
            "a render that holds for review needs a terminal; without one add --review-wait "
            "SECONDS, to go on by itself, or --review 0, to hold nothing",
            "review",
        )


def _detached(headless: bool, as_json: bool) -> bool:
    """Start an engine of its own and open the monitor, instead of rendering here."""
    return not headless and not as_json and on_terminal()


def _create_and_run(
    prepared: Prepared,
    look: Look,
    told: Recipients,
    *,
    detached: bool,
    as_json: bool,
) -> int:
    from renderer.project.create import discard_unpainted

    prepared.create()
    folder = prepared.folder
    change_recipients(folder, told)
    if not as_json:
        write_line(f"seed {prepared.settings.seed}")
    if detached:
        return _launch_and_watch(folder, look)
    code = run_here(folder, as_json=as_json)
    crashed = code in (DeviceLost.exit_code, EngineCrashed.exit_code)  # its log is worth keeping
    if code not in (0, 130, 143) and not crashed and discard_unpainted(folder):
        return code
    _say_what_next(folder, code, as_json)
    return code


def _launch_and_watch(folder: Path, look: Look) -> int:
    launch(folder)
    return show(look, folder)


@project_verb(
    "Go on with a project, or lengthen its film.",
    "resume coral.zoom",
    "resume coral.zoom --keyframes 40",
    'resume coral.zoom --prompt "the reef at night" --keyframes inf',
    notes="What is in the film stays: its size, frame rate, zoom factor and codec are "
    "fixed when the project is made. Whatever the options above name counts from "
    "the next keyframe that is painted.",
)
@click.option("--prompt", metavar="TEXT", help="What to paint.")
@painting_options
@film_options(hidden=True)
@click.option(
    "--trust",
    is_flag=True,
    help="Run the painter or the pickled model files that a project from elsewhere names.",
)
@recipient_options
@metrics_option
@farm_option
@address_option
@headless_option
@json_option
@click.pass_obj
def resume(
    look: Look,
    /,
    project: Path,
    prompt: str | None,
    trust: bool,
    on_event: str | None,
    notify: tuple[str, ...],
    metrics: str | None,
    farm: bool,
    address: str,
    headless: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Go on with PROJECT: after a stop, a crash, a full disk, or to make a film longer."""
    _paint_there(farm_address(farm, address))
    given = wishes({"prompt": prompt, **options})
    now = read_settings_at(project)
    _check_review(replace(now, **{key: given[key] for key in _REVIEW if key in given}))
    told = recipients(on_event, notify, metrics)
    if trust:
        from renderer.project.project import Project

        with Project.open(project) as opened:
            opened.trust()
    if given:
        record_steering(project, given)
        note_unused(now, given)
    change_recipients(project, told)
    if _detached(headless, as_json):
        return _launch_and_watch(project, look)
    code = run_here(project, as_json=as_json)
    _say_what_next(project, code, as_json)
    return code


@verb(
    "Render ten seconds of a nebula: no GPU, no download.",
    "demo",
    "demo --dive",
    "demo --out nebula.zoom",
)
@click.option(
    "--out", type=FOLDER, metavar="FOLDER", help="New project folder; by default demo.zoom, here."
)
@click.option("--dive", is_flag=True, help="Zoom in, not out: into where there is most to see.")
@headless_option
@click.pass_obj
def demo(look: Look, /, out: Path | None, dive: bool, headless: bool) -> int:
    """Render about ten seconds of a nebula, or of galaxies, to see that everything works.

    cosmos paints the nebula, the small model that comes with the package, and the dive into
    galaxies is made from a photograph of them: neither needs a GPU, and nothing is downloaded.
    """
    from renderer.planning.defaults import fill_in
    from renderer.settings.presets import find_preset

    wished = DEMO if find_preset("cosmos") else DEMO_WITHOUT_WEIGHTS
    settings = fill_in(DEMO_DIVE if dive else wished).settings
    folder = named(out) if out is not None else free_folder(Path(), "demo")
    prepared = prepare(folder, settings)
    detached = _detached(headless, False)
    return _create_and_run(prepared, look, Recipients(), detached=detached, as_json=False)


def _say_estimate(estimate: Estimate, as_json: bool) -> None:
    if as_json:
        answer_json(estimate.to_json())
        return
    for line in estimate.lines():
        answer(line)


def _say_what_next(folder: Path, code: int, as_json: bool) -> None:
    if as_json:
        return
    from renderer.project.status import State, read_status

    finished = read_status(folder).state is State.FINISHED
    film = folder / "film.mp4"
    if film.exists() and film.stat().st_size:
        for line in watch_lines(folder, finished=finished):
            write_line(line)
    if code or not finished:  # stopped by a viewer is no error
        write_line(f"go on      zoomtui resume {path_text(folder)}")
