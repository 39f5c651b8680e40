"""The takes beside the film: which are there, how large, and deleting them. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from renderer.files import flush_folder, storage_errors
from renderer.project.history import History, StoredKeyframe
from renderer.project.records import KEYFRAMES, path_of


def kept_takes(folder: Path, history: History) -> list[StoredKeyframe]:
    """Those that are not in the film and have not been pruned, by keyframe."""
    return [stored for stored in history.not_chosen() if path_of(folder, stored).exists()]


def prune(folder: Path, takes: Iterable[StoredKeyframe]) -> None:
    """Delete the files of takes that are not in the film. Raises StorageError.

    Their records stay, so that no number is given twice.
    """
    with storage_errors(folder / KEYFRAMES):
        for stored in takes:
            path_of(folder, stored).unlink(missing_ok=True)
        flush_folder(folder / KEYFRAMES)
