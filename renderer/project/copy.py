"""A second project with all that a first one holds at one moment, also while that is rendered.

The journal is read first: what it knows then is on the disk, and stays there. The copy is checked
before it gets its name. Knows no engine and asks none.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from renderer.errors import ProjectError
from renderer.files import copy_part, flush_folder, replace_file, storage_errors
from renderer.film.records import committed
from renderer.film.salvage import OnBytes
from renderer.journal import write_journal
from renderer.project.create import refuse_occupied
from renderer.project.history import History
from renderer.project.records import (
    EXEMPLAR,
    EXPORTS,
    FILM,
    JOURNAL,
    KEYFRAMES,
    SETTINGS,
    path_of,
    read_records,
    read_settings,
)
from renderer.project.verify import verify


def copy_project(folder: Path, new: Path, on_bytes: OnBytes) -> None:
    """Make ``new`` of what ``folder`` holds now, whole or not at all.

    ``on_bytes`` follows the check, which takes as long as the copying. Raises ProjectError where
    something is at ``new`` already, where ``folder`` is no project or has damage that shows in its
    copy; SettingsError, StorageError.
    """
    refuse_occupied(new)
    beside = new.with_name(f".{new.name}.{os.getpid()}.part")
    with storage_errors(new):
        shutil.rmtree(beside, ignore_errors=True)  # a dead process of that number may have left it
        try:
            _copy(folder, beside)
            problems = verify(beside, on_bytes)
            if problems:
                more = f", and {len(problems) - 1} more" if problems[1:] else ""
                raise ProjectError(
                    f"{folder} is damaged: {problems[0]}{more}; nothing was made, and "
                    f"`zoomtui verify {folder}` shows all"
                )
            beside.rename(new)
            flush_folder(new.parent)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def _copy(folder: Path, new: Path) -> None:
    read_settings(folder)
    records = read_records(folder)
    segments = committed(records)
    (new / KEYFRAMES).mkdir(parents=True)
    (new / EXPORTS).mkdir()
    for name in (SETTINGS, EXEMPLAR):
        if (folder / name).exists():
            replace_file(new / name, (folder / name).read_bytes())
    if segments:
        copy_part(folder / FILM, new / FILM, 0, segments[-1].offset + segments[-1].length)
    history = History(records)
    for stored in (*history.keyframes, *history.not_chosen()):
        own = path_of(folder, stored)
        if own.exists():  # else it was pruned, or the check will say so
            replace_file(path_of(new, stored), own.read_bytes())
    write_journal(new / JOURNAL, records)
