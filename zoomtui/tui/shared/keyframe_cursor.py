"""Walking through keyframes: which one is looked at. Pure: knows no screen and no project."""

from __future__ import annotations

from zoomtui.terminal.capabilities import Pictures


class KeyframeCursor:
    """Which keyframe is looked at, and how: the newest, until the user walks away from it."""

    def __init__(self) -> None:
        self._chosen: int | None = None
        self.pictures: Pictures | None = None
        """The kind of pictures that was chosen; None for what the terminal does best."""

    @property
    def following(self) -> bool:
        """Whether the newest is shown, whichever that becomes."""
        return self._chosen is None

    def shown(self, count: int) -> int:
        """The index of the keyframe to show, of ``count``; -1 where there is none."""
        return count - 1 if self._chosen is None else min(self._chosen, count - 1)

    def can_step(self, by: int, count: int) -> bool:
        """Whether there are keyframes on that side, of ``count``."""
        return not self.following if by > 0 else self.shown(count) > 0

    def step(self, by: int, count: int) -> None:
        """So many keyframes on, or back; at the newest, follow again."""
        self.choose(max(0, self.shown(count) + by), count)

    def choose(self, keyframe: int, count: int) -> None:
        """That one; the newest is followed again."""
        self._chosen = None if keyframe >= count - 1 else max(0, keyframe)

    def follow(self) -> None:
        self._chosen = None
