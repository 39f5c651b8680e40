"""A form: rows of fields, and groups of rows that are folded away until the user wants them.

A folded group says what was filled in there, so that nothing counts unseen, and never hides what
is wrong. What a text means is for others (``zoomtui.tui.shared.form_fields``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from renderer.formatting import clean
from zoomtui.tui.shared.field_widgets import (
    AnyField,
    FieldRow,
    LongField,
    Maker,
    TextField,
    field_hint,
)
from zoomtui.tui.shared.form_fields import Field, FieldError
from zoomtui.tui.shared.keys import keys, quiet
from zoomtui.tui.shared.styled_text import Line, Part, quoted
from zoomtui.tui.shared.text_widgets import OneLine

_TITLE = 14
"""Columns of a group's title: those of a field's label."""


class GroupHead(OneLine, can_focus=True):
    """A group's title; Enter, Space or a click unfolds the group and folds it again."""

    DEFAULT_CSS = "GroupHead { text-overflow: ellipsis; }"
    BINDINGS = keys(
        quiet("enter,space", "fold", "unfold"),
        quiet("right", "fold(False)", "unfold"),
        quiet("left", "fold(True)", "fold"),
    )

    @dataclass
    class Folded(Message):
        """The user wants the group folded or not; None: the opposite of what it is."""

        folded: bool | None

    hint: Line = ()

    def action_fold(self, folded: bool | None = None) -> None:
        self.post_message(self.Folded(folded))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_fold()


class FieldGroup(Vertical):
    """A title, and below it rows of fields."""

    DEFAULT_CSS = """
    FieldGroup { height: auto; }
    FieldGroup > .rows { height: auto; }
    FieldGroup.-folded > .rows { display: none; }
    """

    def __init__(self, group: str, title: str, rows: Sequence[FieldRow]) -> None:
        super().__init__(classes="-folded")
        self._head = GroupHead(id=f"group-{group}")
        self._title = title
        self._rows = rows

    @property
    def folded(self) -> bool:
        return self.has_class("-folded")

    def compose(self) -> ComposeResult:
        yield self._head
        yield Vertical(*self._rows, classes="rows")

    def on_mount(self) -> None:
        self.show_head()

    def holds(self, key: str) -> bool:
        """Whether that field is in it."""
        return any(field.field.key == key for row in self._rows for field in row.fields)

    def fold(self, folded: bool) -> None:
        self.set_class(folded, "-folded")
        self.show_head()

    @on(GroupHead.Folded)
    def _fold(self, event: GroupHead.Folded) -> None:
        event.stop()
        self.fold(not self.folded if event.folded is None else event.folded)

    def hide(self) -> None:
        """Hide the group where none of its rows is to be seen."""
        self.display = any(row.seen for row in self._rows)
        self.show_head()

    def show_head(self) -> None:
        """The title; folded, also what was filled in, or else what there is to fill in."""
        head, seen = self._head, [field for row in self._rows for field in row.seen]
        labels = ", ".join(field.field.row.label for field in seen)
        parts: list[Part] = []
        if self.folded:
            for field in seen:
                if text := field.text.strip():
                    parts += [(f"{field.field.row.label} ", "label"), quoted(text), ("  ", "")]
            parts = parts or [(labels, "faint")]
        sign, deed = ("▸", "unfolds") if self.folded else ("▾", "folds")
        head.show(((f"{f'{sign} {self._title}':{_TITLE}} ", "strong"), *parts))
        name: Part = (f" {self._title}: ", "strong")
        head.hint = (name, (f"Enter {deed} it.  ", ""), (labels, "faint"))


class Form(VerticalScroll, can_focus=False):
    """All fields, in rows. Posts ``Edited`` whenever one of them has changed."""

    class Edited(Message):
        """A text has changed."""

    def __init__(
        self,
        fields: Mapping[str, Field],
        titles: Mapping[str, str] | None = None,
        special: Mapping[str, Maker] | None = None,
    ) -> None:
        """``titles``: of the groups that are folded away. ``special``: makers of the fields that
        are no plain line of text, by key."""
        super().__init__(id="form")
        self._titles = titles or {}
        self._fields: dict[str, AnyField] = {
            key: (special or {}).get(key, TextField)(field) for key, field in fields.items()
        }

    @property
    def texts(self) -> dict[str, str]:
        """What stands in each field."""
        return {key: field.text for key, field in self._fields.items()}

    def compose(self) -> ComposeResult:
        for group, fields in groupby(self._fields.values(), lambda each: each.field.place[0]):
            rows = [
                FieldRow(list(row)) for _, row in groupby(fields, lambda each: each.field.place)
            ]
            if title := self._titles.get(group):
                yield FieldGroup(group, title, rows)
            else:
                yield from rows

    def put(self, texts: Mapping[str, str]) -> None:
        """As if they had been typed."""
        for key, text in texts.items():
            self._fields[key].put(text)

    def choose(self, key: str) -> None:
        """Give a field the focus, and bring it into view with what is said about it."""
        self._unfold(key)
        field = self._fields[key]
        field.focus(scroll_visible=False)
        row = next(row for row in self.query(FieldRow) if field in row.fields)
        self.call_after_refresh(row.scroll_visible, animate=False)

    def complain(self, wrong: Sequence[FieldError]) -> None:
        """Say what is wrong at the fields to blame, and nowhere else."""
        for error in wrong:
            self._unfold(error.key)
        for row in self.query(FieldRow):
            row.complain(wrong)
            if row.has_class("-wrong") and self.screen.focused in row.fields:
                self.call_after_refresh(row.scroll_visible, animate=False)

    def refuse(self, wrong: Sequence[FieldError]) -> str:
        """Say what is wrong, and go to the first field to blame; what no field is to blame for."""
        self.complain(wrong)
        if wrong and wrong[0].key:
            self.choose(wrong[0].key)
            return ""
        return str(wrong[0]) if wrong else ""

    def _unfold(self, key: str) -> None:
        for group in self.query(FieldGroup):
            if group.folded and group.holds(key):
                group.fold(False)

    def show_defaults(self, texts: Mapping[str, str]) -> None:
        """What an empty field stands for; one that is not empty keeps what it stood for."""
        for key, text in texts.items():
            field = self._fields[key]
            if isinstance(field, TextField) and not field.text:
                field.placeholder = clean(text)

    def hide(self, keys: Sequence[str]) -> None:
        """Show all fields but these."""
        for row in self.query(FieldRow):
            row.hide(keys)
        for group in self.query(FieldGroup):
            group.hide()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _edited(self, event: Message) -> None:
        event.stop()
        for group in self.query(FieldGroup):
            group.show_head()
        self.post_message(self.Edited())

    @on(Input.Submitted)
    def _go_on(self, event: Message) -> None:
        event.stop()
        self.screen.focus_next()


def hint_line(focused: Widget | None) -> Line:
    """What the widget that has the focus is for."""
    match focused:
        case TextField() | LongField():
            return field_hint(focused.field)
        case GroupHead():
            return focused.hint
    return ()
