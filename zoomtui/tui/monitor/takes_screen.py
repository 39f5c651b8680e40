"""The takes of one keyframe, side by side: look, choose one, or have another one painted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal

from renderer.errors import RendererError
from renderer.files import is_there
from renderer.project.contents import Contents
from renderer.project.history import StoredKeyframe
from renderer.project.records import path_of
from zoomtui.terminal.capabilities import Pictures
from zoomtui.tui.monitor.captioned import Captioned
from zoomtui.tui.monitor.directing import Revising
from zoomtui.tui.shared.host import standing
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.styled_text import Line, cut
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.watcher import Watch

_MOST = 4
"""Pictures side by side."""
_COLUMNS = 26
"""Of each, at least."""


@dataclass(frozen=True, slots=True)
class Takes:
    """Of one keyframe, as its journal knows them."""

    takes: tuple[StoredKeyframe, ...] = ()
    """Those whose pictures are there, in the order of painting."""
    chosen: int = 0
    """The take that the film has; 0: none, it is taken back."""


class TakesScreen(Revising):
    BINDINGS = keys(
        bind("left,[", "step(-1)", "other take", "mark another take", key_display="← →"),
        quiet("right,]", "step(1)", "other take", "mark another take"),
        quiet("1", "mark(1)", "that one", "1 to 9: mark that take"),
        *(quiet(str(n), f"mark({n})", "that one") for n in range(2, 10)),
        bind("enter", "choose", "take it", "let the film go on with the marked take"),
        bind("r", "again", "paint another", "paint another take"),
        bind("p", "prompt", "with another prompt",
             "paint another take with another prompt or settings"),
        bind("escape,q", "dismiss", "back", "back"),
    )  # fmt: skip

    def __init__(
        self, watch: Watch, keyframe: int, pictures: Pictures | None, step: int = 0
    ) -> None:
        """``step``: which take is marked first, counted from the one that the film has."""
        super().__init__()
        self.watched = watch
        self._keyframe = keyframe
        self._review = watch.view.state.held is not None
        """It follows the keyframes that wait for a decision."""
        self._step = step
        self._takes = Takes()
        self._marked = -1
        self._stamp: object = None
        self._contents = Contents(watch.view.folder)
        self.sides = tuple(Captioned(pictures) for _ in range(_MOST))

    def compose(self) -> ComposeResult:
        yield OneLine(id="takes-head")
        yield Horizontal(*self.sides)
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_interval(self.host.interval, self._look)
        self._look()

    def _look(self) -> None:
        """Read the journal again where something has happened to the keyframes."""
        state = self.watched.view.state
        self.watched.reviewed = state.held
        if self._review and state.held not in (None, self._keyframe):
            self._keyframe, self._takes, self._marked = state.held, Takes(), -1
        stamp = (state.keyframes, state.takes, state.held)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read()
            self.paint()

    @work(exclusive=True, group="takes")
    async def _read(self) -> None:
        try:
            found = await asyncio.to_thread(self._find, self._keyframe)
        except RendererError:
            return  # the monitor says what is wrong with the project
        if not standing(self) or found == self._takes:
            return
        newer = len(found.takes) > len(self._takes.takes)
        first, self._takes = not self._takes.takes, found
        numbers = [stored.take for stored in found.takes]
        here = numbers.index(found.chosen) if found.chosen in numbers else len(numbers) - 1
        if first:
            self._marked = max(0, min(here + self._step, len(numbers) - 1))
        elif newer or self._marked >= len(numbers):
            self._marked = len(numbers) - 1
        self.paint()

    def _find(self, keyframe: int) -> Takes:
        """Blocking. Raises RendererError."""
        history, folder = self._contents.look().history, self.watched.view.folder
        every = (each for each in history.takes(keyframe) if is_there(path_of(folder, each)))
        painted = keyframe < len(history.keyframes)
        return Takes(tuple(every), history.keyframes[keyframe].take if painted else 0)

    def paint(self) -> None:
        takes, width = self._takes, self.size.width
        room = max(1, min(_MOST, len(takes.takes), width // _COLUMNS))
        first = max(0, min(self._marked - room // 2, len(takes.takes) - room))
        shown = takes.takes[first : first + room]
        for number, side in enumerate(self.sides):
            side.display = number < len(shown)
            if number < len(shown):
                stored = shown[number]
                side.marked = first + number == self._marked
                star = " *" if stored.take == takes.chosen else ""
                path = path_of(self.watched.view.folder, stored)
                side.show_keyframe(path, f"take {stored.take}{star}")
        self.query_one("#takes-head", OneLine).show(cut(self._head(), width))
        self.query_one(KeyLine).refresh_keys(self)

    def _head(self) -> Line:
        count = len(self._takes.takes)
        many = f"{count} take{'' if count == 1 else 's'}"
        star = "the film has the one with a star" if self._takes.chosen else "the film has none"
        if self._held:
            star = "Enter takes the marked one"
        elif self._review:
            star = "the next one is being painted"
        return ((f" Keyframe {self._keyframe + 1}", "strong"), (f"   {many}; {star}", ""))

    @property
    def _held(self) -> bool:
        """The render waits for this decision."""
        return self.watched.view.state.held == self._keyframe

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "step":
                return len(self._takes.takes) > 1
            case "mark":
                number = parameters[0]
                return isinstance(number, int) and number <= len(self._takes.takes)
            case "choose":
                return 0 <= self._marked < len(self._takes.takes)
            case "again" | "prompt":
                return (self._held or self._keyframe > 0) and self._takes.chosen > 0
        return super().check_action(action, parameters)

    def action_step(self, by: int) -> None:
        self._marked = max(0, min(self._marked + by, len(self._takes.takes) - 1))
        self.paint()

    def action_mark(self, number: int) -> None:
        self._marked = number - 1
        self.paint()

    def action_choose(self) -> None:
        take = self._takes.takes[self._marked].take
        if take == self._takes.chosen and not self._held:
            self.dismiss()
            return
        keyframe = self._keyframe
        said = f"The film has take {take} of keyframe {keyframe + 1}."
        self.if_it_may_go(
            keyframe, lambda: self.revise(said, "choose", keyframe=keyframe, take=take)
        )

    def action_again(self) -> None:
        keyframe = self._keyframe
        self.if_it_may_go(keyframe, lambda: self.reroll(keyframe, {}))

    def action_prompt(self) -> None:
        keyframe = self._keyframe
        self.if_it_may_go(keyframe, lambda: self.reroll_with_changes(keyframe))
