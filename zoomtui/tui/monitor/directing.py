"""The monitor's keys that direct the film: paint again, branch, takes, marks.

Nothing is taken back on one key: a dialog says what goes, in keyframes, frames and seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from renderer.formatting import clean, duration_text
from renderer.project.records import name_of
from zoomtui.tui.monitor.keyframe_screen import KeyframeScreen
from zoomtui.tui.monitor.note_dialog import NoteDialog
from zoomtui.tui.monitor.steer_dialog import Changes, SteerDialog
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.host import HostedScreen
from zoomtui.tui.shared.keys import keys, quiet
from zoomtui.viewing.view import View
from zoomtui.viewing.watcher import Watch

REPAINT = {
    "": "Cancel: leave the film as it is",
    "reroll": "Paint it differently",
    "prompt": "Paint it with another prompt or settings…",
    "rewind": "Only take it back, and all after it",
    "undo": "Bring back what was taken back last",
}
"""What can be done with a keyframe that is not as it should be; ``""``: nothing."""
BRANCH = {
    "branch": "Branch, and look at it",
    "prompt": "Branch with another prompt or settings…",
    "": "Cancel",
}


class Revising(HostedScreen):
    """A screen that changes which takes the film has."""

    watched: Watch

    def revise(self, said: str, command: str, **details: Any) -> None:
        """Have the film changed, and say so once it is."""
        self.attempt(lambda: self.watched.revise(command, **details), said)

    def reroll(self, keyframe: int, changes: Changes) -> None:
        """Have it painted anew, with ``changes`` to the settings."""
        said = f"Keyframe {keyframe + 1} is painted again."
        self.revise(said, "reroll", keyframe=keyframe, changes=changes)

    def reroll_with_changes(self, keyframe: int) -> None:
        """Ask for a prompt and settings, and have it painted anew with them."""
        self.ask_changes(keyframe, lambda changes: self.reroll(keyframe, changes))

    def ask_changes(self, start: int, deed: Callable[[Changes], None]) -> None:
        """Ask for a prompt and settings from the keyframe ``start`` on, and go on with them."""
        view = self.watched.view
        self.ask_user(SteerDialog(view.folder, view.state.next_prompt, start), deed)

    def if_it_may_go(self, keyframe: int, deed: Callable[[], None]) -> None:
        """Do it; where film goes with ``keyframe``, only once the user has said so."""
        if not lost_frames(self.watched.view, keyframe):
            deed()
            return
        text = losing(self.watched.view, keyframe)
        answers = {"": "Cancel: leave the film as it is", "yes": "Do it"}
        dialog = ChoiceDialog("Take it back?", text, answers)
        self.ask_user(dialog, lambda _: deed())


class Directing(KeyframeScreen, Revising):
    """A screen with these keys; they are about the keyframe that is looked at."""

    BINDINGS = keys(
        quiet(
            "x", "repaint", "paint again…", "paint this keyframe and what follows again; asks first"
        ),
        quiet("b", "branch", "branch…", "another film that goes on from this keyframe"),
        quiet("[", "takes(-1)", "takes", "the takes of this keyframe, side by side"),
        quiet("]", "takes(1)", "takes", "the takes of this keyframe, side by side"),
        quiet("m", "mark", "mark…", "a note about this keyframe: a chapter of exported films"),
        quiet("g", "dive", "dive where…", "where a dive goes: a frame over the picture"),
    )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "repaint":
                return self._looked_at > 0
            case "branch" | "takes" | "mark" | "dive":
                return self._looked_at >= 0
        return super().check_action(action, parameters)

    @property
    def _looked_at(self) -> int:
        return self.cursor.shown(self.watched.view.state.keyframes)

    def action_repaint(self) -> None:
        keyframe = self._looked_at

        def go_on(answer: str) -> None:
            match answer:
                case "reroll":
                    self.reroll(keyframe, {})
                case "prompt":
                    self.reroll_with_changes(keyframe)
                case "rewind":
                    said = f"The film ends with keyframe {keyframe}."
                    self.revise(said, "rewind", keyframe=keyframe)
                case "undo":
                    self.revise("What was taken back is in the film again.", "undo-rewind")

        title = f"Paint keyframe {keyframe + 1} again?"
        text = losing(self.watched.view, keyframe)
        self.ask_user(ChoiceDialog(title, text, REPAINT), go_on)

    def action_takes(self, step: int) -> None:
        from zoomtui.tui.monitor.takes_screen import TakesScreen  # not needed for the first paint

        held = self.watched.view.state.held
        shown = self._looked_at if held is None else held
        self.app.push_screen(TakesScreen(self.watched, shown, self.cursor.pictures, step))

    def action_dive(self) -> None:
        from zoomtui.tui.monitor.focus_screen import FocusScreen  # not needed for the first paint

        self.app.push_screen(FocusScreen(self.watched))

    def action_branch(self) -> None:
        from renderer.planning.prepare import free_folder  # not needed for the first paint

        folder, keyframe = self.watched.view.folder, self._looked_at
        new = free_folder(folder.parent, name_of(folder))

        def go_on(answer: str) -> None:
            if answer == "branch":
                self._branch(new, keyframe, {})
            else:
                self.ask_changes(keyframe + 1, lambda changes: self._branch(new, keyframe, changes))

        text = (
            f"{clean(new.name)} begins with keyframes 1 to {keyframe + 1} of this film, which are "
            f"neither painted nor encoded again, and goes on by itself."
        )
        self.ask_user(ChoiceDialog("Branch the film here?", text, BRANCH), go_on)

    def action_mark(self) -> None:
        keyframe, marks = self._looked_at, self.watched.view.state.marks

        def mark(note: str) -> None:
            if note != dict(marks).get(keyframe, ""):
                said = f"Keyframe {keyframe + 1} is marked." if note else "The mark is gone."
                self.revise(said, "mark", keyframe=keyframe, note=note)

        self.ask_user(NoteDialog(keyframe, marks), mark)

    def _branch(self, new: Path, keyframe: int, changes: Changes) -> None:
        folder = self.watched.view.folder

        async def make() -> None:
            from renderer.project.copy import branch_project

            await asyncio.to_thread(
                branch_project, folder, new, keyframe, changes, lambda _done, _total: None
            )
            self.host.open_monitor(new)

        self.attempt(make, f"{clean(new.name)} begins as this film; r goes on with it.")


def losing(view: View, keyframe: int) -> str:
    """What is taken back with ``keyframe``, and what is left of it, in words."""
    state = view.state
    count, frames = state.keyframes, lost_frames(view, keyframe)
    which = f"Keyframe {keyframe + 1} is"
    if keyframe + 1 < count:
        which = f"Keyframes {keyframe + 1} to {count} are"
    seconds = duration_text(frames / state.fps) if state.fps else "0 s"
    lost = f"{which} taken back: {frames:,} frames, {seconds} of film."
    return f"{lost} The pictures are kept as takes."


def lost_frames(view: View, keyframe: int) -> int:
    """Frames of the film that are taken back with ``keyframe``."""
    kept = max(0, keyframe - 1) * view.state.frames_per_keyframe
    return max(0, view.state.frames - kept)
