"""How a render went, keyframe by keyframe: what its journal tells, as columns to be drawn.

Goes on with a journal as it grows. Of each record only what is drawn is decoded, and no more is
folded than that, a line at a time: a hundred thousand keyframes take less than half of the time
that ``contents`` needs for all that a journal tells. Knows no screen.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from renderer.journal import Count, Moment, text_in, unknown_record
from renderer.painting.figures import FIGURES
from renderer.project.contents import JournalReader, Position, without_collector
from renderer.project.records import JOURNAL, KINDS


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn of all keyframes."""

    title: str
    unit: str
    """Behind a value; empty: it has none."""
    scale: float = 1.0
    """Values in ``unit`` ÷ recorded ones."""


CURVES: Mapping[str, Curve] = {
    "seconds": Curve("seconds a keyframe", "s"),
    "seam": Curve("seam (1 = invisible)", ""),
    "drift": Curve("drift of colours", "/255"),
    "residue": Curve("residue", "/255"),
    "idle": Curve("painter idle", "%", 100),
    "film_rate": Curve("film rate", "frames/s"),
    "gpu_percent": Curve("GPU load", "%"),
    "vram_used": Curve("GPU memory", "GiB", 1 / (1 << 30)),
    "disk_free": Curve("free disk", "GiB", 1 / (1 << 30)),
}
"""By the names that a keyframe's record has; ``film_rate`` is found from where segments stand."""

_GAP = math.nan
_MOST = 1e15
"""No figure is larger, though a foreign journal may say so."""
_ZERO_IS_NONE = {"seconds", *(name for name, how in FIGURES.items() if how["of_some"])}


@dataclass(frozen=True, slots=True)
class Happening:
    """What is marked on the axis."""

    keyframe: int
    """From which one on, or about which one."""
    kind: Literal["steered", "resumed", "restarted", "note"]
    """``resumed``: another session painted it than the one before; ``restarted``: another engine of
    the same session, after a crash."""
    note: str = ""
    """Text from outside."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings, plain values."""


@dataclass(frozen=True, slots=True)
class Series:
    """A moment of a film: one value for each keyframe of it."""

    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By the names in ``CURVES``, in its order; NaN where a keyframe has none. Those of which no
    keyframe has any are left out."""
    at: Sequence[float] = ()
    """Unix times at which the keyframes became durable."""
    happenings: tuple[Happening, ...] = ()
    """In the order of their keyframes; of those that there are."""

    @property
    def keyframes(self) -> int:
        return len(self.at)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; null where a keyframe has no value."""
        curves = {
            name: {
                "title": CURVES[name].title,
                "unit": CURVES[name].unit,
                "values": [None if math.isnan(each) else round(each, 4) for each in column],
            }
            for name, column in self.columns.items()
        }
        return {
            "keyframes": self.keyframes,
            "at": list(self.at),
            "curves": curves,
            "happenings": [msgspec.to_builtins(each) for each in self.happenings],
        }


_Told: Any = msgspec.defstruct(
    "_Told",
    [
        ("type", str),
        ("keyframe", Count, 0),
        ("at", Moment, 0.0),
        *((name, float, _GAP) for name in FIGURES),
        *((name, float | None, None) for name in CURVES if name not in FIGURES),
        ("session", Moment, 0.0),
        ("restarts", Count, 0),
        ("take", Annotated[int, msgspec.Meta(ge=0, le=1 << 31)], 1),
        ("frames", Count, 0),
        ("takes", tuple[int, ...], ()),
        ("from_keyframe", Count, 0),
        ("changes", dict[str, Any] | None, None),
        ("note", str, ""),
    ],
)
"""Of a record of any kind, what counts here."""
_KEPT = ("at", *CURVES, "take", "session", "restarts")
_kept = attrgetter(*_KEPT)
_AT_ONCE = 1024
"""Takes that are put into columns at one go."""
_Written: TypeAlias = "tuple[_Written, Happening] | None"
"""Steering in the order of writing, the last first; see ``history``."""


class SeriesReader:
    """Of one project. ``look`` may be called from any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._reader = JournalReader(folder / JOURNAL, read=self._read, begin=self._begin)
        self._begin()

    def look(self) -> Series:
        """As the journal is now; the same value where nothing is new. Raises ProjectError."""
        with without_collector():
            try:
                anew, records = self._reader.read()
            except BaseException:
                self._reader.position = Position()
                raise
            if records or anew:
                self._series = self._now()
        return self._series

    def _begin(self) -> None:
        self._series = Series()
        self._painted: dict[str, array[float]] = {name: array("d") for name in _KEPT}
        """Of all takes, in the order of writing."""
        self._waiting: list[tuple[float | None, ...]] = []
        """The last of them, not yet in ``_painted``."""
        self._steered: list[_Written] = []
        """What counted when each of them was painted."""
        self._film = array("q")
        """Which of them are the film's keyframes."""
        self._columns: dict[str, array[float]] = {name: array("d") for name in _KEPT}
        """Those, as far as they were asked for."""
        self._left: dict[tuple[int, int], int] = {}
        """Those that are not in the film, by keyframe and take."""
        self._last: tuple[tuple[float, int], float] | None = None
        """Engine and time of the keyframe that was recorded last."""
        self._frames = 0
        """Committed since."""
        self._written: _Written = None
        self._notes: dict[tuple[int, int], str] = {}

    def _read(self, line: bytes) -> bool | None:
        """Go on with a line of the journal, so that none is held; None: it is no record."""
        told = _told(line)
        if told is None:
            return None
        match told.type:
            case "keyframe":
                self._film.append(self._keep(told, self._film_rate(told)))
            case "take":
                self._left[told.keyframe, told.take] = self._keep(told)
            case "segment":
                self._frames += told.frames
            case "steer":
                self._written = self._written, _steered(told.from_keyframe, told.changes or {})
            case "rewind":
                self._rewind(told)
            case "mark":
                self._notes[told.keyframe, told.take] = told.note
            case kind if kind not in KINDS:
                raise unknown_record({"type": kind}, "of no known type")
        return True

    def _film_rate(self, told: Any) -> float | None:
        """Frames committed a second since the keyframe before; None: not by the same engine."""
        last, frames = self._last, self._frames
        self._last, self._frames = ((told.session, told.restarts), told.at), 0
        if last is None or last[0] != self._last[0] or told.at <= last[1]:
            return None
        seconds: float = told.at - last[1]
        return frames / seconds

    def _keep(self, told: Any, film_rate: float | None = None) -> int:
        """The number of a take."""
        told.film_rate = film_rate
        if not told.seconds:
            told.idle = _GAP
        self._steered.append(self._written)
        self._waiting.append(_kept(told))
        if len(self._waiting) == _AT_ONCE:
            self._store()
        return len(self._steered) - 1

    def _store(self) -> None:
        for name, recorded in zip(_KEPT, zip(*self._waiting, strict=True), strict=False):
            self._painted[name].extend(_values(name, recorded))
        self._waiting.clear()

    def _rewind(self, told: Any) -> None:
        """As ``History`` does it."""
        self._store()
        start, takes = told.keyframe, self._painted["take"]
        left = enumerate(self._film[start:], start)
        self._left.update(((keyframe, int(takes[each])), each) for keyframe, each in left)
        try:
            chosen = [self._left[each] for each in enumerate(told.takes, start)]
        except KeyError:
            raise unknown_record({"type": told.type}, "a take that is not there") from None
        self._film[start:] = array("q", chosen)
        for column in self._columns.values():
            del column[start:]
        if chosen:
            then = self._steered[chosen[-1]]
            known = set(map(id, _listed(then)))
            since = [each for each in _listed(self._written) if each.keyframe < start]
            self._written = then
            for each in reversed(since):
                if id(each) not in known:
                    self._written = self._written, each
        if told.changes:
            self._written = self._written, _steered(start, told.changes)

    def _now(self) -> Series:
        self._store()
        new = self._film[len(self._columns["at"]) :]
        for name, column in self._columns.items():
            column.extend(map(self._painted[name].__getitem__, new))
        there = {
            name: self._columns[name][:]
            for name in CURVES
            if not all(map(math.isnan, self._columns[name]))
        }
        marked = [*self._steering(), *self._sessions(), *self._noted()]
        shown = (each for each in marked if each.keyframe < len(self._film))
        happenings = tuple(sorted(shown, key=lambda each: each.keyframe))
        return Series(there, self._columns["at"][:], happenings)

    def _steering(self) -> Iterator[Happening]:
        """One for each keyframe; what was said last counts."""
        changes: dict[int, Mapping[str, Any]] = {}
        for each in reversed(list(_listed(self._written))):
            changes[each.keyframe] = {**changes.get(each.keyframe, {}), **each.changes}
        return (_steered(keyframe, changed) for keyframe, changed in changes.items())

    def _sessions(self) -> Iterator[Happening]:
        session, seconds = self._columns["session"], self._columns["seconds"]
        engines = pairwise(zip(session, self._columns["restarts"], strict=True))
        for number in [at for at, (before, here) in enumerate(engines, 1) if before != here]:
            if session[number] and not math.isnan(seconds[number - 1]):
                same = session[number] == session[number - 1]
                yield Happening(number, "restarted" if same else "resumed")

    def _noted(self) -> Iterator[Happening]:
        for (keyframe, take), note in self._notes.items():
            if note and self._columns["take"][keyframe : keyframe + 1] == array("d", [take]):
                yield Happening(keyframe, "note", note=note)


_decode = msgspec.json.Decoder(_Told).decode


def _told(line: bytes) -> Any:
    """What a line of the journal tells; None: it is no record. Raises ProjectError."""
    text = text_in(line)
    if text is None:
        return None
    try:
        try:
            return _decode(text)
        except UnicodeDecodeError:  # lone surrogates, which ``journal`` writes
            return msgspec.convert(json.loads(text), _Told)
    except msgspec.ValidationError as error:
        raise unknown_record({}, str(error)) from None
    except (ValueError, RecursionError):
        return None


def _steered(keyframe: int, changes: Mapping[str, Any]) -> Happening:
    return Happening(keyframe, "steered", changes=changes)


def _listed(written: _Written) -> Iterator[Happening]:
    """The last first."""
    while written is not None:
        written, steered = written
        yield steered


def _values(name: str, recorded: Iterable[float | None]) -> list[float]:
    """As they are drawn."""
    scale = CURVES[name].scale if name in CURVES else 1.0
    none = 0.0 if name in _ZERO_IS_NONE else None
    return [
        _GAP if value is None or value == none or not -_MOST < value < _MOST else value * scale
        for value in recorded
    ]
