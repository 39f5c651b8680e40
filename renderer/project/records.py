"""What lies where in a project folder, and what its journal says: read here, never written.

Light, so that a viewer can look at projects without loading what renders them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.errors import ProjectError
from renderer.film.hls import LIVE, WATCH
from renderer.film.records import HEADER, SEGMENT, Header, Segment
from renderer.journal import Count, Moment, Record, read_as, read_journal, unknown_record
from renderer.painting import prompt_schedule
from renderer.painting.figures import Figures
from renderer.painting.prompt_schedule import Blend, Change
from renderer.settings.render import RenderSettings

SETTINGS = "project.toml"
JOURNAL = "journal.jsonl"
FILM = "film.mp4"
LOCK = "lock"
SUPERVISOR = "supervisor"
SESSION = "session.json"
LOG = "render.log"
KEYFRAMES = "keyframes"
DROPPED = ".dropped"
"""What is added to the name of a keyframe that was taken back."""
EXPORTS = "exports"
INWARD_FILM = f"{EXPORTS}/in.mp4"
EXEMPLAR = "exemplar.png"
OWN = frozenset(
    {
        *(SETTINGS, JOURNAL, FILM, LIVE, WATCH, KEYFRAMES, EXEMPLAR),
        *(LOCK, SUPERVISOR, SESSION, LOG),
    }
)
"""All that a project is made of; what lies beside it in the folder is the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKeyframe(Figures):
    """The journal's record of a keyframe on disk."""

    keyframe: Count
    length: Count
    """Bytes of the PNG file."""
    crc: Count
    """CRC-32 of the PNG file."""
    seed: int
    at: Moment
    """Unix time at which it became durable."""


@dataclass(frozen=True, slots=True)
class ProjectMade:
    """The journal's first record."""

    settings: dict[str, Any]
    """Plain values; what the film was begun with."""


@dataclass(frozen=True, slots=True)
class Steering:
    """The journal's record of settings that changed on the way."""

    from_keyframe: Count
    changes: dict[str, Any]
    """Plain values."""


_KINDS: dict[str, type[Any]] = {
    "project": ProjectMade,
    "steer": Steering,
    "keyframe": StoredKeyframe,
    HEADER: Header,
    SEGMENT: Segment,
}


def read_records(folder: Path) -> list[Record]:
    """All records in the journal of ``folder``, each checked. Raises ProjectError."""
    records = read_journal(folder / JOURNAL)
    check_records(records)
    return records


def check_records(records: Iterable[Record]) -> None:
    """Raise ProjectError unless each record is of a known kind and has its fields."""
    for record in records:
        kind = _KINDS.get(str(record.get("type")))
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


def keyframes_in(records: Iterable[Record]) -> list[StoredKeyframe]:
    """The keyframes that a journal knows, in order."""
    return [read_as(record, StoredKeyframe) for record in records if record["type"] == "keyframe"]


def settings_at(
    settings: RenderSettings, records: Iterable[Record], keyframe: int
) -> RenderSettings:
    """``settings`` with all steering applied that counts for ``keyframe``.

    Steering for a later keyframe takes precedence, whenever it was recorded: a plan of prompts is
    written down before the first keyframe is painted.
    """
    for record in _steering(records, keyframe):
        settings = settings.changed(record["changes"], JOURNAL)
    return settings


def read_settings_at(folder: Path, keyframe: int | None = None) -> RenderSettings:
    """``settings_at`` for a project on disk; without ``keyframe`` those of its very end.

    Raises ProjectError, SettingsError, StorageError.
    """
    at = _LAST if keyframe is None else keyframe
    return settings_at(read_settings(folder), read_records(folder), at)


def blend_at(settings: RenderSettings, records: Iterable[Record], keyframe: int) -> Blend:
    """The prompt that counts for ``keyframe``, and how far it has replaced the one before it.

    All of it follows from the journal, so a resumed film is blended as one that was never
    interrupted.
    """
    prompt, blend = settings.prompt, settings.prompt_blend
    changes = [Change(0, prompt, 0)]
    for record in _steering(records, keyframe):
        start, changed = int(record["from_keyframe"]), record["changes"]
        prompt, blend = changed.get("prompt", prompt), changed.get("prompt_blend", blend)
        if changes[-1].start == start:  # steered again from this keyframe: the last one counts
            changes.pop()
        if not changes or changes[-1].prompt != prompt:
            changes.append(Change(start, prompt, blend))
    return prompt_schedule.blend_at(changes, keyframe)


def _steering(records: Iterable[Record], keyframe: int) -> list[Record]:
    """The steering that starts at ``keyframe`` or before it, in the order in which it counts."""
    steering = [r for r in records if r["type"] == "steer" and r["from_keyframe"] <= keyframe]
    return sorted(steering, key=lambda record: int(record["from_keyframe"]))


def read_settings(folder: Path) -> RenderSettings:
    """The settings of the project at ``folder``. Raises ProjectError or SettingsError."""
    path = folder / SETTINGS
    try:
        if not folder.is_dir():
            raise ProjectError(_no_folder(folder))
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectError(f"{folder} is no zoomtui project: it has no {SETTINGS}") from None
    except OSError as error:
        raise ProjectError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path} is not UTF-8 text") from None
    return RenderSettings.from_toml(text, str(path))


def keyframe_path(folder: Path, keyframe: int) -> Path:
    return folder / KEYFRAMES / f"{keyframe:06d}.png"


_LAST = 1 << 62
"""A keyframe after all others."""


def _no_folder(folder: Path) -> str:
    problem = "is no folder" if folder.exists() else "does not exist"
    return f"{folder} {problem}; a project is a folder made by `zoomtui render`"
