"""The verb `zoomtui export` as a child process: run dry, or in earnest, and ended without a trace.

So the interface loads no codec, stays awake whatever an encoder does, and an export ends as Ctrl-C
ends it: nothing is left. Knows no screen.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from renderer.children import python_module
from renderer.errors import RendererError

_NOTE, _COMPLAINT = "note: ", "zoomtui: "


class ExportFailed(RendererError):
    """The message is the verb's own line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an export comes, or came, to."""

    out: str
    """The file, or the folder of the pictures."""
    frames: int
    seconds: float
    size: str
    copies: bool
    notes: tuple[str, ...]


async def forecast(arguments: Sequence[str]) -> Outcome:
    """What `zoomtui export` with these arguments would make. Raises ExportFailed where it can't."""
    return await _run([*arguments, "--dry-run"], lambda done, frames: None)


async def export(arguments: Sequence[str], on_progress: Callable[[int, int], None]) -> Outcome:
    """Make it; ``on_progress`` takes (frames done, frames in all).

    Raises ExportFailed. Cancelled or failed, it leaves nothing behind.
    """
    return await _run(arguments, on_progress)


async def _run(arguments: Sequence[str], on_progress: Callable[[int, int], None]) -> Outcome:
    try:
        return await _outcome(arguments, on_progress)
    except OSError as error:  # such as a full disk, which no complaints can be kept on
        raise ExportFailed(f"the export can't be run: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise ExportFailed(
            "the export said what no zoomtui says, or ended without a word"
        ) from None


async def _outcome(arguments: Sequence[str], on_progress: Callable[[int, int], None]) -> Outcome:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryFile() as complaints:
        verb = _start(arguments, complaints)
        # On a thread: asyncio.run waits for threads, but would kill a child of its own.
        ending = loop.run_in_executor(
            None,
            _follow,
            verb,
            lambda done, frames: loop.call_soon_threadsafe(on_progress, done, frames),
        )
        try:
            code, last = await asyncio.shield(ending)
        except asyncio.CancelledError:
            verb.terminate()
            await asyncio.shield(ending)
            raise
        complaints.seek(0)
        words = complaints.read().decode(errors="replace").splitlines()
    if code != 0:
        raise ExportFailed(last.get("message") or _reason(words, code), last.get("field", ""))
    notes = tuple(word.removeprefix(_NOTE) for word in words if word.startswith(_NOTE))
    return msgspec.convert({**last, "notes": notes}, Outcome)


def _start(arguments: Sequence[str], complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            python_module("zoomtui", "export", *arguments, "--json"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,  # a closing terminal must not end it before it has cleaned up
        )
    except (OSError, ValueError) as error:  # no memory; a character that no argument can hold
        raise ExportFailed(f"the export can't be started: {error}") from None


def _follow(
    verb: subprocess.Popen[bytes], on_progress: Callable[[int, int], object]
) -> tuple[int, dict[str, Any]]:
    """Read the verb's events until it ends; its exit code, and the last event but progress."""
    last: dict[str, Any] = {}
    with verb:
        assert verb.stdout is not None
        for line in verb.stdout:
            said = json.loads(line)
            if said["event"] == "ExportProgress":
                on_progress(said["done"], said["frames"])
            else:
                last = said
        return verb.wait(), last


def _reason(words: Sequence[str], code: int) -> str:
    told = [word.removeprefix(_COMPLAINT) for word in words if word.startswith(_COMPLAINT)]
    return told[-1] if told else f"the export ended with exit code {code}"
