"""`status --watch`: a line for each thing that happens to a render, until it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from renderer.engine.events import RenderFailed
from renderer.errors import ProjectError
from renderer.formatting import path_text
from renderer.service.client import NotRunning, Told, follow
from zoomtui.cli.headless import Show, in_lines, show_json
from zoomtui.stdio import write_line


def follow_lines(project: Path, said: list[str], *, as_json: bool) -> int:
    """Say ``said``, how things stand, then show what the engine of ``project`` says, and those that
    take its place after crashes, until the last one ends: with that exit code."""
    return asyncio.run(_follow(project, said, show_json if as_json else in_lines()))


async def _follow(project: Path, said: list[str], show: Show) -> int:
    code = 0
    try:
        async for message in follow(project):
            if isinstance(message, Told):
                show(message.event)
                code = message.event.exit_code if isinstance(message.event, RenderFailed) else 0
                continue
            for line in said:  # once: a snapshot comes first, and perhaps again
                write_line(line)
            said = []
    except NotRunning as error:
        again = f"`zoomtui resume {path_text(project)}` goes on"
        raise ProjectError(f"{error}; {again}") from None
    return code
