"""`pause`, `unpause`, `prompt`, `steer` and `stop`: what the monitor's keys do, as verbs."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import click

from renderer.engine.event_text import changes_text
from renderer.engine.events import RenderFailed, RenderFinished
from renderer.errors import ProjectError, SettingsError, error_of
from renderer.formatting import clean, path_text, shortened
from renderer.project.records import read_settings, read_settings_at
from renderer.service.client import NotRunning, Told, ask, reach
from renderer.settings.option import NOTATION, unknown
from renderer.settings.plain_values import from_text
from renderer.settings.render import OPTIONS, RenderSettings
from zoomtui.cli.event_lines import finished_line
from zoomtui.cli.verb import project_verb
from zoomtui.stdio import ERR, write_line

Deed = Callable[..., Coroutine[Any, Any, None]]


def _key(setting: str) -> str:
    """As `steer` calls a setting."""
    return setting.replace("_", "-")


def _what_can_change() -> str:
    rows = [(name, row) for name, row in OPTIONS.items() if row.user_steerable]
    lines = [f"  {_key(name):16} {row.help or row.hint}" for name, row in rows]
    return "\n".join(["\b", "What can be changed:", *lines])


def _conversation(short_help: str, *examples: str) -> Callable[[Deed], click.Command]:
    """Make a command of a conversation with the engine that renders PROJECT, its first argument."""

    def decorate(deed: Deed) -> click.Command:
        @functools.wraps(deed)
        def talk(project: Path, **options: Any) -> None:
            try:
                asyncio.run(deed(project, **options))
            except NotRunning:
                read_settings(project)  # what is no project can't be resumed either
                again = f"`zoomtui resume {path_text(project)}` starts one"
                raise ProjectError(f"no engine renders {project}; {again}") from None

        return project_verb(short_help, *examples)(talk)

    return decorate


@_conversation("Pause a render.", "pause coral.zoom")
async def pause(project: Path) -> None:
    """Hold PROJECT's painter at its next step; the GPU is free until `unpause`."""
    await ask(project, "pause")
    write_line(f"paused; `zoomtui unpause {path_text(project)}` goes on")


@_conversation("Let a render's painter go on.", "unpause coral.zoom")
async def unpause(project: Path) -> None:
    """Let PROJECT's painter go on."""
    await ask(project, "unpause")
    write_line("painting")


@_conversation(
    "Change what a render paints next.",
    'prompt coral.zoom "the reef at night"',
    'prompt coral.zoom "a kelp forest" --blend 4',
)
@click.argument("text")
@click.option(
    "--blend",
    type=int,
    metavar="N",
    help="Keyframes that TEXT takes to replace the prompt before; counts for later prompts too.",
)
async def prompt(project: Path, text: str, blend: int | None) -> None:
    """Paint TEXT, starting with the next keyframe that PROJECT's engine has not begun."""
    changes = {"prompt": text, **({} if blend is None else {"prompt_blend": blend})}
    RenderSettings().changed(changes)  # or SettingsError
    await ask(project, "steer", changes=changes)
    gradually = f", over {blend} keyframes" if blend else ""
    write_line(f"from the next keyframe on{gradually}: {shortened(text) or '(none)'}")
    note_unused(read_settings_at(project), changes)


@project_verb(
    "Change steps, model, seed … of what a render paints next.",
    "steer coral.zoom steps=40 guidance-scale=5",
    'steer coral.zoom prompt="the reef at night" candidates=4',
    "steer coral.zoom keyframes=200",
    notes=_what_can_change(),
)
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
def steer(project: Path, changes: tuple[str, ...]) -> None:
    """Change settings from the next keyframe that PROJECT's engine has not begun.

    A project that is not being rendered keeps the change until `zoomtui resume` goes on with it.
    """
    given = dict(_read(change) for change in changes)
    try:
        _steer(project, given)
    except SettingsError as error:
        raise SettingsError(error.naming(_key(error.field))) from None
    write_line(f"from the next keyframe on: {clean(changes_text(given))}")


@project_verb(
    "Say where a dive goes next.",
    "focus coral.zoom 0.3,0.6",
    "focus coral.zoom auto",
)
@click.argument("where", metavar="X,Y|auto")
def focus(project: Path, where: str) -> None:
    """Let PROJECT, a dive, go to a point from 0,0 (top left) to 1,1; auto: where there is most to
    see.

    From the next keyframe that is not begun; one that is not rendered keeps it until `resume`.
    """
    _steer(project, {"focus": where})
    write_line(f"from the next keyframe on: focus {clean(where)}")


def _steer(folder: Path, given: Mapping[str, Any]) -> None:
    from renderer.planning.defaults import changes

    try:
        now = read_settings_at(folder)
        whole = changes(now, given)  # with what another model brings along
        asyncio.run(ask(folder, "steer", changes=whole))
    except NotRunning:
        record_steering(folder, given)
    note_unused(now, given)


def note_unused(now: RenderSettings, given: Mapping[str, Any]) -> None:
    """Say, beside the answer, what of ``given`` has no effect in a project with these settings."""
    from renderer.planning.painter_choice import texture_notes

    if given.get("painter", now.painter) == "texture":
        for note in texture_notes(given):
            write_line(f"note: {note}", ERR)


def _read(change: str) -> tuple[str, Any]:
    """KEY=VALUE as a setting's name and its plain value. Raises SettingsError."""
    key, equals, text = change.partition("=")
    name = key.strip().replace("-", "_")
    known = {_key(each) for each, row in OPTIONS.items() if row.user_steerable}
    if not equals:
        raise SettingsError(f"{shortened(change, 40)!r} is not KEY=VALUE, such as steps=40")
    if name not in OPTIONS:
        raise SettingsError(unknown(f"setting {shortened(key, 40)!r}", _key(name), known))
    if not OPTIONS[name].user_steerable:
        raise SettingsError(f"{name} is no setting that can be changed; those are in --help")
    try:
        return name, from_text(OPTIONS[name].kind, text)
    except ValueError:
        notation = NOTATION[OPTIONS[name].kind]
        raise SettingsError(f"{key}={shortened(text, 40)} is not {notation}", name) from None


def record_steering(folder: Path, given: Mapping[str, Any]) -> None:
    """Change what comes next in a project that no engine renders.

    Only once every check that could refuse it has passed. Raises RendererError.
    """
    from renderer.film.encode import Encoding, probe
    from renderer.painting.painters import find
    from renderer.planning.defaults import changes
    from renderer.project.project import Project
    from renderer.project.session_record import supervise
    from renderer.project.trust import check_trust

    read_settings(folder)  # a folder that is no project gets no files
    # A project whose engine is being restarted looks free, and must not be taken from it.
    with supervise(folder), Project.open(folder) as project:
        changed = changes(project.current, given)
        if "painter" not in changed:
            check_trust(folder, [project.current])
        find(changed.get("painter", project.current.painter))
        probe(Encoding.of(project.settings))
        project.steer(changed)


@_conversation(
    "End a render after the segment in hand.", "stop coral.zoom", "stop coral.zoom --now"
)
@click.option("--now", is_flag=True, help="Don't finish the segment in hand; `resume` makes it.")
async def stop(project: Path, now: bool) -> None:
    """End PROJECT's render after the segment in hand, and wait for it.

    Where it fails meanwhile, this fails as it does.
    """
    client = await reach(project)
    asking = asyncio.create_task(client.command("stop", now=now))
    async for message in client.messages():
        match message:
            case Told(RenderFinished() as end):
                write_line(finished_line(end))
            case Told(RenderFailed() as end):
                raise error_of(end.exit_code, end.message)
    await asking
