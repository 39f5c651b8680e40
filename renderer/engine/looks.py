"""What a film's colours must not drift away from: the first keyframe's look, or a later prompt's.

Which keyframe that is follows from the journal (``project.timeline``), and its figures stand there
too, so that a film that is resumed, rewound or branched goes on as it would have, even where that
keyframe's file was not kept.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from renderer.images import Picture
from renderer.painting.colour_match import Reference
from renderer.project.project import Project
from renderer.project.records import path_of


class Looks:
    """Of the keyframes that are painted in one go."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[int, Reference | None] = {}
        """Of what was held to last, and of what was painted since: it may not be written yet."""

    def add(self, keyframe: int, canvas: Picture) -> tuple[Any, ...]:
        """The look of a keyframe that was just painted, as it is written down."""
        self._known[keyframe] = reference = Reference.of(canvas)
        return astuple(reference)

    def reference(self, keyframe: int) -> Reference | None:
        """What the colours of ``keyframe`` are held to; None while they change with the prompt."""
        look = self._project.history.timeline.look_at(self._project.settings, keyframe)
        if look is None:
            return None
        self._known = {look: self._known[look] if look in self._known else self._read(look)}
        return self._known[look]

    def _read(self, keyframe: int) -> Reference | None:
        """None where an older version did not write it down, and the picture was not kept.

        The first keyframe's picture is looked at all the same, so that damage to it is found.
        """
        stored = self._project.keyframes[keyframe]
        if keyframe and stored.look is not None:
            return Reference(*stored.look)
        if not path_of(self._project.folder, stored).exists() and keyframe:
            return None
        return Reference.of(self._project.load_keyframe(keyframe))
