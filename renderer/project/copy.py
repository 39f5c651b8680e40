"""A second project of what a first one holds at one moment, all or a beginning: copy and branch.

The first may be rendered meanwhile. Its journal is read first: what that knows is on the disk, and
stays there. The second is checked before it gets its name. Knows no engine and asks none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderer.errors import ProjectError
from renderer.files import copy_part, flush_folder, making_folder, replace_file, share_file
from renderer.film.records import records_of_film
from renderer.film.salvage import OnBytes
from renderer.journal import Record, write_journal
from renderer.project.create import refuse_occupied
from renderer.project.history import KEYFRAME, STEER, History
from renderer.project.recipients import forget
from renderer.project.records import (
    EXEMPLAR,
    EXPORTS,
    FILM,
    JOURNAL,
    KEYFRAMES,
    SETTINGS,
    in_order,
    path_of,
    placed_path,
    project_made,
    read_records,
    read_settings,
)
from renderer.project.rewinding import check_painted
from renderer.project.steering import what_changes
from renderer.project.thinning import check_there
from renderer.project.timeline import Steering
from renderer.project.trust import trust
from renderer.project.verify import Problem, not_rewound, verify


def copy_project(folder: Path, new: Path, on_bytes: OnBytes) -> None:
    """Make ``new`` of what ``folder`` holds now, whole or not at all.

    ``on_bytes`` follows the check, which takes as long as the copying. Raises ProjectError where
    something is at ``new`` already, where ``folder`` is no project or has damage that shows in its
    copy; SettingsError, StorageError.
    """

    def copy(records: Sequence[Record], beside: Path) -> None:
        history = History(records)
        for stored in (*history.keyframes, *history.not_chosen()):
            own = path_of(folder, stored)
            if own.exists():  # else it was pruned, or the check will say so
                replace_file(path_of(beside, stored), own.read_bytes())
        write_journal(beside / JOURNAL, records)
        _copy_placed(folder, beside, history)

    _make(folder, new, copy, on_bytes)


def branch_project(
    folder: Path, new: Path, keyframe: int, changes: Mapping[str, Any], on_bytes: OnBytes
) -> None:
    """Make ``new`` of ``folder`` up to ``keyframe``, which goes on by itself, with ``changes``.

    Where the file system can, both share their beginning on the disk. ``changes`` are plain values.
    Raises what ``copy_project`` and ``steering.what_changes`` do, and ProjectError where
    ``keyframe`` is not painted.
    """

    def branch(records: Sequence[Record], beside: Path) -> None:
        journal = branched(records, str(folder.resolve()), keyframe, changes)
        now = History(journal).settings_at(read_settings(folder), keyframe + 1)
        changed = what_changes(now, changes, begun=keyframe + 1, finished=False)
        if changed:
            trust(now.changed(changed))
            journal.append({"type": STEER, "from_keyframe": keyframe + 1, "changes": changed})
        check_there(folder, History(records).keyframes[keyframe], "no film can go on from there")
        for stored in History(journal).keyframes:
            own = path_of(folder, stored)
            if own.exists():  # else it was not kept, or the check will say so
                share_file(own, path_of(beside, stored))
        flush_folder(beside / KEYFRAMES)
        write_journal(beside / JOURNAL, journal)
        _copy_placed(folder, beside, History(journal))

    _make(folder, new, branch, on_bytes)


def branched(
    records: Sequence[Record], parent: str, keyframe: int, given: Iterable[str] = ()
) -> list[Record]:
    """The journal of a branch that has all up to ``keyframe``, and goes on as its parent is steered
    to, but for the settings that are ``given`` anew. Raises ProjectError."""
    history = History(records)
    check_painted(history, keyframe)
    made = {**asdict(project_made(records)), "parent": parent, "branched_at": keyframe}
    film = [each for each in records_of_film(records) if each.get("index", -1) < keyframe]
    journal = in_order(
        {"type": "project", **made},
        _steering(history, keyframe, frozenset(given)),
        [{"type": KEYFRAME, **asdict(each)} for each in history.keyframes[: keyframe + 1]],
        [each for each in film if not each.get("closing")] if keyframe else [],
    )
    journal += [each for each in history.mark_records() if each["keyframe"] <= keyframe]
    return [*journal, *(each for each in history.place_records() if each["keyframe"] > keyframe)]


def _steering(history: History, keyframe: int, given: frozenset[str]) -> list[Record]:
    found: list[Record] = []
    for each in history.steering:
        without = given if each.from_keyframe > keyframe else ()
        changes = {name: each.changes[name] for name in each.changes if name not in without}
        if changes:
            found.append({"type": STEER, **asdict(Steering(each.from_keyframe, changes))})
    return found


def _make(
    folder: Path, new: Path, fill: Callable[[Sequence[Record], Path], None], on_bytes: OnBytes
) -> None:
    """Settings, exemplar, keyframes and journal by ``fill``, and the film that this vouches for."""
    refuse_occupied(new)
    read_settings(folder)
    with making_folder(new) as beside:
        records = read_records(folder)
        with not_rewound(folder / FILM, records_of_film(records)):
            _begin(folder, beside)
            fill(records, beside)
            _copy_film(folder, beside)
            _check(folder, verify(beside, on_bytes))
    forget(new)


def _check(folder: Path, problems: Sequence[Problem]) -> None:
    if problems:
        more = f", and {len(problems) - 1} more" if problems[1:] else ""
        raise ProjectError(
            f"{folder} is damaged: {problems[0].what}{more}; nothing was made, and "
            f"`zoomtui verify {folder}` shows all"
        )


def _begin(folder: Path, new: Path) -> None:
    (new / KEYFRAMES).mkdir(parents=True)
    (new / EXPORTS).mkdir()
    for name in (SETTINGS, EXEMPLAR):
        if (folder / name).exists():
            replace_file(new / name, (folder / name).read_bytes())


def _copy_placed(folder: Path, new: Path, history: History) -> None:
    """The pictures that keyframes to come are to show."""
    for placed in history.placed.values():
        path = placed_path(new, placed)
        path.parent.mkdir(exist_ok=True)
        replace_file(path, placed_path(folder, placed).read_bytes())


def _copy_film(folder: Path, new: Path) -> None:
    """As much as the journal of ``new`` vouches for."""
    film = records_of_film(read_records(new))
    if film:
        copy_part(folder / FILM, new / FILM, 0, film[-1]["offset"] + film[-1]["length"])
