"""Painting the first keyframes of a render to be, in a project that is thrown away afterwards.

The engine runs as a child process, with a list of renders and a socket of its own (another state
directory), so that no other process ever meets it. Leaving ``run`` in any way ends the engine; once
``discard`` is called, nothing is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from renderer.children import python_module
from renderer.engine import events
from renderer.engine.events import Event, Phase, from_json
from renderer.errors import PainterError
from renderer.planning.prepare import Prepared
from renderer.project.records import keyframe_path

P = ParamSpec("P")
T = TypeVar("T")

KEYFRAMES = 2
"""The first picture, and the one around it: what the film is made of."""
_LONGEST_LINE = 1 << 24


@dataclass(frozen=True, slots=True)
class Progress:
    """What the try-out has come to."""

    text: str
    picture: Path | None = None
    """A keyframe that is new; there until ``discard``."""


class TryOut:
    """One try-out, from ``run`` to ``discard``."""

    def __init__(self, prepare: Callable[..., Prepared]) -> None:
        """``prepare(folder, **changes)``: the render to be, in that folder, with other settings."""
        self._prepare = prepare
        self._base: Path | None = None
        self._unwanted = False

    async def run(self) -> AsyncGenerator[Progress, None]:
        """Paint, and report. Raises RendererError with the engine's own reason when it can't."""
        try:
            yield Progress("preparing")
            self._base = Path(tempfile.mkdtemp(prefix="zoomtui-try-"))
            folder = self._base / "try.zoom"
            prepared = await _whole(self._prepare, folder, keyframes=KEYFRAMES)
            await _whole(prepared.create)
            if prepared.picture is not None:
                yield Progress("your picture", keyframe_path(folder, 0))
            yield Progress("starting the engine")
            async with _engine(folder) as engine:
                assert engine.stdout is not None
                async for line in engine.stdout:
                    told = _progress(_event(line), folder)
                    if told is not None:
                        yield told
                    if told is not None and told.picture == keyframe_path(folder, KEYFRAMES - 1):
                        return
                code = await engine.wait()
                raise PainterError(f"the engine ended with exit code {code} before it had painted")
        finally:
            if self._unwanted:
                self._remove()

    def discard(self) -> None:
        """Remove everything that was painted, or will be yet. Blocking, but short."""
        self._unwanted = True
        self._remove()

    def _remove(self) -> None:
        if self._base is not None:
            shutil.rmtree(self._base, ignore_errors=True)


async def _whole(deed: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run ``deed`` on a thread, to its end even when cancelled: it writes files."""
    done = asyncio.ensure_future(asyncio.to_thread(deed, *arguments, **options))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done])
        raise


@contextlib.asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """None is left behind: its project is thrown away, so nothing need be finished."""
    engine = await asyncio.create_subprocess_exec(
        *python_module("renderer", "--alone", "--trust", "--", os.fspath(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": os.fspath(folder.parent)},
        limit=_LONGEST_LINE,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield engine
    finally:
        if engine.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                engine.kill()
        await asyncio.shield(engine.wait())


def _event(line: bytes) -> Event | None:
    with contextlib.suppress(ValueError, TypeError):
        return from_json(json.loads(line))
    return None


def _progress(event: Event | None, folder: Path) -> Progress | None:
    match event:
        case events.PhaseChanged(phase=Phase.LOADING):
            return Progress("loading the painter")
        case events.StepDone():
            return Progress(f"painting keyframe {event.keyframe}: {event.step}/{event.steps}")
        case events.KeyframeReady():
            text = f"keyframe {event.keyframe} painted in {event.seconds:.1f} s"
            return Progress(text, keyframe_path(folder, event.keyframe))
        case events.RenderFailed():
            raise PainterError(event.message, event.field)
    return None
