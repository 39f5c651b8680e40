"""Taking painted keyframes back, painting them anew, and going back to a take. Pure.

What is decided here is carried out by ``Project.rewind``, in one record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from renderer.errors import ProjectError
from renderer.film.records import REWIND
from renderer.journal import Record
from renderer.project.history import KEYFRAME, TAKE, History, Rewind, StoredKeyframe


def rewound(history: History, keyframe: int) -> Rewind:
    """The film ends before ``keyframe``. Raises ProjectError where there is none to take back."""
    _check_back(history, keyframe)
    return Rewind(keyframe)


def rerolled(history: History, keyframe: int, changes: Mapping[str, Any]) -> Rewind:
    """``keyframe`` is painted anew, with ``changes`` (plain values) to the settings.

    Raises ProjectError.
    """
    painted = history.keyframes
    if not (keyframe == 0 and len(painted) == 1 and painted[0].seconds > 0):
        _check_back(history, keyframe)
    variation = 1 + max(stored.variation for stored in history.takes(keyframe))
    return Rewind(keyframe, variation=variation, changes=changes)


def choosing(history: History, keyframe: int, take: int) -> Rewind:
    """``take`` of ``keyframe``, and what was painted around it last. Raises ProjectError."""
    stored, chosen = history.find(keyframe, take), history.keyframes
    if stored is None:
        numbers = ", ".join(str(each.take) for each in history.takes(keyframe)) or "none"
        raise ProjectError(f"keyframe {keyframe + 1} has no take {take}; its takes: {numbers}")
    if keyframe < len(chosen) and chosen[keyframe].take == take:
        raise ProjectError(f"take {take} of keyframe {keyframe + 1} is in the film already")
    if keyframe and (keyframe > len(chosen) or stored.around != chosen[keyframe - 1].take):
        raise ProjectError(
            f"take {take} of keyframe {keyframe + 1} was painted around take {stored.around} of "
            f"keyframe {keyframe}, which is not in the film: choose that one first"
        )
    return Rewind(keyframe, history.line(stored))


DECIDE: Mapping[str, Callable[..., Rewind]] = {
    "rewind": rewound,
    "reroll": rerolled,
    "choose": choosing,
}
"""By what a viewer calls it."""


def last_rewind(records: Sequence[Record]) -> int:
    """The number of the last rewind among ``records``.

    Raises ProjectError where there is none, or something was painted since.
    """
    for number in range(len(records) - 1, -1, -1):
        kind = records[number]["type"]
        if kind == REWIND:
            return number
        if kind in (KEYFRAME, TAKE):
            break
    raise ProjectError("nothing to undo: no keyframe was taken back since the last was painted")


def check_painted(history: History, keyframe: int) -> StoredKeyframe:
    """``keyframe`` as the film has it. Raises ProjectError where it hasn't."""
    painted = len(history.keyframes)
    if not 0 <= keyframe < painted:
        there = f"keyframes 1 to {painted}" if painted else "no keyframe yet"
        raise ProjectError(f"keyframe {keyframe + 1} is not painted; the film has {there}")
    return history.keyframes[keyframe]


def _check_back(history: History, keyframe: int) -> None:
    """Raise ProjectError unless ``keyframe`` can be taken back."""
    if keyframe == 0:
        raise ProjectError(
            "keyframe 1 is the first picture, around which all others are painted; for another "
            "one start a new render"
        )
    check_painted(history, keyframe)
