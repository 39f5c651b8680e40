"""A list of lines with one of them chosen; repaints only the rows whose text has changed."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import content


class Rows(OptionList):
    """Rows are told apart by a key, so that the chosen one stays chosen when others come and go."""

    DEFAULT_CSS = """
    Rows { border: none; padding: 0; background: transparent; scrollbar-size-vertical: 1; }
    Rows:focus { border: none; }
    Rows > .option-list--option { padding: 0; }
    """
    BINDINGS = keys(
        bind("enter", "select", "open"),
        quiet("left", "screen.walk(-1)", "older"),
        quiet("right", "screen.walk(1)", "newer"),
        quiet("j", "cursor_down", ""),
        quiet("k", "cursor_up", ""),
    )

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, markup=False, compact=True)
        self._shown: dict[str, Line] = {}

    @property
    def chosen(self) -> str | None:
        """The key of the chosen row."""
        if self.highlighted is None or not self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) and (
            action != "select" or self.chosen is not None
        )

    def show(self, lines: dict[str, Line]) -> None:
        """The rows by key, from the top; every line one row of the width of ``content_size``."""
        if list(lines) == list(self._shown):
            for key, line in lines.items():
                if line != self._shown[key]:
                    self.replace_option_prompt(key, content(self.app, line))
            self._shown = dict(lines)
            return
        chosen, place = self.chosen, self.highlighted or 0
        self._shown = dict(lines)
        with self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options(Option(content(self.app, line), id=key) for key, line in lines.items())
        if chosen in lines:  # the choice goes with its row, else it stays at its place
            place = list(lines).index(chosen)
        self.highlighted = min(place, len(lines) - 1) if lines else None

    def on_click(self, event: events.Click) -> None:
        """A click chooses, a second one opens; Textual's own opens at once."""
        event.prevent_default()
        clicked: int | None = event.style.meta.get("option")
        if clicked is not None:
            self.highlighted = clicked
            if event.chain > 1:
                self.action_select()
