"""Changing which keyframes a film consists of, whether an engine renders it or not.

The engine does it if there is one; otherwise it is done here, under the project's lock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renderer.project.history import Placed
from renderer.project.records import read_settings
from renderer.project.rewinding import DECIDE
from renderer.project.session_record import engine, supervise
from renderer.project.thinning import kept_takes, prune
from renderer.service.client import NotRunning, ask

if TYPE_CHECKING:
    from renderer.images import Picture


async def revise(folder: Path, command: str, **details: Any) -> bool:
    """``rewind``, ``reroll``, ``choose``, ``undo-rewind``, ``prune``, ``mark``: see
    docs/protocol.md, also for the details. True: an engine is at work and goes on from there.

    Raises ProjectError, SettingsError, StorageError, with nothing changed.
    """
    read_settings(folder)  # a folder that is no project gets no files
    try:
        await ask(folder, command, **details)
    except NotRunning:
        _revise_here(folder, command, details)
        return False
    return True


async def place(folder: Path, keyframe: int, picture: Picture | None) -> bool:
    """Let a keyframe to come show ``picture``, of the canvas's size; None: none any more.

    As ``revise``.
    """
    from renderer.project.placing import check_place, store_placed

    read_settings(folder)
    if engine(folder):  # what is refused goes when the next one opens the project
        placed = store_placed(folder, keyframe, picture) if picture is not None else None
        with suppress(NotRunning):
            await ask(folder, "place", **asdict(placed or Placed(keyframe, 0, 0)))
            return True
    from renderer.project.project import Project

    with supervise(folder), Project.open(folder) as project:
        check_place(project.history, keyframe)
        kept = store_placed(folder, keyframe, picture) if picture is not None else None
        project.show_placed(kept or Placed(keyframe, 0, 0))
    return False


def _revise_here(folder: Path, command: str, details: dict[str, Any]) -> None:
    from renderer.project.project import Project

    # A project whose engine is being restarted looks free, and must not be taken from it.
    with supervise(folder), Project.open(folder) as project:
        match command:
            case "rewind" | "reroll" | "choose":
                project.rewind(DECIDE[command](project.history, **details))
            case "undo-rewind":
                project.undo_rewind()
            case "mark":
                project.mark(**details)
            case "prune":
                prune(folder, kept_takes(folder, project.history))
            case _:
                raise ValueError(command)
