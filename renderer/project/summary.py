"""What a journal tells in sum; of a long one kept between looks, which then read only what is new.

Kept in the state directory, for this user alone, never in the project: looking at a project changes
nothing in it, and no foreign project says what its sum is. A short journal is read whole each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import msgspec

from renderer.errors import StorageError
from renderer.files import replace_file
from renderer.film.records import Segment
from renderer.journal import Record, read_as
from renderer.painting.figures import LAST, Figures
from renderer.project import registry
from renderer.project.contents import Contents, JournalReader, Position
from renderer.project.history import Marks, StoredKeyframe
from renderer.project.records import JOURNAL, check_kinds
from renderer.project.timeline import Steering, Timeline
from renderer.settings.render import RenderSettings

_LONG = 1 << 16
"""Bytes of a journal, or of what is new in it, that are worth being summed up once for all."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a project's journal, up to ``position``."""

    position: Position
    keyframes: int
    """Keyframes of the film."""
    keyframes_size: int
    """Bytes of their files."""
    painted: tuple[Figures, ...]
    """Of the last of them that were painted, oldest first; ``LAST`` at most."""
    frames: int
    film_size: int
    """Bytes; 0 without a header."""
    finished: bool
    steering: tuple[Steering, ...]
    """What counts for the next keyframe, and what begins after it."""
    takes: tuple[tuple[int, int], ...] = ()
    """(keyframe, take) of all of which the film has another take than the first."""
    marks: Marks = ()
    """(keyframe, note)."""
    parent: str = ""
    branched_at: int = 0
    """See ``ProjectMade``."""

    @classmethod
    def of(cls, contents: Contents) -> Summary:
        """Of all that was read."""
        history, film, made = contents.history, contents.film, contents.made
        painted = (stored for stored in reversed(history.keyframes) if stored.seconds > 0)
        return cls(
            position=contents.position,
            keyframes=len(history.keyframes),
            keyframes_size=history.size,
            painted=tuple([*islice(painted, LAST)][::-1]),
            frames=film.frames,
            film_size=film.end,
            finished=film.finished,
            steering=history.timeline.from_on(len(history.keyframes)),
            takes=history.other_takes,
            marks=history.marks,
            parent=made.parent,
            branched_at=made.branched_at,
        )

    def settings(self, first: RenderSettings) -> RenderSettings:
        """In force for the next keyframe; ``first``: the project's own. Raises SettingsError."""
        return Timeline(self.steering).settings_at(first, self.keyframes)

    def and_then(self, position: Position, records: Iterable[Record]) -> Summary | None:
        """With what follows, up to ``position``; None: only the whole journal tells.

        Raises ProjectError.
        """
        stored = list[StoredKeyframe]()
        steering, takes = list(self.steering), list(self.takes)
        frames, film_size, finished = self.frames, self.film_size, self.finished
        for record in records:
            match record["type"]:
                case "keyframe":
                    stored.append(read_as(record, StoredKeyframe))
                case "segment":
                    segment = read_as(record, Segment)
                    if (segment.first_frame, segment.offset) != (frames, film_size):
                        return None
                    frames = segment.first_frame + segment.frames
                    film_size, finished = segment.offset + segment.length, segment.closing
                case "steer":
                    steering.append(read_as(record, Steering))
                case "rewind" | "mark":
                    return None
        takes += [(each.keyframe, each.take) for each in stored if each.take > 1]
        painted = (*self.painted, *(each for each in stored if each.seconds > 0))
        return replace(
            self,
            position=position,
            keyframes=self.keyframes + len(stored),
            keyframes_size=self.keyframes_size + sum(each.length for each in stored),
            painted=painted[-LAST:],
            frames=frames,
            film_size=film_size,
            finished=finished,
            steering=tuple(steering),
            takes=tuple(takes),
        )


def sum_up(folder: Path) -> Summary:
    """What the journal of ``folder`` tells now. Raises ProjectError."""
    kept = _kept(folder)
    found = _gone_on(folder, kept) if kept else None
    if found is None:
        kept, found = None, Summary.of(Contents(folder).look())
    if found.position.end - (kept.position.end if kept else 0) > _LONG:
        _keep(folder, found)
    return found


def _gone_on(folder: Path, kept: Summary) -> Summary | None:
    reader = JournalReader(folder / JOURNAL, kept.position)
    anew, records = reader.read()
    check_kinds(records)
    return None if anew else kept.and_then(reader.position, records)


def _kept(folder: Path) -> Summary | None:
    """None: nothing is, that this version reads."""
    try:
        text = registry.summary_path(folder).read_bytes()
        return msgspec.convert(json.loads(text), Summary)
    except (StorageError, OSError, ValueError, RecursionError):
        return None


def _keep(folder: Path, found: Summary) -> None:
    with suppress(StorageError):  # where there is no room for it, the next look takes longer
        path = registry.summary_path(folder)
        replace_file(path, json.dumps(asdict(found)).encode(), durable=False)
