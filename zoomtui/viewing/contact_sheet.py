"""Some keyframes of a film as small JPEGs: which ones, and their bytes. Knows no page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PIL import Image

from renderer.images import FAULTS
from renderer.project.records import KEYFRAMES, keyframe_path

MOST = 48
"""Pictures."""
_SIDE = 320
"""Pixels of the longer side: with ``MOST`` of the noisiest pictures some 3 MB."""
_QUALITY = 80


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


def small_jpeg(path: Path) -> bytes | None:
    """A keyframe's file, scaled down; None where it can't be read."""
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large film is no bomb
            with Image.open(path, formats=("PNG",)) as image:
                small = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        small.save(buffer, "JPEG", quality=_QUALITY)
    except FAULTS:
        return None
    return buffer.getvalue()
