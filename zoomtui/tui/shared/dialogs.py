"""The dialogs: each asks one thing; Enter gives the answer and Esc takes the question back.

Nothing destructive is ever one key away. Knows no engine: a dialog's answer is its result.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from renderer.formatting import clean
from zoomtui.tui.shared.host import ClosesOnce
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.text_widgets import signs_for


class Dialog(ModalScreen[str | None], ClosesOnce[str | None]):
    """Its answer is its result; None: the user took the question back."""


class ChoiceDialog(Dialog):
    """One of a few answers; the first is the default, None stands for Esc."""

    BINDINGS = keys(bind("escape,q", "dismiss(None)", "cancel"))

    def __init__(self, title: str, text: str, answers: Mapping[str, str], *, at: int = 0) -> None:
        """``text``: what the answers are about; lines, shown harmlessly. ``answers``: the result of
        each, and the text shown for it; ``""`` stands for the result None. ``at``: which one is
        marked first."""
        super().__init__()
        self.title = title
        self._text = text
        self._answers = answers
        self._at = at

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("\n".join(map(clean, self._text.split("\n"))), markup=False)
            yield OptionList(
                *(
                    Option(f"  {shown}", answer or "none")
                    for answer, shown in self._answers.items()
                ),
                markup=False,
                compact=True,
            )
            hint = signs_for(self.app, "↑ ↓ choose   Enter does it   Esc cancels")
            yield Static(hint, markup=False, classes="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = self.title
        answers = self.query_one(OptionList)
        answers.highlighted = self._at
        answers.focus()

    @on(OptionList.OptionHighlighted)
    def _mark(self, event: OptionList.OptionHighlighted) -> None:
        """The chosen one is marked by a sign, too, for terminals without colours."""
        for index, shown in enumerate(self._answers.values()):
            mark = ">" if index == event.option_index else " "
            event.option_list.replace_option_prompt_at_index(index, f"{mark} {shown}")

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(None if event.option_id == "none" else event.option_id)
