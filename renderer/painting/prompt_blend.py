"""How one prompt gives way to the next. Pure: knows no painter and no project."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

SETTLES, SETTLED = 10, 0.95
"""Keyframes from a prompt's last change until the picture has its look, and the share of it that
must then have been painted since; with small zoom factors that takes longer."""


@dataclass(frozen=True, slots=True)
class Change:
    """A prompt that applies from a keyframe on."""

    start: int
    """The first keyframe that it is for."""
    prompt: str
    blend: int
    """Keyframes that it takes to replace the prompt before it; 0: it does so at once."""


@dataclass(frozen=True, slots=True)
class Blend:
    """What one keyframe is painted from."""

    prompt: str
    earlier_prompt: str = ""
    """The prompt that ``prompt`` is replacing; empty: none."""
    share: float = 1.0
    """How far it has been replaced, above 0 and up to 1."""


def blend_at(changes: Iterable[Change], keyframe: int) -> Blend:
    """What ``keyframe`` is painted from, by ``changes`` in rising order, the first one's at 0.

    A change at s with blend n counts (i + 1)/(n + 1) at keyframe s + i as long as i < n, then all:
    both ends of the way are left out, as keyframe s - 1 has the one prompt and s + n the other. A
    change that comes within another's blend starts from the prompt that was being blended *to*,
    as if that had been reached: three texts are never mixed.
    """
    begun = [change for change in changes if change.start <= keyframe]
    now = begun[-1]
    done = keyframe - now.start + 1
    if len(begun) == 1 or done > now.blend or not begun[-2].prompt:
        return Blend(now.prompt)
    return Blend(now.prompt, begun[-2].prompt, done / (now.blend + 1))


def settled(change: Change, zoom_factor: float) -> int:
    """The keyframe at which the picture has come to look as the prompt wants it."""
    filled = math.log(1 / (1 - SETTLED)) / (2 * math.log(zoom_factor))
    return change.start + change.blend + max(SETTLES, math.ceil(filled))
