"""A project open for writing: locked, recovered, its keyframes kept and its settings steered.

Knows no threads and no painters; the film's bytes are ``film.store``'s.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from renderer import __version__
from renderer.errors import ProjectError
from renderer.files import Place, storage_errors
from renderer.film.store import FilmStore
from renderer.images import Picture, read_keyframe, write_keyframe
from renderer.journal import Journal
from renderer.painting.figures import figures_in
from renderer.painting.geometry import Geometry
from renderer.painting.prompt_schedule import Blend
from renderer.project.checks import check_project, refuse_links
from renderer.project.lock import ProjectLock
from renderer.project.records import (
    DROPPED,
    FILM,
    JOURNAL,
    KEYFRAMES,
    LOCK,
    SETTINGS,
    StoredKeyframe,
    blend_at,
    check_records,
    keyframe_path,
    keyframes_in,
    read_settings,
    settings_at,
)
from renderer.project.trust import trust
from renderer.settings.plain_values import Size
from renderer.settings.render import STEERABLE, RenderSettings


class Project:
    """A project open for writing: locked, recovered, ready to go on."""

    def __init__(
        self,
        folder: Path,
        settings: RenderSettings,
        lock: ProjectLock,
        journal: Journal,
        store: FilmStore,
        place: Place,
        keyframes: Place,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.store = store
        self.place = place
        """The folder itself, even after it is renamed."""
        self.recovered = ""
        """What was put right on opening and is worth a line; empty: nothing."""
        self._lock = lock
        self._journal = journal
        self._pictures = keyframes

    @classmethod
    def open(cls, folder: Path, *, mend: bool = True) -> Project:
        """Lock and recover; without ``mend`` only find out whether that can be done.

        Raises ProjectBusy, ProjectError, SettingsError, StorageError.

        What an interrupted append has left is removed, and nothing else: where more is wrong, that
        is a ProjectError, and the project is as it was.
        """
        settings = read_settings(folder)
        with ExitStack() as held:
            refuse_links(folder)
            lock = held.enter_context(ProjectLock(folder / LOCK, folder / SETTINGS))
            place = held.enter_context(closing(Place(folder)))
            keyframes = held.enter_context(closing(Place(folder / KEYFRAMES)))
            opened = Journal.open(folder / JOURNAL, mend=False, at=place)
            journal = held.enter_context(closing(opened))
            check_records(journal.records)
            store = FilmStore.open(folder / FILM, journal, mend=False)
            held.enter_context(closing(store))
            project = cls(folder, settings, lock, journal, store, place, keyframes)
            check_project(folder, settings, journal.records, store)
            if mend:
                project._mend()
            held.pop_all()  # from here on close() releases them
        return project

    def close(self) -> None:
        """Close the files and release the lock."""
        self.store.close()
        self._journal.close()
        self._pictures.close()
        self.place.close()
        self._lock.release()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def film(self) -> Path:
        return self.folder / FILM

    @property
    def keyframes(self) -> Sequence[StoredKeyframe]:
        return keyframes_in(self._journal.records)

    @property
    def finished(self) -> bool:
        """The closing frame is in the film: nothing is left to do."""
        return bool(self.store.segments) and self.store.segments[-1].closing

    @property
    def duration(self) -> float:
        """Length of the film so far, seconds."""
        return float(self.store.frames / self.settings.fps)

    @property
    def current(self) -> RenderSettings:
        """The settings for the next keyframe to be painted."""
        return self.settings_at(len(self.keyframes))

    def settings_at(self, keyframe: int) -> RenderSettings:
        """The settings that count for ``keyframe``; the exemplar as a path that can be opened."""
        settings = settings_at(self.settings, self._journal.records, keyframe)
        if settings.exemplar:
            settings = settings.changed({"exemplar": str(self.folder / settings.exemplar)})
        return settings

    def settings_to_come(self) -> Iterator[RenderSettings]:
        """The settings that count for keyframes not yet on disk, each once."""
        start = len(self.keyframes)
        steered = {r["from_keyframe"] for r in self._journal.records if r["type"] == "steer"}
        for keyframe in sorted({start, *(later for later in steered if later > start)}):
            yield self.settings_at(keyframe)

    def trust(self) -> None:
        """Trust, on this machine, the code that the settings to come name. Raises StorageError."""
        for settings in self.settings_to_come():
            trust(settings)

    def blend_at(self, keyframe: int) -> Blend:
        """The prompt that counts for ``keyframe``, and how far it has replaced an earlier one."""
        return blend_at(self.settings, self._journal.records, keyframe)

    def steer(
        self, changes: Mapping[str, Any], from_keyframe: int | None = None
    ) -> Mapping[str, Any]:
        """Change settings (plain values, as in TOML) from ``from_keyframe`` on, which is not begun.

        By default it is the first one not on disk. Durable when this returns: what really changes,
        empty where nothing does. Raises ProjectError for what would contradict the film,
        SettingsError for a value that can't be used.
        """
        start = len(self.keyframes) if from_keyframe is None else from_keyframe
        now = self.settings_at(start)
        wanted = now.changed(changes)
        before, after = now.plain(), wanted.plain()
        changes = {key: after[key] for key in changes if after[key] != before[key]}
        for key in changes:
            if key not in STEERABLE:
                raise ProjectError(
                    f"{key} is fixed at {before[key]} since the project was made: the film so far "
                    f"depends on it; start a new project to change it"
                )
        if not changes:
            return {}
        self._check_length(wanted.keyframes, start)
        wanted.check_needs()
        trust(wanted)
        if self.finished:
            self.store.drop_closing()
        self._journal.append({"type": "steer", "from_keyframe": start, "changes": changes})
        return changes

    def drop_steering(self, from_keyframe: int) -> bool:
        """Take back the steering that starts at this keyframe, not begun yet; False: none does."""
        numbered = [
            number
            for number, record in enumerate(self._journal.records)
            if record["type"] == "steer" and record["from_keyframe"] == from_keyframe
        ]
        if numbered:
            self._journal.remove(numbered)
        return bool(numbered)

    def _check_length(self, count: int | None, begun: int) -> None:
        """A film can't get fewer keyframes than are begun, and a finished one needs more."""
        if count is not None and count < begun:
            raise ProjectError(
                f"keyframes can't be {count}: {begun} are painted already; choose {begun} or more"
            )
        if self.finished and count is not None and count <= begun:
            raise ProjectError(
                f"the film is finished with {begun} keyframes, so nothing will be painted; "
                f"lengthen it as well, with --keyframes {begun + 10} or --keyframes inf"
            )

    def add_keyframe(self, keyframe: int, picture: Picture, made: Mapping[str, Any]) -> None:
        """Make a keyframe durable, then journal it. ``made``: seed, seconds, seam, drift, …

        Raises StorageError where the folder is not where it was opened.
        """
        self.place.check()
        store_keyframe(self.folder, self._journal, keyframe, picture, made, self._pictures)

    def load_keyframe(self, keyframe: int) -> Picture:
        """Keyframe 0 is the first picture, all others are canvases. Raises ProjectError."""
        stored = self.keyframes[keyframe]
        return read_keyframe(
            keyframe_path(self.folder, keyframe), self._size_of(keyframe), stored.crc
        )

    def keyframe_intact(self, keyframe: int) -> bool:
        """The file is there and is the one that was written."""
        path, stored = keyframe_path(self.folder, keyframe), self.keyframes[keyframe]
        return path.exists() and zlib.crc32(path.read_bytes()) == stored.crc

    def drop_keyframes(self, start: int) -> None:
        """Take back the keyframes from ``start`` on, none of which may be in the film yet.

        Their files stay beside the others, as ``000005.png.dropped``.
        """
        for stored in self.keyframes[start:]:
            path = keyframe_path(self.folder, stored.keyframe)
            with storage_errors(path), suppress(FileNotFoundError):
                path.rename(path.with_name(path.name + DROPPED))
        self._journal.remove(
            [
                number
                for number, record in enumerate(self._journal.records)
                if record["type"] == "keyframe" and record["keyframe"] >= start
            ]
        )

    def _size_of(self, keyframe: int) -> Size:
        return Geometry.of(self.settings).stored_size(keyframe)

    def _mend(self) -> None:
        """Remove what an interrupted append has left. Raises StorageError."""
        lacking = self.store.lacking
        self._journal.mend()
        self.store.mend()
        if lacking > 1:
            self.recovered = (
                f"{FILM} lacks the last {lacking} segments that {JOURNAL} records, as in a copy "
                f"that was taken while rendering; they are made again from the keyframes"
            )


def store_keyframe(
    folder: Path,
    journal: Journal,
    keyframe: int,
    picture: Picture,
    made: Mapping[str, Any],
    at: Place | None = None,
) -> None:
    """A keyframe's file, durable, then its record. ``made``: as in ``Project.add_keyframe``."""
    provenance = {"zoomtui": __version__, "keyframe": keyframe, **made}
    length, crc = write_keyframe(keyframe_path(folder, keyframe), picture, provenance, at)
    stored = StoredKeyframe(
        keyframe=keyframe,
        length=length,
        crc=crc,
        seed=made["seed"],
        at=time.time(),
        **figures_in(made),
    )
    journal.append({"type": "keyframe", **asdict(stored)})
