"""Text that is typed or pasted: kept exactly, shown without what a terminal would obey."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.widgets import Input, TextArea

from renderer.formatting import clean


def signs(text: str) -> str:
    """``text`` with a harmless character in the place of each one that is not, one for one."""
    return text if clean(text) == text else "".join(map(_sign, text))


def _sign(character: str) -> str:
    if clean(character) == character:
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 32 else "\ufffd"  # U+2400 …: the pictures of controls


class PlainInput(Input):
    """One line."""

    @property
    def _value(self) -> Text:
        shown = super()._value
        shown.plain = signs(shown.plain)
        return shown


class PlainArea(TextArea):
    """Many lines, that Tab leaves."""

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(
            text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", **options
        )

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        line.plain = signs(line.plain)
        return line
