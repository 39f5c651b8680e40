"""Which keyframes of a film are shown, where not all have room. Knows no page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from renderer.project.records import KEYFRAMES, keyframe_path

MOST = 48
"""Pictures."""


def chosen(kept: Sequence[int], wanted: Collection[int], most: int = MOST) -> list[int]:
    """At most ``most`` of the keyframes ``kept``, rising: the first and the last, as many of
    ``wanted`` as half of the room holds, and others evenly between."""
    if len(kept) <= most:
        return list(kept)
    known = set(kept)
    marked = set(_evenly([each for each in sorted(wanted) if each in known], most // 2))
    others = [each for each in kept if each not in marked]
    return sorted([*marked, *_evenly(others, most - len(marked))])


def _evenly(kept: Sequence[int], most: int) -> list[int]:
    """The first, the last, and those between at equal distances."""
    if len(kept) <= most:
        return list(kept)
    return [kept[number * (len(kept) - 1) // (most - 1)] for number in range(most)]


def kept_keyframes(folder: Path, count: int, takes: Mapping[int, int]) -> list[int]:
    """Of ``count`` keyframes those whose files are there; ``takes``: other takes than the first."""
    try:
        there = {path.name for path in (folder / KEYFRAMES).iterdir()}
    except OSError:
        return []
    paths = (keyframe_path(folder, each, takes.get(each, 1)) for each in range(count))
    return [keyframe for keyframe, path in enumerate(paths) if path.name in there]
