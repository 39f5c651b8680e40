"""What a journal tells, folded from its records: keyframes, takes, and steering. Pure.

A keyframe that is painted again gets another *take*. A take is never moved and never painted over:
a ``rewind`` record only says of which takes the film consists from a keyframe on, so that a kill
leaves the film as it was before or as it is after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from typing import Any, TypeAlias

from renderer.journal import Count, Moment, Record, read_as, unknown_record
from renderer.painting.figures import Figures
from renderer.project.timeline import Steering, Timeline
from renderer.settings.render import OF_THE_RENDER, RenderSettings

KEYFRAME, TAKE, STEER, MARK, PLACE = "keyframe", "take", "steer", "mark", "place"
"""Types of the records of a keyframe that the film goes on with, of one that is only kept, of
settings that change, of a note about a keyframe, and of a picture that one is to show."""
Marks = tuple[tuple[int, str], ...]
"""(keyframe, note), rising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKeyframe(Figures):
    """The journal's record of a painted keyframe on disk."""

    keyframe: Count
    length: Count
    """Bytes of the PNG file."""
    crc: Count
    """CRC-32 of the PNG file."""
    seed: int
    at: Moment
    """Unix time at which it became durable."""
    take: int = 1
    """1, 2, … in the order of painting."""
    variation: Count = 0
    """What its seed was derived with beside the film's seed; see ``seeds.varied_seed``."""
    around: int = 1
    """The take of the keyframe before, which it was painted around."""
    dives_to: tuple[Count, Count] | None = None
    """Left and top of the next picture in this canvas; None: it zooms out."""
    stops: bool = False
    """The film comes to rest at this keyframe, since it goes the other way from there."""
    look: tuple[tuple[float, float, float], float, float] | None = None
    """Its figures as a ``colour_match.Reference``; None: not known, as in older projects."""
    session: Moment = 0.0
    """Unix time at which the session that painted it began; 0: not known, as in older projects."""
    restarts: Count = 0
    """How often the engine of that session had been started again by then."""
    gpu_percent: float | None = None
    """Load of the GPU when this was recorded; None: not known."""
    vram_used: float | None = None
    """Bytes of the GPU's memory."""
    disk_free: float | None = None
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Rewind:
    """The record by which the film consists, from ``keyframe`` on, of ``takes``, one for each.

    What was there is taken back, and kept. Whatever is painted next follows the takes.
    """

    keyframe: Count
    takes: tuple[int, ...] = ()
    variation: Count | None = None
    """What ``keyframe`` is painted with from now on; None: as before."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that change from ``keyframe`` on, plain values."""
    film_end: Count = 0
    """Bytes of the film before."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The record of a note about a take; an empty one takes the mark away."""

    keyframe: Count
    take: int
    note: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The record of a picture of the user's own that a keyframe is to show; 0 bytes: none."""

    keyframe: Count
    length: Count
    """Bytes of the PNG file."""
    crc: Count
    """CRC-32 of the PNG file."""


_Written: TypeAlias = "tuple[_Written, Steering] | None"
"""Steering in the order of writing, the last first, so that a take keeps what counted for it."""


class History:
    """Folded from a journal's records, one by one; each costs the same."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        """Raises ProjectError where they contradict each other."""
        self.keyframes: list[StoredKeyframe] = []
        """Those that make the film, in order; not to be changed by the reader."""
        self.size = 0
        """Bytes of their files."""
        self._takes: dict[int, dict[int, StoredKeyframe]] = {}
        self._other_takes: dict[int, int] = {}
        """Of the film: keyframe → take, rising."""
        self._variations: dict[int, int] = {}
        self._written: _Written = None
        self.timeline = Timeline()
        """What counts now, of ``_written``."""
        self._earlier: tuple[_Written, Timeline] = (None, Timeline())
        self._steered: dict[tuple[int, int], _Written] = {}
        """What counted when a take was painted; nothing for those that are not there."""
        self._by_start: dict[int, list[Steering]] = {}
        """What ``drop_steering`` drops."""
        self._dropped: dict[int, Steering] = {}
        """What it has dropped, by its ``id``."""
        self.placed: dict[int, Placed] = {}
        """The pictures of the user's own, by the keyframe that is to show them."""
        self._marks: dict[tuple[int, int], str] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Go on with the journal's next record. Raises ProjectError."""
        match record["type"]:
            case "keyframe":
                stored = self._know(record)
                self._choose(len(self.keyframes), [stored])
            case "take":
                self._know(record)
            case "steer":
                steering = read_as(record, Steering)
                self._by_start.setdefault(steering.from_keyframe, []).append(steering)
                self._steer(steering)
            case "rewind":
                self._rewind(record)
            case "mark":
                mark = read_as(record, Mark)
                self._marks[mark.keyframe, mark.take] = mark.note
            case "place":
                placed = read_as(record, Placed)
                if placed.length:
                    self.placed[placed.keyframe] = placed
                else:
                    self.placed.pop(placed.keyframe, None)

    def steered_from(self, keyframe: int) -> int:
        """How many records of steering there are that begin with ``keyframe``."""
        return len(self._by_start.get(keyframe, ()))

    def drop_steering(self, from_keyframe: int) -> None:
        """Go on as if there were none of those."""
        self._earlier = (None, Timeline())
        for each in self._by_start.pop(from_keyframe, ()):
            self._dropped[id(each)] = each
            self.timeline.remove(each)

    @property
    def steering(self) -> tuple[Steering, ...]:
        """What counts, in the order of writing."""
        return tuple(self._listed(self._written))

    @property
    def marks(self) -> Marks:
        """The notes about keyframes of the film."""
        return self.marks_from(0)

    def marks_from(self, keyframe: int) -> Marks:
        """Those about ``keyframe`` and what follows."""
        found = ((each.keyframe, self.mark(each)) for each in self.keyframes[keyframe:])
        return tuple((number, note) for number, note in found if note)

    def mark_records(self) -> list[Record]:
        """What writes all notes down again, also those about takes that are not in the film."""
        return [
            {"type": MARK, "keyframe": keyframe, "take": take, "note": note}
            for (keyframe, take), note in sorted(self._marks.items())
            if note
        ]

    def place_records(self) -> list[Record]:
        """What writes down again which pictures keyframes are to show."""
        return [{"type": PLACE, **asdict(each)} for _, each in sorted(self.placed.items())]

    def mark(self, stored: StoredKeyframe) -> str:
        """The note about a take; empty: none."""
        return self._marks.get((stored.keyframe, stored.take), "")

    @property
    def other_takes(self) -> tuple[tuple[int, int], ...]:
        """(keyframe, take) of all keyframes of the film that are not their first take."""
        return tuple(self._other_takes.items())

    def other_takes_from(self, keyframe: int) -> tuple[tuple[int, int], ...]:
        """Those of ``keyframe`` and what follows."""
        newest = reversed(self._other_takes.items())
        return tuple(takewhile(lambda each: each[0] >= keyframe, newest))[::-1]

    def takes(self, keyframe: int) -> list[StoredKeyframe]:
        """Every take of ``keyframe``, in the order of painting."""
        known = self._takes.get(keyframe, {})
        return [known[take] for take in sorted(known)]

    def find(self, keyframe: int, take: int) -> StoredKeyframe | None:
        return self._takes.get(keyframe, {}).get(take)

    def has(self, stored: StoredKeyframe) -> bool:
        """Whether the film has this take."""
        return self.keyframes[stored.keyframe : stored.keyframe + 1] == [stored]

    def not_chosen(self) -> list[StoredKeyframe]:
        """All takes that are not in the film, by keyframe."""
        every = (stored for keyframe in sorted(self._takes) for stored in self.takes(keyframe))
        return [stored for stored in every if not self.has(stored)]

    def variation(self, keyframe: int) -> int:
        """What ``keyframe`` is painted with, when it is painted next."""
        return self._variations.get(keyframe, 0)

    def variations_from(self, keyframe: int) -> list[tuple[int, int]]:
        """(keyframe, variation) of all from ``keyframe`` on that are not painted as by default."""
        known = sorted(self._variations.items())
        return [(each, variation) for each, variation in known if each >= keyframe and variation]

    def next_take(self, keyframe: int) -> int:
        """The number of the take that is painted next."""
        return max(self._takes.get(keyframe, ()), default=0) + 1

    def settings_at(self, settings: RenderSettings, keyframe: int) -> RenderSettings:
        """``settings`` with all steering applied that counts for ``keyframe``.

        See ``Timeline``. Raises SettingsError.
        """
        return self.timeline.settings_at(settings, keyframe)

    def settings_of(self, settings: RenderSettings, stored: StoredKeyframe) -> RenderSettings:
        """``settings`` with the steering that counted when this take was painted."""
        if self.has(stored):  # nothing was steered since that begins before it
            return self.settings_at(settings, stored.keyframe)
        then = self._steered.get((stored.keyframe, stored.take))
        if then is not self._earlier[0]:
            self._earlier = then, Timeline(self.counted_for(stored))
        return self._earlier[1].settings_at(settings, stored.keyframe)

    def counted_for(self, stored: StoredKeyframe) -> list[Steering]:
        """The steering that counted when this take was painted, in the order of writing."""
        return self._listed(self._steered.get((stored.keyframe, stored.take)))

    def line(self, stored: StoredKeyframe) -> tuple[int, ...]:
        """The number of this take and, keyframe after keyframe, of the last painted around it."""
        numbers = [stored.take]
        while True:
            following = self.takes(stored.keyframe + 1)
            around = [each for each in following if each.around == stored.take]
            if not around:
                return tuple(numbers)
            stored = around[-1]
            numbers.append(stored.take)

    def _know(self, record: Record) -> StoredKeyframe:
        stored = read_as(record, StoredKeyframe)
        self._takes.setdefault(stored.keyframe, {})[stored.take] = stored
        if self._written is not None:
            self._steered[stored.keyframe, stored.take] = self._written
        return stored

    def _choose(self, start: int, chosen: Sequence[StoredKeyframe]) -> None:
        """Let the film consist of these from keyframe ``start`` on."""
        self.size += sum(each.length for each in chosen)
        self.size -= sum(each.length for each in self.keyframes[start:])
        self.keyframes[start:] = chosen
        while self._other_takes and next(reversed(self._other_takes)) >= start:
            self._other_takes.popitem()
        for stored in chosen:
            self._variations[stored.keyframe] = stored.variation
            if stored.take > 1:
                self._other_takes[stored.keyframe] = stored.take

    def _rewind(self, record: Record) -> None:
        rewind = read_as(record, Rewind)
        chosen = []
        for keyframe, take in enumerate(rewind.takes, rewind.keyframe):
            stored = self.find(keyframe, take)
            if stored is None:
                raise unknown_record(record, f"take {take} of keyframe {keyframe + 1}")
            chosen.append(stored)
        self._choose(rewind.keyframe, chosen)
        if chosen:
            self._steer_as_for(chosen[-1], rewind.keyframe)
        if rewind.variation is not None:
            self._variations[rewind.keyframe] = rewind.variation
        if rewind.changes:
            self._steer(Steering(rewind.keyframe, rewind.changes))

    def _steer(self, steering: Steering) -> None:
        self._written = self._written, steering
        self.timeline.add(steering)

    def _steer_as_for(self, stored: StoredKeyframe, start: int) -> None:
        """Let count what did when ``stored`` was painted; before keyframe ``start``, and what is
        of the render, as now."""
        then = self._steered.get((stored.keyframe, stored.take))
        if then is self._written:
            return
        counted = self.counted_for(stored)
        since, known = self._listed(self._written), set(map(id, counted))
        self._written, self.timeline = then, Timeline(counted)
        for each in since:
            if id(each) in known:
                continue
            if each.from_keyframe < start:
                self._steer(each)
            elif of_the_render := {k: v for k, v in each.changes.items() if k in OF_THE_RENDER}:
                copy = Steering(each.from_keyframe, of_the_render)
                if each.from_keyframe in self._by_start:  # it goes with its original
                    self._by_start[each.from_keyframe].append(copy)
                self._steer(copy)

    def _listed(self, written: _Written) -> list[Steering]:
        found = []
        while written is not None:
            written, steering = written
            if id(steering) not in self._dropped:
                found.append(steering)
        return found[::-1]
