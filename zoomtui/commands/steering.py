"""`pause`, `unpause`, `prompt` and `stop`: what the monitor's keys do, as verbs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import click

from renderer.errors import ProjectError
from renderer.events import RenderFailed, RenderFinished
from zoomtui.client import Client, NotRunning, Refused, Told, ask
from zoomtui.commands.options import FOLDER
from zoomtui.output import write_line
from zoomtui.progress import Progress
from zoomtui.words import path_text, shortened


@click.command(
    short_help="Hold a render's painter.",
    epilog="""\b
Examples:
  zoomtui pause coral.zoom
""",
)
@click.argument("project", type=FOLDER)
def pause(project: Path) -> None:
    """Hold PROJECT's painter at its next step; the GPU is free until `unpause`."""
    _ask(project, "pause")
    write_line(f"paused; `zoomtui unpause {path_text(project)}` goes on")


@click.command(
    short_help="Let a render's painter go on.",
    epilog="""\b
Examples:
  zoomtui unpause coral.zoom
""",
)
@click.argument("project", type=FOLDER)
def unpause(project: Path) -> None:
    """Let PROJECT's painter go on."""
    _ask(project, "unpause")
    write_line("painting")


@click.command(
    short_help="Change what a render paints next.",
    epilog="""\b
Examples:
  zoomtui prompt coral.zoom "the reef at night"
""",
)
@click.argument("project", type=FOLDER)
@click.argument("text")
def prompt(project: Path, text: str) -> None:
    """Paint TEXT from the next keyframe on that PROJECT's engine has not begun."""
    _ask(project, "steer", changes={"prompt": text})
    write_line(f"from the next keyframe on: {shortened(text)}")


@click.command(
    short_help="End a render after the segment in hand.",
    epilog="""\b
Examples:
  zoomtui stop coral.zoom
  zoomtui stop coral.zoom --now
""",
)
@click.argument("project", type=FOLDER)
@click.option("--now", is_flag=True, help="Leave the segment in hand as well; `resume` makes it.")
def stop(project: Path, now: bool) -> None:
    """End PROJECT's render after the segment in hand, and wait for it."""
    _run(_stop(project, now), project)


def _ask(project: Path, command: str, **details: Any) -> None:
    _run(ask(project, command, **details), project)


def _run(talk: Any, project: Path) -> None:
    try:
        asyncio.run(talk)
    except NotRunning:
        raise ProjectError(
            f"no engine renders {project}; `zoomtui resume {path_text(project)}` starts one"
        ) from None
    except Refused as refused:
        raise ProjectError(str(refused)) from None


async def _stop(project: Path, now: bool) -> None:
    """Ask, then listen until the engine says its last word."""
    client = await Client.connect(project)
    asking = asyncio.create_task(client.command("stop", now=now))
    progress = Progress()
    async for message in client.messages():
        if not isinstance(message, Told):
            continue
        line = progress.tell(message.event, time.monotonic())
        if isinstance(message.event, RenderFinished | RenderFailed) and line:
            write_line(line)
    await asking
