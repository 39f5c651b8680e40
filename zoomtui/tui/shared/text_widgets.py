"""Widgets for lines that change often: repainted only where their text has changed.

Cheap by construction: one row each, never scrolled, never of another size, no border of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from zoomtui.tui.shared.styled_text import Line, Part, Role, cut, length

STYLES: dict[Role, str] = {
    "": "",
    "label": "dim",
    "strong": "bold",
    "good": "bold $success",
    "warn": "bold $warning",
    "bad": "bold $error",
    "faint": "dim",
    "bar": "$primary",
    "quoted": "",
}
"""What roles look like. Colour only ever repeats what a word or symbol says."""

ASCII = str.maketrans(
    {
        "●": "*", "○": "o", "‖": "=", "✔": "+", "✗": "x", "■": "#", "━": "#", "─": "-",
        "▁": "_", "▂": "_", "▃": ".", "▄": ".", "▅": ":", "▆": ":", "▇": "|", "█": "|",
        "∞": "inf", "×": "x", "·": "|", "…": "~", "°": " ", "‹": "<", "›": ">", "→": ">",
        "←": "<", "↑": "^", "↓": "v", "▸": ">", "▾": "v", "≈": "~", "└": "`", "♦": "*",
    }
)  # fmt: skip
"""The interface's own symbols for terminals without them; text from outside stays as it is."""


def signs_for(app: App[Any], text: str) -> str:
    """The interface's own words as ``app``'s terminal can show them."""
    return text.translate(ASCII) if app.has_class("-ascii") else text


def content(app: App[Any], *lines: Line) -> Content:
    """The lines, below each other, as ``app``'s terminal can show them."""

    def styled(part: Part) -> tuple[str, str]:
        text, role = part
        return text if role == "quoted" else signs_for(app, text), STYLES[role]

    return Content("\n").join([Content.assemble(*map(styled, line)) for line in lines])


class OneLine(Static):
    """One row. ``show`` costs nothing when the line is the same as before."""

    DEFAULT_CSS = "OneLine { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: clip; }"
    wraps: ClassVar[bool] = False
    """Whether another line may need more rows, or fewer."""

    def __init__(self, **options: Any) -> None:
        super().__init__("", markup=False, **options)
        self.line: Line = ()

    def show(self, line: Line) -> None:
        if line != self.line:
            self.line = line
            self.update(content(self.app, line), layout=self.wraps)


class FewLines(OneLine):
    """One line that may take up to three rows where it is too narrow for it."""

    DEFAULT_CSS = "FewLines { height: auto; max-height: 3; text-wrap: wrap; text-overflow: fold; }"
    wraps = True


class Panel(Vertical):
    """A fixed number of lines in a box, or under a rule where room is short."""

    def __init__(self, title: str, rows: int, extra: Sequence[int] = (), **options: Any) -> None:
        """``extra``: rows that are left out where room is short."""
        super().__init__(**options)
        self._title = title
        self._rows = [OneLine(classes="extra" if n in extra else "") for n in range(rows)]

    def compose(self) -> ComposeResult:
        yield from self._rows

    def on_mount(self) -> None:
        self.border_title = Content(signs_for(self.app, self._title))

    @property
    def room(self) -> int:
        """Columns for a line."""
        return self.content_size.width

    def show_title(self, title: str) -> None:
        """Text as it is, never markup. A new title has all that is inside painted anew."""
        if title != self._title:
            self._title = title
            self.border_title = Content(signs_for(self.app, title))

    def show(self, lines: Sequence[Line]) -> None:
        """Row by row; rows without a line become empty."""
        for number, row in enumerate(self._rows):
            row.show(lines[number] if number < len(lines) else ())


class KeyLine(OneLine):
    """The keys that do something now, as many as fit; the way out and help always."""

    DEFAULT_CSS = "KeyLine { dock: bottom; }"

    def refresh_keys(self, screen: Screen[Any]) -> None:
        """Look at what ``screen`` would do with a key now."""
        keys: dict[str, str] = {}
        for active in screen.active_bindings.values():
            if active.enabled and active.binding.show:
                key = self.app.get_key_display(active.binding)
                keys.setdefault(active.binding.description, key)  # the first of its keys
        hints = [(key, description) for description, key in keys.items()]
        self.show(key_line(hints, self.content_size.width))


ALWAYS = ("detach", "help", "commands")


def key_line(hints: Sequence[tuple[str, str]], width: int) -> Line:
    """``Space pause  p prompt …``; earlier hints stay longer, those of ``ALWAYS`` to the last."""
    kept = [hint for hint in hints if hint[1] not in ALWAYS]
    tail = [hint for hint in hints if hint[1] in ALWAYS]
    while kept and length(_key_parts([*kept, *tail]), 0) > width:
        kept.pop()
    return cut(_key_parts([*kept, *tail]), width)


def _key_parts(hints: Sequence[tuple[str, str]]) -> list[Part]:
    parts: list[Part] = []
    for key, description in hints:
        parts += [(f" {key}", "strong"), (f" {description} ", "label")]
    return parts
