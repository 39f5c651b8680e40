"""What is asked of a running render about keyframes that are there: rewind, reroll, choose, undo.

Decided at once, so that what can't be done is refused; done by the session as soon as both its
threads have let go of the project. Safe from any thread. Knows no thread and no painter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from renderer.engine.controls import Controls
from renderer.engine.events import Note, Rewound
from renderer.errors import ProjectError, SettingsError
from renderer.project.history import Rewind, StoredKeyframe
from renderer.project.project import Project
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.thinning import kept_takes, prune


class Revisions:
    """Of one session. Each request raises ProjectError or SettingsError for what can't be done."""

    def __init__(self, project: Project, controls: Controls) -> None:
        self._project = project
        self._controls = controls
        self._lock = threading.Lock()
        self._doing = threading.Lock()
        self._asked: list[Callable[[], int]] = []
        self._pending = False
        """Asked for, or being done: which keyframes there are is not settled."""
        self.ended = False
        """Nothing is taken any more."""

    def rewind(self, keyframe: int) -> None:
        """Take back ``keyframe`` and all after it, and paint on from there."""
        self._decide(lambda: rewound(self._project.history, keyframe))

    def reroll(self, keyframe: int, changes: Mapping[str, Any]) -> None:
        """The same, but ``keyframe`` comes out differently, with ``changes`` to the settings."""
        self._decide(lambda: rerolled(self._project.history, keyframe, changes))

    def choose(self, keyframe: int, take: int) -> None:
        """Go on with a take that was kept, or with a held keyframe as it is."""
        if self._controls.holding == keyframe and self._project.keyframes[keyframe].take == take:
            self._controls.settle(keyframe)
            return
        self._decide(lambda: choosing(self._project.history, keyframe, take))

    def undo(self) -> None:
        """Take the last of those back, while nothing new is painted."""
        with self._doing:
            self._project.last_rewind()
        self._ask(self._project.undo_rewind)

    def prune(self) -> None:
        """Delete the takes that are not in the film, at once. Raises StorageError."""
        with self._doing:
            prune(self._project.folder, kept_takes(self._project.folder, self._project.history))

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For what else changes the project: none is asked for, or done, during the block.

        Raises ProjectError where one is, and where the session ends.
        """
        with self._lock:
            self._check_open()
            if self._pending:
                raise ProjectError(
                    "keyframes are taken back as soon as the step in hand has ended: ask again then"
                )
            with self._doing:
                yield

    def do(self, *, end: bool) -> Sequence[Rewound | Note]:
        """What was asked for so far, and what came of it; ``ended`` where there is nothing to do,
        and no keyframe to paint.

        ``end``: also where there is. For the session, between its threads. Raises StorageError.
        """
        with self._lock:
            asked, self._asked = self._asked, []
            self.ended = end or not (asked or self._lengthened())
            self._pending = True
            self._controls.go_on()  # what is asked from now on interrupts again
        with self._doing:
            return [self._done(revise) for revise in asked]

    def begun(self) -> None:
        """The session's threads go on with what is there now."""
        with self._lock:
            self._pending = bool(self._asked)

    def _lengthened(self) -> bool:
        """Whether more keyframes were asked for while the last ones were filmed."""
        with self._doing:
            total = self._project.current.keyframes
            if total is not None and len(self._project.keyframes) >= total:
                return False
            self._project.store.drop_closing()  # it may just have been made
            return True

    def _decide(self, how: Callable[[], Rewind]) -> None:
        """Decided now, to say what can't be done, and again where more may have been painted."""
        with self._doing:
            self._project.check_rewind(how())
        self._ask(lambda: self._project.rewind(how()))

    def _ask(self, revision: Callable[[], int]) -> None:
        """It returns the keyframe before which all stays as it is."""
        with self._lock:
            self._check_open()
            self._asked.append(revision)
            self._pending = True
            self._controls.interrupt()

    def _check_open(self) -> None:
        if self.ended:
            raise ProjectError("the render is just ending: ask again once it has")

    def _settled_now(self, first_other: int) -> int:
        """What was decided before and is still there, and what has been chosen now."""
        last = len(self._project.keyframes) - 1
        return last if last >= first_other else min(self._controls.settled, last)

    def _first_other(self, before: Sequence[StoredKeyframe], start: int) -> int:
        """The first keyframe, from ``start`` on, that is not what it was."""
        pairs = zip(before[start:], self._project.keyframes[start:], strict=False)
        return start + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _done(self, revise: Callable[[], int]) -> Rewound | Note:
        project = self._project
        before = list(project.keyframes)
        try:
            start = revise()
        except (ProjectError, SettingsError) as error:  # another one came before it
            return Note(f"not done: {error}")
        first_other = self._first_other(before, start)
        self._controls.settle(self._settled_now(first_other))
        return Rewound(
            keyframe=first_other,
            before=len(before),
            keyframes=len(project.keyframes),
            takes=project.history.other_takes_from(first_other),
            marks=project.history.marks_from(first_other),
            frames=project.store.frames,
            duration=project.duration,
            size=project.store.size,
            prompt=project.current.prompt,
            total_keyframes=project.current.keyframes,
        )
