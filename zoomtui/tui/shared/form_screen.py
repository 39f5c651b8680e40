"""What the screens with a form share: the form, what it comes to beside it, and leaving it.

Checks as the user types: what is wrong is said at its field; what takes longer to find out waits
until the typing has stopped. What the fields mean is for the screens themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.form_fields import FieldError
from zoomtui.tui.shared.form_widget import Form, hint_line
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keys import bind
from zoomtui.tui.shared.styled_text import Line, cut
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine

PAUSE = 0.25
"""Seconds without a key before the checks that take longer begin."""

LAST_KEYS: tuple[BindingType, ...] = (
    bind("f1", "app.push_screen('help')", "help", "this page"),
    bind("escape", "back", "back", "back; asks first where something typed would be lost",
         key_display="Esc"),
)  # fmt: skip
"""The last keys of every form: typing takes the keys that do the same elsewhere."""


class FormScreen(HostedScreen):
    """See the module. A subclass says what its form and its side are, and what is to be seen
    there (``headline``, ``paint_side``)."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (34, "-tall")]  # noqa: RUF012
    WINDOW = ""
    """The terminal window's title."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[str, str] = {}
        """What stood in the form when there was nothing to lose yet."""
        self.wrong: tuple[FieldError, ...] = ()
        self._waiting: Timer | None = None

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    def make_form(self) -> Form:
        raise NotImplementedError

    def make_side(self) -> Widget:
        """What stands beside the form; its id is ``form-side``."""
        raise NotImplementedError

    def headline(self) -> Line:
        raise NotImplementedError

    def paint_side(self) -> None:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield OneLine(id="form-head")
        yield Container(self.make_form(), self.make_side(), id="form-body")
        yield OneLine(id="form-hint")
        yield KeyLine()

    def begin(self, key: str) -> None:
        """Take the form, as it stands, for unchanged; go to the field ``key``."""
        self.begun = self.form.texts
        self.form.choose(key)

    def on_screen_resume(self) -> None:
        self.host.set_title(self.WINDOW)

    def after_typing(self, deed: Callable[[], object]) -> None:
        """Do it once nothing was typed for a moment, and not before."""
        self.let_be()
        self._waiting = self.set_timer(PAUSE, deed)

    def let_be(self) -> None:
        """Drop what waits for the end of typing."""
        if self._waiting is not None:
            self._waiting.stop()

    def refuse(self) -> None:
        """Where something is wrong, go to the first field to blame, or say what it is."""
        if said := self.form.refuse(self.wrong):
            self.host.say(said, bad=True)

    @property
    def what_first(self) -> str:
        """What has to be done before there is anything to say beside the form; empty: nothing."""
        match self.wrong:
            case ():
                return ""
            case (error,):
                return "Fix the marked field first." if error.key else str(error)
        return "Fix the marked fields first."

    def paint(self) -> None:
        """Everything but the fields."""
        if not standing(self):
            return
        self.query_one("#form-head", OneLine).show(cut(self.headline(), self.size.width))
        self._paint_hint()
        self.paint_side()
        self.query_one(KeyLine).refresh_keys(self)

    @on(events.DescendantFocus)
    def _paint_hint(self) -> None:
        hint = cut(hint_line(self.focused), self.size.width)
        self.query_one("#form-hint", OneLine).show(hint)

    def leave(self, loss: str) -> None:
        """Back to the screen before; asks first if something was typed. ``loss`` says what is at
        stake."""
        back = super().action_back
        if self.form.texts == self.begun:
            back()
        else:
            answers = {"": "Go on with the form", "leave": "Discard what was typed"}
            dialog = ChoiceDialog("Discard this form?", loss, answers)
            self.ask_user(dialog, lambda _: back())
