"""Which settings count for which keyframe, by all that was steered. Pure.

A look costs the same however much that is: what each setting becomes is kept in the order of the
keyframes, and found by halving.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from renderer.journal import Count
from renderer.painting import prompt_blend
from renderer.painting.prompt_blend import Blend, Change
from renderer.settings.render import OF_THE_RENDER, RenderSettings

_START = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Steering:
    """The journal's record of settings that changed on the way."""

    from_keyframe: Count
    changes: Mapping[str, Any]
    """Plain values."""


def _start(steering: Steering, name: str) -> int:
    """The first keyframe for which it changes that setting."""
    return 0 if name in OF_THE_RENDER else steering.from_keyframe


class Timeline:
    """Steering for a later keyframe takes precedence, whenever it was written down: a plan of
    prompts is there before the first keyframe is painted. Of steering for the same keyframe the
    last counts, and of settings ``OF_THE_RENDER`` the last of all. Safe from any thread.
    """

    def __init__(self, steering: Iterable[Steering] = ()) -> None:
        self._changes: dict[str, list[tuple[int, Steering]]] = {}
        """By the setting's name, each with the keyframe that it begins with, rising."""
        self._lock = threading.Lock()
        self._found: tuple[RenderSettings, Mapping[str, Any], RenderSettings] | None = None
        """The last look: what was asked about, what counts there, and what came of it."""
        for each in steering:
            self.add(each)

    def add(self, steering: Steering) -> None:
        """Let it count, after all that begins with the same keyframe."""
        with self._lock:
            for name in steering.changes:
                start = _start(steering, name)
                known = self._changes.setdefault(name, [])
                known.insert(bisect_right(known, start, key=_START), (start, steering))

    def remove(self, steering: Steering) -> None:
        """Let it not count any more; it may be one that doesn't."""
        with self._lock:
            for name in steering.changes:
                start = _start(steering, name)
                known = self._changes.get(name, [])
                begin, end = (
                    find(known, start, key=_START) for find in (bisect_left, bisect_right)
                )
                known[begin:end] = [each for each in known[begin:end] if each[1] is not steering]

    def changes(self, name: str) -> bool:
        """Whether that setting changes anywhere."""
        return bool(self._changes.get(name))

    def settings_at(self, settings: RenderSettings, keyframe: int) -> RenderSettings:
        """``settings`` with all steering applied that counts there. Raises SettingsError."""
        with self._lock:
            values = self._values_at(keyframe)
            if self._found is None or self._found[:2] != (settings, values):
                self._found = settings, values, settings.changed(values, "journal.jsonl")
            return self._found[2]

    def blend_at(self, settings: RenderSettings, keyframe: int) -> Blend:
        """The prompt that counts there, and how far it has replaced the one before it.

        All of it follows from the journal, so a resumed film is blended as one that was never
        interrupted.
        """
        return prompt_blend.blend_at(self._prompts_at(settings, keyframe), keyframe)

    def look_at(self, settings: RenderSettings, keyframe: int) -> int | None:
        """The keyframe whose look ``keyframe`` is to keep: the first, or the one at which the last
        change of prompt had settled. None: it has not yet."""
        last = self._prompts_at(settings, keyframe)[-1]
        look = prompt_blend.settled(last, settings.zoom_factor) if last.start else 0
        return look if look < max(keyframe, 1) else None

    def _prompts_at(self, settings: RenderSettings, keyframe: int) -> list[Change]:
        """The prompt that counts there, behind the one that it replaces, if it does."""
        with self._lock:
            known = self._changes.get("prompt", ())
            at = bisect_right(known, keyframe, key=_START)
            if not at:
                return [Change(0, settings.prompt, 0)]
            prompt = earlier = known[at - 1][1].changes["prompt"]
            while at and earlier == prompt:  # one and the same prompt, steered to again
                start = known[at - 1][0]
                at = bisect_left(known, start, key=_START)
                earlier = known[at - 1][1].changes["prompt"] if at else settings.prompt
            if earlier == prompt or start == 0:
                return [Change(0, prompt, 0)]
            blend = self._values_at(start).get("prompt_blend", settings.prompt_blend)
        return [Change(0, earlier, 0), Change(start, prompt, blend)]

    def from_on(self, keyframe: int) -> tuple[Steering, ...]:
        """What stands for all steering where only ``keyframe`` and what follows are asked about.

        One for each keyframe, rising.
        """
        with self._lock:
            found = {keyframe: self._values_at(keyframe)}
            for name, known in self._changes.items():
                for start, each in known[bisect_right(known, keyframe, key=_START) :]:
                    found.setdefault(start, {})[name] = each.changes[name]
        return tuple(Steering(start, found[start]) for start in sorted(found))

    def _values_at(self, keyframe: int) -> dict[str, Any]:
        """Plain values, of all that was steered."""
        values: dict[str, Any] = {}
        for name, known in self._changes.items():
            if begun := bisect_right(known, keyframe, key=_START):
                values[name] = known[begun - 1][1].changes[name]
        return values
