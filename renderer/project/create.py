"""A new project: made whole or not at all, and taken back when nothing came of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderer.errors import ProjectError, StorageError
from renderer.files import making_folder, replace_file
from renderer.images import Picture, load_picture, write_keyframe
from renderer.journal import Journal
from renderer.project import registry
from renderer.project.history import PLACE, STEER, History
from renderer.project.keyframe_files import store_keyframe
from renderer.project.placing import refuse_dive, store_placed
from renderer.project.project import Project
from renderer.project.recipients import forget
from renderer.project.records import EXEMPLAR, EXPORTS, JOURNAL, KEYFRAMES, SETTINGS, keyframe_path
from renderer.project.trust import trust
from renderer.settings.render import RenderSettings


def create_project(
    folder: Path,
    settings: RenderSettings,
    *,
    picture: Picture | None = None,
    exemplar: Path | None = None,
    changes: Sequence[tuple[int, Mapping[str, Any]]] = (),
    places: Sequence[tuple[int, Picture]] = (),
) -> None:
    """Make the project ``folder``, in one stroke.

    ``picture`` (keyframe_size, sRGB) becomes keyframe 0; without it the painter makes one.
    ``exemplar`` is copied in, so that the project needs nothing from outside. ``changes`` are
    settings of later keyframes, each time with the first one: steering, known beforehand.
    ``places``: pictures of the canvas's size, each with the keyframe that is to show it. Raises
    ProjectError if something is there already, SettingsError for an exemplar that can't be read,
    StorageError.
    """
    refuse_occupied(folder)
    trust(settings)
    with making_folder(folder) as beside:
        (beside / KEYFRAMES).mkdir(parents=True)
        (beside / EXPORTS).mkdir()
        settings = _adopt_exemplar(beside, settings, picture, exemplar)
        replace_file(beside / SETTINGS, settings.to_toml().encode())
        with closing(Journal.create(beside / JOURNAL)) as journal:
            journal.append({"type": "project", "settings": settings.plain()})
            for start, change in changes:
                journal.append({"type": STEER, "from_keyframe": start, "changes": dict(change)})
            for keyframe, shown in places:
                refuse_dive(History(journal.records).settings_at(settings, keyframe), keyframe)
                placed = store_placed(beside, keyframe, shown)
                journal.append({"type": PLACE, **asdict(placed)})
            if picture is not None:
                store_keyframe(beside, journal, 0, picture, _given(settings))
    forget(folder)


def refuse_occupied(folder: Path) -> None:
    """Raise ProjectError unless a new project can be made at ``folder``."""
    try:
        if (folder / SETTINGS).exists():
            raise ProjectError(
                f"{folder} is a project already: `zoomtui resume {folder}` goes on with it; "
                f"for a new one choose another --out"
            )
        if folder.exists() and not folder.is_dir():
            raise ProjectError(f"{folder} is a file; choose another --out")
        if folder.exists() and any(folder.iterdir()):
            raise ProjectError(
                f"{folder} exists and is not a zoomtui project; choose another --out"
            )
    except OSError as error:
        raise ProjectError(
            f"{folder} can't be used: {error.strerror}; choose another --out"
        ) from None


def discard_unpainted(folder: Path) -> bool:
    """Remove a project in which nothing was painted, such as one whose model can't be loaded."""
    with Project.open(folder) as project:
        if project.store.frames or any(stored.seconds > 0 for stored in project.keyframes):
            return False
    with suppress(StorageError):
        registry.unlist(folder)
    shutil.rmtree(folder)
    return True


def _adopt_exemplar(
    folder: Path, settings: RenderSettings, picture: Picture | None, exemplar: Path | None
) -> RenderSettings:
    """``settings`` with the texture painter's source: the exemplar's copy, or the first picture."""
    if exemplar is not None:
        write_keyframe(folder / EXEMPLAR, load_picture(exemplar), {})
        return settings.changed({"exemplar": EXEMPLAR})
    if picture is not None:
        first = keyframe_path(folder, 0).relative_to(folder)
        return settings.changed({"exemplar": str(first)})
    return settings


def _given(settings: RenderSettings) -> dict[str, Any]:
    """How a first picture of the user's own was made: not by a painter."""
    return {"seed": settings.seed, "seconds": 0.0, "seam": 0.0, "drift": 0.0, "painter": "given"}
