"""Changing which keyframes a film consists of, whether an engine renders it or not.

The engine does it if there is one; otherwise it is done here, under the project's lock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renderer.errors import ProjectError
from renderer.project.kept_takes import kept_takes, prune
from renderer.project.records import read_settings
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.session_record import supervise
from renderer.service.client import NotRunning, Refused, ask


async def revise(folder: Path, command: str, **details: Any) -> bool:
    """``rewind``, ``reroll``, ``choose``, ``undo-rewind``, ``prune``, ``mark``: see
    ``service.commands``, also for the details. True: an engine is at work and goes on from there.

    Raises ProjectError, SettingsError, StorageError, with nothing changed.
    """
    read_settings(folder)  # a folder that is no project gets no files
    try:
        await ask(folder, command, **details)
    except Refused as refused:
        raise ProjectError(str(refused)) from None
    except NotRunning:
        _revise_here(folder, command, details)
        return False
    return True


def _revise_here(folder: Path, command: str, details: dict[str, Any]) -> None:
    from renderer.project.project import Project

    # A project whose engine is being restarted looks free, and must not be taken from it.
    with supervise(folder), Project.open(folder) as project:
        match command:
            case "rewind":
                project.rewind(rewound(project.history, **details))
            case "reroll":
                project.rewind(rerolled(project.history, **details))
            case "choose":
                project.rewind(choosing(project.history, **details))
            case "undo-rewind":
                project.undo_rewind()
            case "mark":
                project.mark(**details)
            case "prune":
                prune(folder, kept_takes(folder, project.history))
            case _:
                raise ValueError(command)
