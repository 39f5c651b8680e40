"""The dialog that asks for a note about a keyframe, and lists the notes that there are."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from renderer.formatting import shortened
from renderer.project.records import LONGEST_NOTE
from zoomtui.tui.shared.dialogs import Dialog
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.typed_text import PlainInput

_LISTED = 8
"""Notes that are seen at a time, as in dialogs.tcss."""


class NoteDialog(Dialog):
    """The note; empty: none any more."""

    BINDINGS = keys(bind("escape", "dismiss(None)", "cancel"))

    def __init__(self, keyframe: int, marks: Iterable[tuple[int, str]]) -> None:
        super().__init__()
        self._keyframe = keyframe
        self._marks = dict(marks)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            marks = self._marks.items()
            lines = (f"{keyframe + 1:>6}  {shortened(note, 50)}" for keyframe, note in marks)
            with VerticalScroll(id="notes"):
                yield Static("\n".join(lines), markup=False)
            now = self._marks.get(self._keyframe, "")
            yield PlainInput(now, max_length=LONGEST_NOTE, placeholder="what is here")
            hint = "Enter marks it   empty: no mark   Esc leaves it as it is"
            yield Static(hint, markup=False, classes="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = f"Mark keyframe {self._keyframe + 1}"
        self.query_one(Input).focus()
        notes = self.query_one("#notes", VerticalScroll)
        notes.display = bool(self._marks)
        before = sum(keyframe < self._keyframe for keyframe in self._marks)
        notes.scroll_to(y=max(0, before - _LISTED // 2), animate=False)

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
