"""Is a project as a render leaves it? Checked before it is opened for writing; changes nothing.

Damage beyond what an interrupted append leaves is refused, and the error says what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from renderer.errors import ProjectError
from renderer.film.records import FilmRecords
from renderer.journal import Record, untouched
from renderer.painting.geometry import Geometry
from renderer.project.history import History
from renderer.project.records import (
    EXPORTS,
    FILM,
    JOURNAL,
    KEYFRAMES,
    OWN,
    SETTINGS,
    keyframe_path,
    path_of,
    project_made,
)
from renderer.settings.render import RenderSettings


def refuse_links(folder: Path) -> None:
    """Raise ProjectError for a link through which a render would write outside the project."""
    for name in sorted({*OWN, EXPORTS}):
        if (folder / name).is_symlink():
            raise ProjectError(
                f"{folder / name} is a symbolic link, and would be written through: a project's "
                f"own files can't be links; put the file itself there"
            )


def check_project(
    folder: Path,
    settings: RenderSettings,
    records: Sequence[Record],
    history: History,
    film: FilmRecords,
    lacking: int = 0,
) -> None:
    """Settings, journal, film and keyframes against each other. Raises ProjectError.

    ``lacking``: so many segments at the film's end have to be made again.
    """
    if not records:
        raise _damaged(folder, f"{JOURNAL} holds no record")
    _check_settings(folder, settings, records)
    known = [stored.keyframe for stored in history.keyframes]
    if known != list(range(len(known))) or len(film.segments) - film.finished > max(
        0, len(known) - 1
    ):
        raise _damaged(folder, f"{JOURNAL} contradicts itself")
    geometry = Geometry.of(settings)
    for stored in history.keyframes:
        if stored.dives_to is not None and not geometry.holds(stored.dives_to):
            raise _damaged(folder, f"keyframe {stored.keyframe + 1} dives out of its picture")
    _check_files(folder, history, film, lacking)


def _damaged(folder: Path, what: str) -> ProjectError:
    return ProjectError(f"{folder} is damaged: {what}; {untouched(folder)}")


def _check_settings(folder: Path, settings: RenderSettings, records: Sequence[Record]) -> None:
    """Raise ProjectError where project.toml contradicts the journal's first record."""
    now = settings.plain()
    for key, value in project_made(records).settings.items():
        if key in now and now[key] != value:
            raise ProjectError(
                f"{folder / SETTINGS}: {key} is {now[key]!r}, but was {value!r} when the "
                f"project was made; put it back (`resume` changes what is painted next)"
            )


def _check_files(folder: Path, history: History, film: FilmRecords, lacking: int) -> None:
    """The journal knows every keyframe on disk, and those that are still needed are there.

    An interrupted append may leave one unknown keyframe. A segment that the film lacks is made
    again from its keyframes.
    """
    known = len(history.keyframes)
    if keyframe_path(folder, known + 1).is_file() and not history.find(known + 1, 1):
        raise _damaged(folder, f"{KEYFRAMES}/ holds pictures that {JOURNAL} knows nothing of")
    first = max(0, len(film.segments) - lacking) if lacking else known
    for stored in history.keyframes[first:]:
        if not path_of(folder, stored).exists():
            raise _damaged(
                folder,
                f"{FILM} lacks the last {lacking} segments that {JOURNAL} records, and "
                f"keyframe {stored.keyframe + 1}, which one of them is made from, is missing",
            )
