"""Painted keyframes as files: written durably, then recorded. Knows no film and no lock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderer import __version__
from renderer.files import Place, part_of
from renderer.images import Picture, write_keyframe
from renderer.journal import Journal, Record, read_as
from renderer.project.history import KEYFRAME, History, StoredKeyframe
from renderer.project.records import keyframe_path


def store_keyframe(
    folder: Path,
    journal: Journal,
    keyframe: int,
    picture: Picture | bytes,
    made: Mapping[str, Any],
    at: Place | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Record:
    """A keyframe's file, durable, then its record, which is returned.

    ``picture``: see ``write_keyframe``. ``made``: seed, seconds, seam, drift, …, and the take, if
    it is not the first. ``at``: the folder of the keyframes, if it is held open. ``noted``: what
    the record alone holds, of the session and the machine. Raises StorageError.
    """
    provenance = {"zoomtui": __version__, "keyframe": keyframe, **made}
    path = keyframe_path(folder, keyframe, made.get("take", 1))
    journal.check()
    length, crc = write_keyframe(path, picture, provenance, at)
    of_file = {"keyframe": keyframe, "length": length, "crc": crc, "at": time.time()}
    stored = read_as({**made, **(noted or {}), **of_file}, StoredKeyframe)
    record = {"type": KEYFRAME, **asdict(stored)}
    journal.append(record)
    return record


def unrecorded(folder: Path, history: History) -> tuple[Path, Path]:
    """Where a kill may have left a picture without a record, whole or in part."""
    keyframe = len(history.keyframes)
    path = keyframe_path(folder, keyframe, history.next_take(keyframe))
    return path, part_of(path)
