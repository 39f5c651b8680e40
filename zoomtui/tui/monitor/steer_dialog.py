"""The dialog that steers a render: its prompt, and below that whatever else may change.

An empty field leaves what it shows as it is. The answer is the changes, as plain values by the
settings' names; to ask the engine for them is left to the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from renderer.errors import RendererError, SettingsError
from renderer.project.records import read_settings_at
from renderer.settings.option import Option
from renderer.settings.render import OPTIONS, RenderSettings
from zoomtui.tui.shared.form_fields import Fields, Texts, all_wrong, as_typed
from zoomtui.tui.shared.form_widget import Form, hint_line
from zoomtui.tui.shared.host import ClosesOnce, Host, standing
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.styled_text import cut
from zoomtui.tui.shared.text_widgets import OneLine
from zoomtui.tui.shared.typed_text import PlainArea

Changes = Mapping[str, Any]

_GROUPS = ("", "ending", "painting", "joining", "encoding")
_ALL: Mapping[str, Option] = {
    name: row for name, row in OPTIONS.items() if row.user_steerable and name != "prompt"
}
_FIELDS = Fields(_ALL, _GROUPS)


class PromptArea(PlainArea):
    """Text as typed; Enter is for the dialog, Ctrl+J begins a new line."""

    BINDINGS = keys(
        bind("enter", "submit", "apply", priority=True),
        bind("ctrl+j,shift+enter", "newline", "new line"),
    )

    class Submitted(Message):
        """Enter was pressed."""

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def action_newline(self) -> None:
        self.insert("\n")


class SteerDialog(ModalScreen[Changes | None], ClosesOnce[Changes | None]):
    """See the module; None: the user took the question back."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012
    BINDINGS = keys(
        bind("escape", "dismiss(None)", "cancel"),
        bind("ctrl+s", "apply", "apply"),
    )

    def __init__(self, folder: Path, prompt: str, from_keyframe: int) -> None:
        """``from_keyframe``: the first that it can count for, from 0."""
        super().__init__()
        self._folder = folder
        self._prompt = prompt
        self._from = from_keyframe
        self._now: RenderSettings | None = None
        """In force; None: not read yet, or not readable, and then only the prompt can change."""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Takes effect at keyframe {self._from + 1}.", markup=False)
            yield PromptArea(self._prompt)
            yield Vertical(id="steer-fields")
            yield OneLine(id="steer-hint")
            yield Static(
                "Enter ^s apply   Tab settings   ^j new line   Esc leaves it as it is",
                markup=False,
                classes="hint",
            )

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Prompt and settings"
        area = self.query_one(PromptArea)
        area.move_cursor(area.document.end)
        area.focus()
        self._read()

    @work
    async def _read(self) -> None:
        """Show what else may change."""
        try:
            settings = await asyncio.to_thread(read_settings_at, self._folder, self._from)
        except RendererError:
            return  # the monitor says what is wrong with the project
        if not standing(self):
            return
        self._now = settings
        mine = {key: each for key, each in _FIELDS.items() if each.row.concerns(settings.painter)}
        form = Form(mine)
        await self.query_one("#steer-fields").mount(form)
        form.show_defaults(
            {key: as_typed(each.row, getattr(settings, key)) for key, each in mine.items()}
        )

    def _changes(self, texts: Texts) -> Changes:
        """What is to change. Raises FieldError."""
        prompt = self.query_one(PromptArea).text
        given = {} if prompt == self._prompt else {"prompt": prompt}
        given |= _FIELDS.meaning(texts)
        if self._now is None:
            return given
        from renderer.planning.defaults import changes  # not needed for the first paint

        try:
            return changes(self._now, given) if given else {}
        except SettingsError as error:
            raise _FIELDS.complaint(error) from None

    @property
    def _texts(self) -> Texts:
        return {key: text for form in self.query(Form) for key, text in form.texts.items()}

    @on(Form.Edited)
    def _check(self) -> None:
        self.query_one(Form).complain(all_wrong(self._changes, self._texts))

    @on(PromptArea.Submitted)
    def action_apply(self) -> None:
        wrong = all_wrong(self._changes, self._texts)
        if not wrong:
            self.dismiss(self._changes(self._texts))
        for form in self.query(Form) if wrong else ():
            if said := form.refuse(wrong):
                cast("Host", self.app).say(said, bad=True)

    def on_descendant_focus(self) -> None:
        hint = self.query_one("#steer-hint", OneLine)
        hint.show(cut(hint_line(self.focused), hint.size.width))
