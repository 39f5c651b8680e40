"""How a render went, keyframe by keyframe: what its journal tells, as columns to be drawn.

Goes on with a journal as it grows. Of each record only what is drawn is decoded, and no more is
folded than that: a hundred thousand keyframes take a third of the time that ``contents`` needs for
all that a journal tells. Knows no screen.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

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
"""No figure is larger, whatever a foreign journal says."""
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
        ("take", int, 1),
        ("frames", Count, 0),
        ("takes", tuple[int, ...], ()),
        ("from_keyframe", Count, 0),
        ("changes", dict[str, Any], {}),
        ("note", str, ""),
        ("written", Any, None),
    ],
)
"""Of a record of whatever kind, what counts here. ``written``: the steering that counts for it."""
_Written: TypeAlias = "tuple[_Written, Happening] | None"
"""Steering in the order of writing, the last first; see ``history``."""


class SeriesReader:
    """Of one project. ``look`` may be called from any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._reader = JournalReader(folder / JOURNAL, read=_told)
        self._begin()

    def look(self) -> Series:
        """As the journal is now; the same value where nothing is new. Raises ProjectError."""
        with without_collector():
            try:
                anew, records = self._reader.read()
                if anew:
                    self._begin()
                for told in records:
                    self._add(told)
            except BaseException:
                self._reader.position = Position()
                raise
        if records or anew:
            self._series = self._now()
        return self._series

    def _begin(self) -> None:
        self._series = Series()
        self._film: list[Any] = []
        self._left: dict[tuple[int, int], Any] = {}
        """Takes that are not in the film, by keyframe and take."""
        self._columns: dict[str, array[float]] = {name: array("d") for name in ("at", *CURVES)}
        self._last: Any = None
        """The keyframe that was recorded last."""
        self._frames = 0
        """Committed since."""
        self._written: _Written = None
        self._notes: dict[tuple[int, int], str] = {}

    def _add(self, told: Any) -> None:
        match told.type:
            case "keyframe":
                self._paint(told)
            case "take":
                told.written = self._written
                self._left[told.keyframe, told.take] = told
            case "segment":
                self._frames += told.frames
            case "steer":
                self._written = self._written, _steered(told.from_keyframe, told.changes)
            case "rewind":
                self._rewind(told)
            case "mark":
                self._notes[told.keyframe, told.take] = told.note
            case kind if kind not in KINDS:
                raise unknown_record({"type": kind}, "of no known type")

    def _paint(self, told: Any) -> None:
        last, self._last = self._last, told
        told.film_rate = None
        if last is not None and _engine(last) == _engine(told) and told.at > last.at:
            told.film_rate = self._frames / (told.at - last.at)
        if not told.seconds:
            told.idle = _GAP
        self._frames = 0
        told.written = self._written
        self._film.append(told)

    def _rewind(self, told: Any) -> None:
        """As ``History`` does it."""
        start = told.keyframe
        self._left.update(((each.keyframe, each.take), each) for each in self._film[start:])
        try:
            chosen = [self._left[number, take] for number, take in enumerate(told.takes, start)]
        except KeyError:
            raise unknown_record({"type": told.type}, "a take that is not there") from None
        self._film[start:] = chosen
        for column in self._columns.values():
            del column[start:]
        if chosen:
            known = set(map(id, _listed(chosen[-1].written)))
            since = [each for each in _listed(self._written) if each.keyframe < start]
            self._written = chosen[-1].written
            for each in reversed(since):
                if id(each) not in known:
                    self._written = self._written, each
        if told.changes:
            self._written = self._written, _steered(start, told.changes)

    def _now(self) -> Series:
        for name, column in self._columns.items():
            new = self._film[len(column) :]
            column.extend(_value(told, name) for told in new)
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
        for number, (before, told) in enumerate(pairwise(self._film), 1):
            if told.session and before.seconds and _engine(told) != _engine(before):
                same = told.session == before.session
                yield Happening(number, "restarted" if same else "resumed")

    def _noted(self) -> Iterator[Happening]:
        for (keyframe, take), note in self._notes.items():
            if note and [each.take for each in self._film[keyframe : keyframe + 1]] == [take]:
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


def _engine(told: Any) -> tuple[float, int]:
    """Which one painted it."""
    return told.session, told.restarts


def _steered(keyframe: int, changes: Mapping[str, Any]) -> Happening:
    return Happening(keyframe, "steered", changes=changes)


def _listed(written: _Written) -> Iterator[Happening]:
    """The last first."""
    while written is not None:
        written, steered = written
        yield steered


def _value(told: Any, name: str) -> float:
    value: float | None = getattr(told, name)
    if value is None or (value == 0 and name in _ZERO_IS_NONE) or not abs(value) < _MOST:
        return _GAP
    return value * CURVES[name].scale if name in CURVES else value
