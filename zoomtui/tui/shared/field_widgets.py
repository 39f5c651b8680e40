"""The fields of a form: plain text, steps through what is worth offering, complaints beside them.

What a text means, and whether it can be used, is for others (``zoomtui.tui.shared.form_fields``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from renderer.formatting import clean
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.form_fields import Field, FieldError
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import signs_for
from zoomtui.tui.shared.typed_text import PlainArea, PlainInput


class TextField(PlainInput):
    """One line of text, selected as a whole when it is entered.

    Up and down step through the texts that are worth offering, Enter lists them, and so does Space
    where it would replace the text.
    """

    BINDINGS = keys(
        quiet("down", "step(1)", "choose"),
        quiet("up", "step(-1)", "choose"),
    )

    lists = True
    """Its offers can be listed: they stand for its whole text."""

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"field-{field.key}", compact=True)
        self.field = field

    @property
    def text(self) -> str:
        return self.value

    def put(self, text: str) -> None:
        """As if it had been typed."""
        self.value = text
        self.cursor_position = len(text)

    @property
    def offers(self) -> tuple[str, ...]:
        """The texts that are worth offering; the empty one, for the default, in its place."""
        texts, default = self.field.choices, self._default
        if default not in texts:
            return ("", *texts)
        return tuple("" if text == default else text for text in texts)

    @property
    def _default(self) -> str:
        """What it is while it is empty; a placeholder may explain that behind a colon."""
        return str(self.placeholder).partition(":")[0]

    @property
    def _here(self) -> int:
        """The place of its text among the offers; of the default, for a text of the user's own."""
        return self.offers.index(self.value if self.value in self.offers else "")

    def action_step(self, by: int) -> None:
        if self.field.choices:
            self.put(self.offers[(self._here + by) % len(self.offers)])
            self.select_all()

    async def action_submit(self) -> None:
        if self.field.choices and self.lists:
            self._list()
        else:
            await super().action_submit()

    def on_key(self, event: events.Key) -> None:
        replaced = len(self.selected_text) == len(self.value)
        if event.key == "space" and self.field.choices and self.lists and replaced:
            event.stop()
            event.prevent_default()
            self._list()

    def _list(self) -> None:
        """Ask which of the offers it shall be."""
        shown = [text or f"{self.placeholder or 'none'} (default)" for text in self.offers]
        answers = {str(number): text for number, text in enumerate(shown)}
        row = self.field.row
        dialog = ChoiceDialog(row.label, row.hint, answers, at=self._here)
        self.app.push_screen(dialog, self._take)

    def _take(self, number: str | None) -> None:
        if number is not None:
            self.put(self.offers[int(number)])
            self.select_all()


class LongField(PlainArea):
    """Text of any length, exactly as typed; Tab leaves it."""

    BINDINGS = keys(bind("ctrl+y", "screen.copy", "copy"))

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"field-{field.key}", compact=True, highlight_cursor_line=False)
        self.field = field

    def put(self, text: str) -> None:
        """As if it had been typed."""
        self.text = text


AnyField = TextField | LongField
Maker = Callable[[Field], AnyField]


def field_hint(field: Field) -> Line:
    """What a field is for, and what is worth trying there."""
    line: Line = ((f" {field.row.label}: ", "strong"), (field.row.hint, ""))
    if field.choices:
        line = (*line, ("  ↑↓ Enter ", "strong"), (" ".join(field.choices), "faint"))
    return line


class FieldRow(Vertical):
    """One or two fields beside each other, and below them what is wrong with one of them."""

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow > Horizontal { height: auto; }
    FieldRow .cell { width: 1fr; height: auto; padding-right: 1; }
    FieldRow .label { width: 14; height: 1; }
    FieldRow .complaint { display: none; color: $text-error; height: auto; padding-left: 14; }
    FieldRow.-wrong .complaint { display: block; }
    """

    def __init__(self, fields: Sequence[AnyField]) -> None:
        super().__init__()
        self.fields = tuple(fields)
        self.seen = self.fields
        """Those that are not hidden."""
        self._complaint = Static("", markup=False, classes="complaint")

    def compose(self) -> ComposeResult:
        with Horizontal():
            for widget in self.fields:
                label = Static(widget.field.row.label, markup=False, classes="label")
                yield Horizontal(label, widget, classes="cell", id=f"cell-{widget.field.key}")
        yield self._complaint

    def complain(self, wrong: Sequence[FieldError]) -> None:
        """Show what is wrong with the row's own fields."""
        keys = [widget.field.key for widget in self.fields]
        sign = signs_for(self.app, "✗")
        mine = [f"{sign} {clean(str(error))}" for error in wrong if error.key in keys]
        if mine or self.has_class("-wrong"):
            self._complaint.update("\n".join(mine))
            self.set_class(bool(mine), "-wrong")

    def hide(self, keys: Sequence[str]) -> None:
        """Show those of its fields that are not among ``keys``, and itself if any are left."""
        self.seen = tuple(field for field in self.fields if field.field.key not in keys)
        for field in self.fields:
            self.query_one(f"#cell-{field.field.key}").display = field in self.seen
        self.display = bool(self.seen)
