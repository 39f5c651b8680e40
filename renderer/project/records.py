"""What lies where in a project folder, and what its journal says: read here, never written.

Light, so that a viewer can look at projects without loading what renders them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.errors import ProjectError
from renderer.film.hls import LIVE, WATCH
from renderer.film.records import HEADER, REWIND, SEGMENT, Header, Segment
from renderer.journal import Record, read_as, read_journal, unknown_record
from renderer.project.history import (
    KEYFRAME,
    MARK,
    PLACE,
    STEER,
    TAKE,
    History,
    Mark,
    Placed,
    Rewind,
    StoredKeyframe,
)
from renderer.project.lease import LEASE
from renderer.project.timeline import Steering
from renderer.settings.render import OF_THE_RENDER, RenderSettings

SETTINGS = "project.toml"
JOURNAL = "journal.jsonl"
FILM = "film.mp4"
LOCK = "lock"
SUPERVISOR = "supervisor"
SESSION = "session.json"
LOG = "render.log"
KEYFRAMES = "keyframes"
DROPPED = ".dropped"
"""What is added to the name of a keyframe that is damaged and painted again."""
PLACED = "placed"
EXPORTS = "exports"
EXEMPLAR = "exemplar.png"
LONGEST_NOTE = 200
"""Characters of a mark's note."""
OWN = frozenset(
    {
        *(SETTINGS, JOURNAL, FILM, LIVE, WATCH, KEYFRAMES, PLACED, EXEMPLAR),
        *(LOCK, LEASE, SUPERVISOR, SESSION, LOG),
    }
)
"""All that a project is made of; what lies beside it in the folder is the user's."""


@dataclass(frozen=True, slots=True)
class ProjectMade:
    """The journal's first record."""

    settings: dict[str, Any]
    """Plain values; what the film was begun with."""
    parent: str = ""
    """The folder of the project that this is a branch of; empty: it is none."""
    branched_at: int = 0
    """The last keyframe that both have."""


KINDS: dict[str, type[Any]] = {
    "project": ProjectMade,
    STEER: Steering,
    KEYFRAME: StoredKeyframe,
    TAKE: StoredKeyframe,
    REWIND: Rewind,
    MARK: Mark,
    PLACE: Placed,
    HEADER: Header,
    SEGMENT: Segment,
}


def read_records(folder: Path) -> list[Record]:
    """All records in the journal of ``folder``, each checked. Raises ProjectError."""
    records = read_journal(folder / JOURNAL)
    check_records(records)
    return records


def check_kinds(records: Iterable[Record]) -> None:
    """Raise ProjectError unless each is of a known kind; whether it has its fields is seen to by
    who folds them, but for the first one."""
    for record in records:
        kind = str(record.get("type"))
        if kind == "project" or kind not in KINDS:
            check_records([record])


def check_records(records: Iterable[Record]) -> None:
    """Raise ProjectError unless each record is of a known kind and has its fields."""
    for record in records:
        kind = KINDS.get(str(record.get("type")))
        if kind is None:
            raise unknown_record(record, "of no known type")
        read_as(record, kind)


def is_known(record: Record) -> bool:
    """Whether ``check_records`` accepts it."""
    try:
        check_records([record])
    except ProjectError:
        return False
    return True


def read_history(folder: Path) -> History:
    """What the journal of ``folder`` tells. Raises ProjectError."""
    return History(read_records(folder))


def project_made(records: Iterable[Record]) -> ProjectMade:
    """What the journal says of the project's beginning. Raises ProjectError."""
    first = next((record for record in records if record["type"] == "project"), None)
    return read_as(first, ProjectMade) if first else ProjectMade({})


def in_order(
    project: Record, steering: Sequence[Record], keyframes: Sequence[Record], film: Sequence[Record]
) -> list[Record]:
    """A journal as a render writes it: steering, the keyframe, and then its interval.

    ``steering``: as it was said; of what is of the render the last counts, and it alone stays.
    ``film``: its header first.
    """
    steering = _counting(steering)
    made = [project]
    header, segments = film[:1], {record["index"]: record for record in film[1:]}
    for keyframe, record in enumerate(keyframes):
        made += [each for each in steering if each["from_keyframe"] == keyframe]
        made.append(record)
        made += header if keyframe == 1 else []
        made += [segments[keyframe - 1]] if keyframe - 1 in segments else []
    made += [segments[len(keyframes) - 1]] if len(keyframes) - 1 in segments else []
    return [*made, *(each for each in steering if each["from_keyframe"] >= len(keyframes))]


def _counting(steering: Sequence[Record]) -> list[Record]:
    said: set[str] = set()
    counting = []
    for each in reversed(steering):
        changes = {name: each["changes"][name] for name in each["changes"] if name not in said}
        said |= OF_THE_RENDER & changes.keys()
        if changes:
            counting.append({**each, "changes": changes})
    return counting[::-1]


def read_settings_at(folder: Path, keyframe: int | None = None) -> RenderSettings:
    """What counts for ``keyframe`` of a project on disk; by default at its very end.

    Raises ProjectError, SettingsError, StorageError.
    """
    at = _LAST if keyframe is None else keyframe
    settings = read_settings(folder)  # what is no project is said by this
    return read_history(folder).settings_at(settings, at)


def read_settings(folder: Path) -> RenderSettings:
    """The settings of the project at ``folder``. Raises ProjectError or SettingsError."""
    path = folder / SETTINGS
    try:
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise ProjectError(f"{folder} {what}; a project is a folder made by `zoomtui render`")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectError(f"{folder} is not a zoomtui project: it has no {SETTINGS}") from None
    except OSError as error:
        raise ProjectError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path} is not UTF-8 text") from None
    return RenderSettings.from_toml(text, str(path))


def name_of(folder: Path) -> str:
    """The project's name, as people say it: the folder's, without its ending."""
    name = folder.absolute().name
    return name.removesuffix(".zoom") or name


def keyframe_path(folder: Path, keyframe: int, take: int = 1) -> Path:
    """The file of a take."""
    which = f".take{take}" if take > 1 else ""
    return folder / KEYFRAMES / f"{keyframe:06d}{which}.png"


def placed_path(folder: Path, placed: Placed) -> Path:
    """The file of a picture that a keyframe is to show."""
    return folder / PLACED / f"{placed.keyframe:06d}-{placed.crc:08x}.png"


def keyframe_in(path: Path) -> int:
    """Which keyframe such a file is of."""
    return int(path.name.partition(".")[0])


def path_of(folder: Path, stored: StoredKeyframe) -> Path:
    return keyframe_path(folder, stored.keyframe, stored.take)


_LAST = 1 << 62
"""A keyframe after all others."""
