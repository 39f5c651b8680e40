"""What can be saved of a damaged project, and saving it.

A damaged journal is written again: out of the records that can be read, out of the film's own
fragments, and out of the keyframes' files, which say how they were made. What is taken away is kept
in the project, in a folder ``damaged-…``. Knows no painter and no thread.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from renderer.errors import ProjectBusy, ProjectError, RendererError, SettingsError
from renderer.files import copy_part, flush_folder, open_own, replace_file, shorten, storage_errors
from renderer.film.records import SEGMENT, records_of_film
from renderer.film.salvage import OnBytes, salvage_film
from renderer.formatting import size_text
from renderer.images import FAULTS, read_keyframe, read_provenance
from renderer.journal import Record, salvage, write_journal
from renderer.painting.figures import FIGURES
from renderer.painting.geometry import Geometry
from renderer.project.history import KEYFRAME, STEER, History, StoredKeyframe
from renderer.project.known_records import Known
from renderer.project.lease import take_lease
from renderer.project.lock import ProjectLock
from renderer.project.project import Project
from renderer.project.records import (
    FILM,
    JOURNAL,
    KEYFRAMES,
    LOCK,
    SETTINGS,
    in_order,
    is_known,
    keyframe_path,
    path_of,
    project_made,
    read_settings,
)
from renderer.project.thinning import may_be_missing
from renderer.settings.render import OPTIONS, STEERABLE, RenderSettings


@dataclass(frozen=True, slots=True)
class Rescue:
    """What a repair would leave. Nothing is changed yet."""

    settings: RenderSettings
    records: tuple[Record, ...]
    """Of the new journal."""
    film_end: int
    """Bytes of the film that stay."""
    strays: tuple[Path, ...]
    """Keyframes behind a gap."""
    new_settings: bool
    """``settings`` are the journal's: project.toml can't be read, or says something else."""
    loses: bool
    """Whether records or pictures are taken away."""
    lines: tuple[str, ...]
    """What stays, what is made again, what goes; for people."""


def damage(folder: Path) -> str:
    """Why the project can't be resumed; empty: it can. Changes nothing.

    Raises ProjectBusy where an engine is at work on it.
    """
    try:
        Project.open(folder, mend=False).close()
    except ProjectBusy:
        raise
    except (ProjectError, SettingsError) as error:
        return str(error)
    return ""


def find_rescue(folder: Path, on_bytes: OnBytes) -> Rescue:
    """What can be saved.

    Raises ProjectError, SettingsError where there are no settings, or no keyframes, to go on with.
    """
    found, unread = salvage(folder / JOURNAL) if (folder / JOURNAL).exists() else ([], 0)
    records = [record for record in found if is_known(record)]
    unread += len(found) - len(records)
    settings, from_journal = _settings(folder, records)
    known = Known.of(records)
    film = whole = salvage_film(folder / FILM, records, on_bytes)
    keyframes = list(_keyframes(folder, settings, known, whole))
    if film and not keyframes:
        raise _stuck(folder, whole, "its keyframes")
    film = _fitting(film, len(keyframes))
    if film:
        last = msgspec.convert(keyframes[min(len(film), len(keyframes)) - 1], StoredKeyframe)
        if may_be_missing(known.history, settings, last) and not path_of(folder, last).exists():
            raise _stuck(folder, whole, f"the picture of keyframe {last.keyframe + 1}")
    steering = [*known.steering, *_lost_steering(folder, settings, known, keyframes)]
    made = in_order(_project(settings, records), steering, keyframes, film)
    made += known.takes_beside(folder, keyframes)
    film_end = film[-1]["offset"] + film[-1]["length"] if film else 0
    size = (folder / FILM).stat().st_size if (folder / FILM).exists() else 0
    strays = tuple(
        path
        for path in sorted((folder / KEYFRAMES).glob("*.png"))
        if path.stem.isdecimal()
        and int(path.stem) > len(keyframes)
        and (int(path.stem), 1) not in known.takes
    )
    before = [*known.all_but_film(folder), *records_of_film(records)]
    kept = sum(record in before for record in made)
    segments = [record for record in film if record["type"] == SEGMENT]
    frames, behind = sum(record["frames"] for record in segments), size - film_end
    lines = [
        f"{JOURNAL}: {kept} records stay"
        + (f", {len(made) - kept} are made again" if len(made) > kept else "")
        + (f"; {unread} lines can't be read" if unread else ""),
        f"{FILM}: {len(segments)} segments, {frames} frames stay"
        + (f"; {size_text(behind)} behind them go" if behind else ""),
        f"{KEYFRAMES}: {len(keyframes)} pictures stay"
        + (f"; {len(strays)} behind a gap go" if strays else ""),
    ]
    if from_journal:
        lines.append(f"{SETTINGS}: written again, out of {JOURNAL}")
    loses = bool(strays) or any(record not in made for record in before)
    return Rescue(
        settings, tuple(made), film_end, strays, from_journal, loses=loses, lines=tuple(lines)
    )


def repair(folder: Path, rescue: Rescue) -> Path:
    """Carry ``rescue`` out; returns the folder that now holds what was taken away.

    Raises ProjectBusy, StorageError. A kill in between leaves a project that can be repaired again.
    """
    with ProjectLock(folder / LOCK), take_lease(folder) or nullcontext(), storage_errors(folder):
        aside = _new_folder(folder, time.strftime("damaged-%Y%m%d-%H%M%S"))
        for name in (JOURNAL, SETTINGS):
            if (folder / name).exists():
                replace_file(aside / name, (folder / name).read_bytes())
        if rescue.strays:
            (aside / KEYFRAMES).mkdir()
        flush_folder(folder)
        _cut_film(folder / FILM, rescue.film_end, aside / f"{FILM}.tail")
        for path in rescue.strays:
            path.rename(aside / KEYFRAMES / path.name)
        if rescue.new_settings:
            replace_file(folder / SETTINGS, rescue.settings.to_toml().encode())
        write_journal(folder / JOURNAL, rescue.records)
    return aside


def _new_folder(parent: Path, name: str) -> Path:
    """One of that name, with a number where there is one already. Raises OSError."""
    for number in count(1):
        made = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            made.mkdir()
            break
    return made


def _settings(folder: Path, records: list[Record]) -> tuple[RenderSettings, bool]:
    """(settings that the film was begun with, whether project.toml must be written again)."""
    first = next((record for record in records if record["type"] == "project"), None)
    if first is not None:
        settings = RenderSettings().changed(first["settings"], JOURNAL)
        try:
            same = read_settings(folder) == settings
        except RendererError:
            same = False
        return settings, not same
    return read_settings(folder), False


def _project(settings: RenderSettings, records: list[Record]) -> Record:
    """The first record."""
    made = {**asdict(project_made(records)), "settings": settings.plain()}
    return {"type": "project", **(made if made["parent"] else {"settings": made["settings"]})}


def _stuck(folder: Path, film: list[Record], lost: str) -> ProjectError:
    return ProjectError(
        f"{folder} has lost {lost}, from which alone it could go on; {folder / FILM} holds "
        f"{len(film) - 1} whole segments: copy it"
    )


def _keyframes(
    folder: Path, settings: RenderSettings, known: Known, film: list[Record]
) -> Iterator[Record]:
    """Records of the keyframes, up to the first with neither a record nor a good file.

    One whose picture was not kept, and which the ``film`` goes on from, gets a new record. Raises
    ProjectError in a dive, where that would have to say where the next picture is.
    """
    record: Record = {}
    for keyframe in count():
        if keyframe in known.chosen:
            record = known.chosen[keyframe]
        else:
            stored = _in_file(folder, settings, known, keyframe)
            if stored is None and keyframe < len(film) - 2:  # the last two are never deleted
                stored = _not_kept(folder, settings, known, keyframe, record)
                beside = (record, known.chosen.get(keyframe + 1, {}))
                dives = known.history.settings_at(settings, keyframe).method == "refine"
                if stored and (dives or any(each.get("dives_to") for each in beside)):
                    raise _stuck(folder, film, f"the record of keyframe {keyframe + 1}")
            if stored is None:
                return
            record = {"type": KEYFRAME, **asdict(stored)}
        yield record


def _in_file(
    folder: Path, settings: RenderSettings, known: Known, keyframe: int
) -> StoredKeyframe | None:
    """What the file of a keyframe tells that has no record; None: there is none that is whole."""
    take = known.lost_take(keyframe)
    path = keyframe_path(folder, keyframe, take)
    try:
        data = path.read_bytes()
        read_keyframe(path, Geometry.of(settings).stored_size(keyframe), zlib.crc32(data))
        made = read_provenance(path)
        said = {"seed": settings.seed, **dict.fromkeys(FIGURES, 0.0), **made}
        size, crc, at = len(data), zlib.crc32(data), path.stat().st_mtime
        of_file = {"keyframe": keyframe, "take": take, "length": size, "crc": crc, "at": at}
        return msgspec.convert({**said, **of_file}, StoredKeyframe)
    except (ProjectError, *FAULTS):
        return None


def _not_kept(
    folder: Path, settings: RenderSettings, known: Known, keyframe: int, before: Record
) -> StoredKeyframe | None:
    """What stands for one whose picture was deleted by the settings; None: it was not."""
    gone = {"keyframe": keyframe, "take": known.lost_take(keyframe), "length": 0, "crc": 0}
    said = {"seed": settings.seed, "at": before.get("at", 0.0), "around": before.get("take", 1)}
    stored = msgspec.convert({**dict.fromkeys(FIGURES, 0.0), **gone, **said}, StoredKeyframe)
    is_missing = not path_of(folder, stored).exists()
    return stored if is_missing and may_be_missing(known.history, settings, stored) else None


def _fitting(film: list[Record], keyframes: int) -> list[Record]:
    """Header and segments that the keyframes account for; the closing one marked as such."""
    kept = [record for record in film if record.get("index", 0) < max(0, keyframes - 1)]
    closing = next((r for r in film if r.get("index") == keyframes - 1 and r["frames"] == 1), None)
    if closing is not None and keyframes > 1:
        kept.append({**closing, "closing": True})
    return kept if keyframes > 1 else []


def _lost_steering(
    folder: Path, settings: RenderSettings, known: Known, keyframes: list[Record]
) -> Iterator[Record]:
    """Steering that is read back from the files of keyframes whose records are lost."""
    steering = list(known.steering)
    for keyframe, record in enumerate(keyframes):
        if keyframe in known.chosen or not record["length"]:
            continue
        made = read_provenance(keyframe_path(folder, keyframe, record["take"]))
        now = History(steering).settings_at(settings, keyframe).plain()
        changes: dict[str, Any] = {
            name: made[name]
            for name, option in OPTIONS.items()
            if option.provenance and name in STEERABLE and made.get(name, now[name]) != now[name]
        }
        if changes and made.get("painter") not in ("given", "import"):
            steering.append({"type": STEER, "from_keyframe": keyframe, "changes": changes})
            yield steering[-1]


def _cut_film(film: Path, end: int, tail: Path) -> None:
    """Shorten the film; what stood behind its new end is first saved at ``tail``, durably."""
    if not film.exists() or film.stat().st_size <= end:
        return
    copy_part(film, tail, end, film.stat().st_size)
    handle = open_own(film, os.O_RDWR)
    try:
        shorten(handle, end)
    finally:
        os.close(handle)
