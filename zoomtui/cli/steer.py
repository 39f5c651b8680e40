"""`pause`, `unpause`, `prompt` and `stop`: what the monitor's keys do, as verbs."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from renderer.engine.events import RenderFailed, RenderFinished
from renderer.errors import ProjectError
from renderer.formatting import path_text, shortened
from renderer.project.records import read_settings
from renderer.service.client import NotRunning, Refused, Told, ask, reach
from renderer.settings.render import RenderSettings
from zoomtui.cli.event_lines import Progress
from zoomtui.cli.options import FOLDER
from zoomtui.stdio import write_line

Deed = Callable[..., Coroutine[Any, Any, None]]


def _verb(short_help: str, *examples: str) -> Callable[[Deed], click.Command]:
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
            except Refused as refused:
                raise ProjectError(str(refused)) from None

        lines = [f"  zoomtui {example}" for example in examples]
        epilog = "\n".join(["\b", "Examples:", *lines])
        command = click.command(deed.__name__, short_help=short_help, epilog=epilog)
        return command(click.argument("project", type=FOLDER)(talk))

    return decorate


@_verb("Hold a render's painter.", "pause coral.zoom")
async def pause(project: Path) -> None:
    """Hold PROJECT's painter at its next step; the GPU is free until `unpause`."""
    await ask(project, "pause")
    write_line(f"paused; `zoomtui unpause {path_text(project)}` goes on")


@_verb("Let a render's painter go on.", "unpause coral.zoom")
async def unpause(project: Path) -> None:
    """Let PROJECT's painter go on."""
    await ask(project, "unpause")
    write_line("painting")


@_verb(
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
    write_line(f"from the next keyframe on{gradually}: {shortened(text)}")


@_verb("End a render after the segment in hand.", "stop coral.zoom", "stop coral.zoom --now")
@click.option("--now", is_flag=True, help="Don't finish the segment in hand; `resume` makes it.")
async def stop(project: Path, now: bool) -> None:
    """End PROJECT's render after the segment in hand, and wait for it."""
    client = await reach(project)
    asking = asyncio.create_task(client.command("stop", now=now))
    progress = Progress()
    async for message in client.messages():
        if not isinstance(message, Told):
            continue
        line = progress.tell(message.event, time.monotonic())
        if isinstance(message.event, RenderFinished | RenderFailed) and line:
            write_line(line)
    await asking
