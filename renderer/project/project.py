"""A project open for writing: locked, recovered, its keyframes kept and its settings steered.

Knows no threads and no painters; the film's bytes are ``film.store``'s.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderer.errors import ProjectError, SettingsError
from renderer.files import Place, copy_part, storage_errors
from renderer.film.hls import Playlists
from renderer.film.records import REWIND, SEGMENT
from renderer.film.store import FilmStore
from renderer.images import Picture, read_keyframe
from renderer.journal import Journal, Record
from renderer.painting.geometry import Geometry
from renderer.project.checks import check_project, refuse_links
from renderer.project.contents import without_collector
from renderer.project.history import (
    MARK,
    PLACE,
    STEER,
    History,
    Mark,
    Placed,
    Rewind,
    StoredKeyframe,
)
from renderer.project.keyframe_files import store_keyframe, unrecorded
from renderer.project.lease import Lease, take_lease
from renderer.project.lock import ProjectLock
from renderer.project.placing import check_place, load_placed, refuse_dive, unrecorded_places
from renderer.project.records import (
    DROPPED,
    FILM,
    JOURNAL,
    KEYFRAMES,
    LOCK,
    LONGEST_NOTE,
    SETTINGS,
    check_kinds,
    path_of,
    read_settings,
)
from renderer.project.rewinding import check_painted, last_rewind
from renderer.project.steering import what_changes
from renderer.project.thinning import Thinning, check_there
from renderer.project.trust import trust
from renderer.settings.render import RenderSettings


class Project:
    """A project open for writing: locked, recovered, ready to go on."""

    def __init__(
        self,
        folder: Path,
        settings: RenderSettings,
        journal: Journal,
        store: FilmStore,
        place: Place,
        keyframes: Place,
        history: History,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.store = store
        self.place = place
        """The folder itself, even after it is renamed."""
        self.recovered = ""
        """What was put right on opening and is worth a line; empty: nothing."""
        self.lease: Lease | None = None
        """None: the lock is enough."""
        self._held = ExitStack()
        """All that is open, the lease and the lock."""
        self._journal = journal
        self._pictures = keyframes
        self._thinning = Thinning(keyframes)
        self._playlists = Playlists(folder, FILM, settings.fps, place)
        self.history = history

    @classmethod
    def open(cls, folder: Path, *, mend: bool = True) -> Project:
        """Lock and recover; without ``mend`` only find out whether that can be done.

        Raises ProjectBusy, ProjectError, SettingsError, StorageError.

        What an interrupted append has left is removed, and nothing else: where more is wrong, that
        is a ProjectError, and the project is as it was.
        """
        settings = read_settings(folder)
        with ExitStack() as held, without_collector():
            refuse_links(folder)
            held.enter_context(ProjectLock(folder / LOCK, folder / SETTINGS))
            place = held.enter_context(closing(Place(folder)))
            keyframes = held.enter_context(closing(Place(folder / KEYFRAMES)))
            lease = take_lease(folder)
            check = _begin(lease, folder, held) if lease else lambda: None
            opened = Journal.open(folder / JOURNAL, mend=False, at=place, check=check)
            journal = held.enter_context(closing(opened))
            check_kinds(journal.records)
            history = History(journal.records)
            store = FilmStore.open(folder / FILM, journal, mend=False)
            held.enter_context(closing(store))
            check_project(folder, settings, journal.records, history, store.told, store.lacking)
            project = cls(folder, settings, journal, store, place, keyframes, history)
            project.lease = lease
            if mend:
                project._mend()
            journal.let_go()
            project._held = held.pop_all()
        return project

    def close(self) -> None:
        """Close the files and release the lock. Raises StorageError, with that done."""
        self._held.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def film(self) -> Path:
        return self.folder / FILM

    @property
    def keyframes(self) -> Sequence[StoredKeyframe]:
        """Those that make the film, in order; not to be changed by the reader."""
        return self.history.keyframes

    @property
    def finished(self) -> bool:
        """The closing frame is in the film: nothing is left to do."""
        return self.store.finished

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
        settings = self.history.settings_at(self.settings, keyframe)
        if settings.exemplar:
            settings = settings.changed({"exemplar": str(self.folder / settings.exemplar)})
        return settings

    def settings_to_come(self) -> Iterator[RenderSettings]:
        """The settings that count for keyframes not yet on disk, each once."""
        start = len(self.keyframes)
        steered = {steering.from_keyframe for steering in self.history.steering}
        for keyframe in sorted({start, *(later for later in steered if later > start)}):
            yield self.settings_at(keyframe)

    def trust(self) -> None:
        """Trust, on this machine, the code that the settings to come name. Raises StorageError."""
        for settings in self.settings_to_come():
            trust(settings)

    def steer(
        self, changes: Mapping[str, Any], from_keyframe: int | None = None
    ) -> Mapping[str, Any]:
        """Change settings (plain values, as in TOML) from ``from_keyframe`` on, which is not begun.

        By default it is the first one not on disk. Durable when this returns: what really changes,
        empty where nothing does. Raises ProjectError for what would contradict the film,
        SettingsError for a value that can't be used.
        """
        start = len(self.keyframes) if from_keyframe is None else from_keyframe
        changes = self._really(changes, start)
        if not changes:
            return {}
        if self.finished:
            self.store.drop_closing()
        self._record({"type": STEER, "from_keyframe": start, "changes": changes})
        return changes

    def _really(self, changes: Mapping[str, Any], start: int) -> dict[str, Any]:
        now = self.settings_at(start)
        changed = what_changes(now, changes, begun=start, finished=self.finished)
        if changed:
            trust(now.changed(changed))
        return changed

    def drop_steering(self, from_keyframe: int) -> bool:
        """Take back the steering that starts at this keyframe, not begun yet; False: none does."""
        records, found = self._journal.records, list[int]()
        count = self.history.steered_from(from_keyframe)
        for number in range(len(records) - 1, -1, -1):
            if len(found) == count:
                break
            record = records[number]
            if record["type"] == STEER and record["from_keyframe"] == from_keyframe:
                found.append(number)
        if found:
            self._journal.remove(found)
            self.history.drop_steering(from_keyframe)
        return bool(found)

    def add_keyframe(
        self,
        keyframe: int,
        picture: Picture | bytes,
        made: Mapping[str, Any],
        noted: Mapping[str, Any] | None = None,
    ) -> StoredKeyframe:
        """Make a keyframe durable, then journal it. ``made``: seed, seconds, seam, drift, …

        ``picture``, ``noted``: see ``store_keyframe``. Raises StorageError where the folder is not
        where it was opened.
        """
        self.place.check()
        take = self.history.next_take(keyframe)
        around = self.keyframes[keyframe - 1].take if keyframe else 1
        made = {**made, "take": take, "around": around}
        record = store_keyframe(
            self.folder, self._journal, keyframe, picture, made, self._pictures, noted
        )
        self.history.add(record)
        return self.keyframes[keyframe]

    def rewind(self, rewind: Rewind) -> int:
        """Let the film consist, from a keyframe on, of other takes, or end there; durable.

        Returns that keyframe; see ``rewinding``. Raises what ``check_rewind`` does, and
        StorageError; nothing is changed then.
        """
        changes = self.check_rewind(rewind)
        plain = {**asdict(rewind), "takes": list(rewind.takes), "changes": changes}
        record = {"type": REWIND, **plain}
        self.store.rewind(record)
        self.history.add(record)
        self.publish()
        return rewind.keyframe

    def mark(self, keyframe: int, note: str) -> None:
        """Note something about a keyframe of the film; empty: nothing any more. Durable.

        Raises ProjectError where it is not painted, or its picture, which a mark is to keep, has
        gone; SettingsError for a note that can't be one.
        """
        stored = check_painted(self.history, keyframe)
        if note:
            check_there(self.folder, stored, f"keyframe {keyframe + 1} can't be marked")
        if len(note) > LONGEST_NOTE or "\n" in note:
            raise SettingsError(f"a note is one line of at most {LONGEST_NOTE} characters")
        if note != self.history.mark(stored):
            self._record({"type": MARK, **asdict(Mark(keyframe, stored.take, note))})

    def show_placed(self, placed: Placed) -> None:
        """Let a keyframe to come show a picture that was kept; see ``placing``. Durable.

        Raises ProjectError where it is painted already, or the picture is not there.
        """
        check_place(self.history, placed.keyframe)
        if placed.length:
            refuse_dive(self.settings_at(placed.keyframe), placed.keyframe)
            load_placed(self.folder, placed, self.settings)
        self._record({"type": PLACE, **asdict(placed)})

    def placed_picture(self, keyframe: int) -> Picture | None:
        """The (H, W, 3) canvas that ``keyframe`` is to show; None: none. Raises ProjectError."""
        placed = self.history.placed.get(keyframe)
        return load_placed(self.folder, placed, self.settings) if placed else None

    def check_rewind(self, rewind: Rewind) -> dict[str, Any]:
        """What it changes of the settings. Raises ProjectError, SettingsError.

        ProjectError also where the file of a take is not there, or damaged.
        """
        if rewind.keyframe and not rewind.takes:
            what = f"keyframe {rewind.keyframe + 1} can't be painted again"
            check_there(self.folder, self.keyframes[rewind.keyframe - 1], what)
        for keyframe, take in enumerate(rewind.takes, rewind.keyframe):
            stored = self.history.find(keyframe, take)
            if stored is not None and not self.intact(stored):
                path = path_of(self.folder, stored)
                raise ProjectError(f"keyframe {path} can't be read: it is not there, or damaged")
        return self._really(rewind.changes, rewind.keyframe)

    def undo_rewind(self) -> int:
        """Take the last rewind back, and all steering since. Raises ProjectError, StorageError.

        Returns the keyframe that it was for. The film's end is made again, from the keyframes.
        """
        records = self._journal.records
        number = self.last_rewind()
        keyframe = int(records[number]["keyframe"])
        if self.store.intervals >= keyframe:  # some of what it chose is filmed already
            now = tuple(stored.take for stored in self.keyframes[keyframe:])
            self.rewind(Rewind(keyframe, now))
        self.store.cut()
        taken_back = {
            each
            for each, record in enumerate(records)
            if (record["type"] == SEGMENT and record["index"] >= keyframe - 1)
            or (record["type"] in (STEER, REWIND) and each >= number)
        }
        self._journal.remove(taken_back)
        self.history = History(records)
        return keyframe

    def last_rewind(self) -> int:
        """The number of the record that ``undo_rewind`` takes back. Raises ProjectError."""
        return last_rewind(self._journal.records)

    def thin(self) -> None:
        """Delete filmed keyframes that the settings don't want kept. Raises StorageError."""
        self._thinning.thin(self.history, self.current, self.store.intervals)

    def publish(self) -> None:
        """Bring the playlists up to date with the film. Raises StorageError."""
        store = self.store
        self._playlists.write(store.segments, store.header_length, finished=self.finished)

    def load_keyframe(self, keyframe: int) -> Picture:
        """Keyframe 0 is the first picture, all others are canvases. Raises ProjectError."""
        stored = self.keyframes[keyframe]
        size = Geometry.of(self.settings).stored_size(keyframe)
        return read_keyframe(path_of(self.folder, stored), size, stored.crc)

    def intact(self, stored: StoredKeyframe) -> bool:
        """The file is there and is the one that was written."""
        path = path_of(self.folder, stored)
        return path.exists() and zlib.crc32(path.read_bytes()) == stored.crc

    def drop_damaged(self, keyframe: int) -> None:
        """Take back a keyframe that is not intact, and all after it; the film must not have it yet.

        Its file stays, as ``000005.png.dropped``.
        """
        path = path_of(self.folder, self.keyframes[keyframe])
        with storage_errors(path), suppress(FileNotFoundError):
            path.rename(path.with_name(path.name + DROPPED))
        # Not by the store, which may be at work for what comes before.
        self._record({"type": REWIND, "keyframe": keyframe, "film_end": 0})

    def _record(self, record: Record) -> None:
        self._journal.append(record)
        self.history.add(record)

    def _mend(self) -> None:
        """Remove what an interrupted append has left. Raises StorageError."""
        lacking = self.store.lacking
        self._journal.mend()
        if self.store.mend():
            self.publish()
        leftover = unrecorded_places(self.folder, self.history)
        for path in (*unrecorded(self.folder, self.history), *leftover):
            with storage_errors(path):
                path.unlink(missing_ok=True)
        if lacking > 1:
            self.recovered = (
                f"{FILM} lacks the last {lacking} segments that {JOURNAL} records, as in a copy "
                f"that was taken while rendering; they are made again from the keyframes"
            )


def _begin(lease: Lease, folder: Path, held: ExitStack) -> Callable[[], None]:
    """Let a lease begin, until ``held`` ends it; what is to be called before every write.

    A holder that was cut off in the middle of a write must not finish it in this film: it has the
    files open that were there, so they are replaced by copies (which share their bytes where the
    file system can). The journal first: the film then holds all that it vouches for.
    """
    held.callback(lease.release)
    if lease.taken_over:
        for path in (folder / JOURNAL, folder / FILM):
            if path.exists():
                with storage_errors(path):
                    copy_part(path, path, 0, path.stat().st_size)
    return lease.check
