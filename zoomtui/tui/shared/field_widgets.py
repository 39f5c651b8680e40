"""The fields of a form: plain text, steps through what is worth offering, complaints beside them.

What a text means, and whether it can be used, is for others (``zoomtui.tui.shared.form_fields``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from renderer.formatting import clean
from zoomtui.tui.shared.form_fields import Field, FieldError
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.typed_text import PlainArea, PlainInput


class TextField(PlainInput):
    """One line of text. Up and down step through the texts that are worth offering."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "choose", show=False),
        Binding("up", "step(-1)", "choose", show=False),
    ]

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"field-{field.key}", compact=True, select_on_focus=False)
        self.field = field

    @property
    def text(self) -> str:
        return self.value

    def put(self, text: str) -> None:
        """As if it had been typed."""
        self.value = text
        self.cursor_position = len(text)

    def action_step(self, by: int) -> None:
        texts = ("", *self.field.choices)
        if len(texts) > 1:
            here = texts.index(self.value) if self.value in texts else 0
            self.put(texts[(here + by) % len(texts)])


class LongField(PlainArea):
    """Text of any length, exactly as typed; Tab leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "screen.copy", "copy", key_display="^y"),  # Textual's own: redo
    ]

    def __init__(self, field: Field) -> None:
        super().__init__(
            id=f"field-{field.key}",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            compact=True,
            highlight_cursor_line=False,
        )
        self.field = field

    def put(self, text: str) -> None:
        """As if it had been typed."""
        self.text = text


AnyField = TextField | LongField
Maker = Callable[[Field], AnyField]


def field_hint(field: Field) -> Line:
    """What a field is for, and what is worth trying there."""
    line: Line = ((f" {field.label}: ", "strong"), (field.help, ""))
    if field.choices:
        line = (*line, ("  ↑↓ ", "strong"), (" ".join(field.choices), "faint"))
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
                label = Static(widget.field.label, markup=False, classes="label")
                yield Horizontal(label, widget, classes="cell", id=f"cell-{widget.field.key}")
        yield self._complaint

    def complain(self, wrong: FieldError | None) -> None:
        """Show what is wrong, if one of the row's fields is to blame."""
        mine = wrong is not None and any(f.field.key == wrong.key for f in self.fields)
        if mine or self.has_class("-wrong"):
            self._complaint.update(f"✗ {clean(str(wrong))}" if mine else "")
            self.set_class(mine, "-wrong")

    def hide(self, keys: Sequence[str]) -> None:
        """Show those of its fields that are not among ``keys``, and itself if any are left."""
        self.seen = tuple(field for field in self.fields if field.field.key not in keys)
        for field in self.fields:
            self.query_one(f"#cell-{field.field.key}").display = field in self.seen
        self.display = bool(self.seen)
