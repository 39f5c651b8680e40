"""Which pictures stay on the disk: of the film's keyframes, and of the takes beside it.

What is deleted needs no record: a keyframe may be missing where the settings (``keyframes_kept``)
want that, or once did, unless it is the first or has a mark. What is lost with it is said where it
would be needed. Knows no engine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from renderer.errors import ProjectError
from renderer.files import Place, flush_folder, storage_errors
from renderer.project.history import History, StoredKeyframe
from renderer.project.records import KEYFRAMES, keyframe_path, path_of
from renderer.settings.film import ALL, MARKS
from renderer.settings.render import RenderSettings

BESIDE_MARKS = 8
"""The newest that stay where only those with a mark are to: some can still be taken back."""


def newest_kept(kept: str) -> int:
    """How many of the newest pictures stay, where not all do."""
    return BESIDE_MARKS if kept == MARKS else int(kept)


class Thinning:
    """Of the folder of keyframes, while the film grows."""

    def __init__(self, pictures: Place) -> None:
        self._pictures = pictures
        self._done = 1
        """All before this keyframe are thinned; the first one is needed as long as the film grows.
        """

    def thin(self, history: History, settings: RenderSettings, intervals: int) -> None:
        """Delete what is not to be kept, of a film of so many intervals. Raises StorageError."""
        kept = settings.keyframes_kept
        if kept == ALL:
            return
        start = min(self._done, max(1, intervals))
        end = max(start, intervals + 1 - newest_kept(kept))
        for stored in history.keyframes[start:end]:
            if not history.mark(stored):
                name = keyframe_path(Path(), stored.keyframe, stored.take).name
                with storage_errors(Path(name)), suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=self._pictures.handle)
        self._done = end


def may_be_missing(history: History, settings: RenderSettings, stored: StoredKeyframe) -> bool:
    """Whether the project was told not to keep the picture of that keyframe of the film."""
    thinned = settings.keyframes_kept != ALL or history.timeline.changes("keyframes_kept")
    return thinned and stored.keyframe > 0 and not history.mark(stored)


def check_there(folder: Path, stored: StoredKeyframe, what: str) -> None:
    """Raise ProjectError, about ``what`` can't be done, where its picture was not kept."""
    if not path_of(folder, stored).exists():
        raise ProjectError(
            f"{what}: the picture of keyframe {stored.keyframe + 1} was not kept (--keyframes-kept)"
        )


def spans(keyframes: Iterable[int]) -> str:
    """Keyframes in words, counted from 1: ``2 to 40, 52``."""
    found: list[list[int]] = []
    for keyframe in keyframes:
        if found and keyframe == found[-1][1] + 1:
            found[-1][1] = keyframe
        else:
            found.append([keyframe, keyframe])
    words = [f"{a + 1}" if a == b else f"{a + 1} to {b + 1}" for a, b in found]
    return ", ".join(words[:3]) + (" and others" if words[3:] else "")


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
