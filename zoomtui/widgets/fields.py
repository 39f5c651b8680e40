"""A form: fields of plain text, steps through the texts worth offering, complaints at their place.

What a text means, and whether it can be used, is for others (``zoomtui.making.form``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from zoomtui.lines import Line
from zoomtui.making.form import FIELDS, Field, FieldError
from zoomtui.widgets.texts import PlainArea, PlainInput
from zoomtui.words import clean

ROWS: tuple[tuple[str, ...], ...] = (
    ("prompt",),
    ("negative_prompt",),
    ("painter", "model"),
    ("steps", "guidance_scale"),
    ("strength", "scheduler"),
    ("seed", "method"),
    ("keyframes", "seconds_per_keyframe"),
    ("zoom_factor", "size"),
    ("fps", "codec"),
    ("crf", "preset"),
    ("image",),
    ("exemplar",),
    ("folder",),
)
"""What stands beside each other."""


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
SPECIAL: Mapping[str, Callable[[Field], AnyField]] = {"prompt": LongField}
"""Fields that are more than one line of text."""


def hint_line(focused: Widget | None) -> Line:
    """What the field that has the focus is for, and what is worth trying there."""
    if not isinstance(focused, TextField | LongField):
        return ()
    field = focused.field
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
        self._fields = tuple(fields)
        self._complaint = Static("", markup=False, classes="complaint")

    def compose(self) -> ComposeResult:
        with Horizontal():
            for widget in self._fields:
                label = Static(widget.field.label, markup=False, classes="label")
                yield Horizontal(label, widget, classes="cell", id=f"cell-{widget.field.key}")
        yield self._complaint

    def complain(self, wrong: FieldError | None) -> None:
        """Show what is wrong, if it is with one of its fields."""
        mine = wrong is not None and any(f.field.key == wrong.key for f in self._fields)
        if mine or self.has_class("-wrong"):
            self._complaint.update(f"✗ {clean(str(wrong))}" if mine else "")
            self.set_class(mine, "-wrong")

    def hide(self, keys: Sequence[str]) -> None:
        """Show those of its fields that are not among ``keys``, and itself if any are left."""
        for field in self._fields:
            self.query_one(f"#cell-{field.field.key}").display = field.field.key not in keys
        self.display = any(field.field.key not in keys for field in self._fields)


class Form(VerticalScroll, can_focus=False):
    """All fields, in rows. Says ``Edited`` whenever one of them has changed."""

    class Edited(Message):
        """A text is another one."""

    def __init__(
        self,
        id: str,  # noqa: A002 - Textual's own name
        fields: Sequence[Field] = FIELDS,
        rows: Sequence[Sequence[str]] = ROWS,
        special: Mapping[str, Callable[[Field], AnyField]] = SPECIAL,
    ) -> None:
        """``rows``: keys that stand beside each other; ``special``: makers of unusual fields."""
        super().__init__(id=id)
        self._rows = rows
        self._fields: dict[str, AnyField] = {
            field.key: special.get(field.key, TextField)(field) for field in fields
        }

    @property
    def texts(self) -> dict[str, str]:
        """What stands in each field."""
        return {key: field.text for key, field in self._fields.items()}

    def compose(self) -> ComposeResult:
        for row in self._rows:
            yield FieldRow([self._fields[key] for key in row])

    def put(self, texts: Mapping[str, str]) -> None:
        """As if they had been typed."""
        for key, text in texts.items():
            self._fields[key].put(text)

    def choose(self, key: str) -> None:
        """Give a field the focus, and bring it into view with what is said about it."""
        field = self._fields[key]
        field.focus(scroll_visible=False)
        row = next(row for row in self.query(FieldRow) if field in row.query("*"))
        self.call_after_refresh(row.scroll_visible, animate=False)

    def complain(self, wrong: FieldError | None) -> None:
        """Say what is wrong at its field, and nowhere else."""
        for row in self.query(FieldRow):
            row.complain(wrong)

    def show_defaults(self, texts: Mapping[str, str]) -> None:
        """What an empty field stands for."""
        for key, text in texts.items():
            field = self._fields[key]
            if isinstance(field, TextField) and field.placeholder != (harmless := clean(text)):
                field.placeholder = harmless

    def hide(self, keys: Sequence[str]) -> None:
        """Show all fields but these."""
        for row in self.query(FieldRow):
            row.hide(keys)

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _edited(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Edited())

    @on(Input.Submitted)
    def _go_on(self, event: Message) -> None:
        event.stop()
        self.screen.focus_next()
