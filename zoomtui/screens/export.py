"""The export screen: a form, what it comes to, progress, and where the finished film is.

Checks as you type; the export itself is the verb's, in a process of its own (``exporting``).
It belongs to the screen: leaving the screen while it runs means to cancel it, and is asked first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from zoomtui.exporting import exporter
from zoomtui.exporting import form as exportform
from zoomtui.exporting.exporter import ExportFailed, Outcome
from zoomtui.exporting.lines import Pace, finished_lines, planned_lines, running_lines
from zoomtui.lines import Line, cut
from zoomtui.making.form import FieldError
from zoomtui.renders.gallery import fetch_command
from zoomtui.screens.dialogs import ChoiceDialog
from zoomtui.screens.new import LeaveDialog
from zoomtui.widgets.fields import Form, TextField, hint_line
from zoomtui.widgets.lines import KeyLine, OneLine, content
from zoomtui.words import clean

if TYPE_CHECKING:
    from zoomtui.app import ZoomApp

_PAUSE = 0.3
"""Seconds without a key after which the forecast is made anew."""


class CancelDialog(ChoiceDialog):
    """``cancel``, or None."""

    TITLE = "Cancel the export?"
    ANSWERS: ClassVar[dict[str, str]] = {
        "": "Go on exporting",
        "cancel": "Cancel it: nothing of it is left; the project stays as it is",
    }


class NameField(TextField):
    """A file's name; up and down step through the kinds of file that it can be."""

    def action_step(self, by: int) -> None:
        self.put(exportform.other_ending(self.text, by))


class ExportScreen(Screen[None]):
    """See the module."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "export", "export", key_display="^s", id="export.start"),
        Binding("ctrl+y", "copy_fetch", "copy scp", key_display="^y", id="export.fetch"),
        Binding("ctrl+y", "copy_command", "copy command", key_display="^y", id="export.copy"),
        Binding("ctrl+o", "copy_command", "copy command", key_display="^o", id="export.command"),
        Binding("f1", "app.push_screen('help')", "help", key_display="F1", id="export.help"),
        Binding("escape", "back", "back", key_display="Esc", id="app.back"),
    ]

    def __init__(self, project: Path, here: Path | None = None) -> None:
        """``here``: where files go that are named without a folder; where the process is."""
        super().__init__()
        self._project = project
        self._here = here or Path.cwd()
        self._begun: dict[str, str] = {}
        self._wrong: FieldError | None = None
        self._outcome: Outcome | None = None
        self._waiting: Timer | None = None
        self._pace = Pace()
        self._cancelling = False
        self._made: tuple[Path, Outcome, int | None, str] | None = None
        self.running = False

    @property
    def zoom_app(self) -> ZoomApp:
        return cast("ZoomApp", self.app)

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    @property
    def arguments(self) -> list[str]:
        """What the verb is given."""
        return exportform.arguments(self._project, self.form.texts)

    @property
    def command(self) -> str:
        """The same as a command line."""
        return exportform.command_line(self._project, self.form.texts)

    @property
    def path(self) -> Path:
        """Where the fields say that it goes."""
        return self._here / exportform.value(self.form.texts, "out")

    def compose(self) -> ComposeResult:
        yield OneLine(id="export-head")
        with Container(id="export-body"):
            yield Form("export-form", exportform.FIELDS, exportform.ROWS, {"out": NameField})
            with VerticalScroll(id="export-side", can_focus=False):
                yield Static("", id="export-outcome", markup=False)
        yield OneLine(id="export-hint")
        yield KeyLine()

    def on_mount(self) -> None:
        self.form.put({"out": exportform.free_name(self._here, self._project)})
        self.form.show_defaults(exportform.DEFAULTS)
        self._begun = self.form.texts
        self.form.choose("out")
        self._edited()

    def on_screen_resume(self) -> None:
        self.zoom_app.set_title("zoomtui · export")

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    # -------------------------------------------------------------------------------- checking

    @on(Form.Edited)
    def _edited(self) -> None:
        if self.running or (self._made is not None and self.form.texts == self._begun):
            return
        self._made = self._outcome = None
        self.workers.cancel_group(self, "forecast")
        if self._waiting is not None:
            self._waiting.stop()
        if self._check():
            self._waiting = self.set_timer(_PAUSE, self._forecast)
        self._paint()

    def _check(self) -> bool:
        """Whether nothing is wrong in itself; what is, is said at its field."""
        self._wrong = None
        try:
            exportform.check(self.form.texts)
        except FieldError as error:
            self._wrong = error
        self.form.complain(self._wrong)
        return self._wrong is None

    @work(group="forecast", exclusive=True)
    async def _forecast(self) -> None:
        """Have the engine look whether it can be done, and what it comes to."""
        try:
            self._outcome = await exporter.forecast(self.arguments)
        except ExportFailed as error:
            self._blame(error)
        self._paint()

    def _blame(self, error: ExportFailed) -> None:
        self._wrong = FieldError(exportform.field_of(str(error), self.form.texts), str(error))
        self.form.complain(self._wrong)

    # -------------------------------------------------------------------------------- exporting

    def action_export(self) -> None:
        if self.running:
            return
        if not self._check():
            self._refuse()
            return
        self.workers.cancel_group(self, "forecast")
        if self._waiting is not None:
            self._waiting.stop()
        self.running, self._cancelling = True, False
        self._pace = Pace()
        self._made = None
        self.form.disabled = True
        self._paint()
        self._export(self.arguments, self.command)

    @work(group="export")
    async def _export(self, arguments: list[str], command: str) -> None:
        clock = self.set_interval(self.zoom_app.interval, self._paint_side)
        try:
            outcome = await exporter.export(arguments, self._pace.take)
        except ExportFailed as error:
            self._blame(error)
        else:
            self._begun = self.form.texts
            path = self._here / outcome.out
            self._made = (path, outcome, _size(path), command)
            self.app.bell()
        finally:
            clock.stop()
            self.running = False
            if self.is_attached:
                self._come_back()

    def _come_back(self) -> None:
        """To the form, however the export ended."""
        self.form.disabled = False
        if self._made is None and self._wrong is not None:
            self._refuse()
        else:
            self.form.choose("out")
        if self._cancelling and self._made is None:
            self.zoom_app.say("Cancelled: nothing of the export is left.")
        self._paint()

    def _refuse(self) -> None:
        if self._wrong is not None and self._wrong.key:
            self.form.choose(self._wrong.key)
        elif self._wrong is not None:
            self.zoom_app.say(str(self._wrong), bad=True)

    # ------------------------------------------------------------------------------- painting

    def _paint(self) -> None:
        name = clean(self._project.absolute().name)
        head: Line = ((" Export", "strong"), ("   of ", "label"), (name, "quoted"))
        self.query_one("#export-head", OneLine).show(cut(head, self.size.width))
        self._paint_hint()
        self._paint_side()
        self.query_one(KeyLine).refresh_keys(self)

    def _paint_side(self) -> None:
        width = self.query_one("#export-side").content_size.width
        plain = self.app.has_class("-ascii")
        text = Content("\n").join([content(line, plain=plain) for line in self._lines(width)])
        self.query_one("#export-outcome", Static).update(text)

    def _lines(self, width: int) -> list[Line]:
        if self.running:
            return running_lines(self.path, self._pace, self._cancelling, width)
        if self._made is not None:
            path, outcome, size, command = self._made
            return finished_lines(path, outcome, size, _fetch(path), command, width)
        wrong = "" if self._wrong is None else _SEE if self._wrong.key else str(self._wrong)
        return planned_lines(self.path, self._outcome, wrong, self.command, width)

    def on_descendant_focus(self) -> None:
        self._paint_hint()

    def _paint_hint(self) -> None:
        hint = cut(hint_line(self.focused), self.size.width)
        self.query_one("#export-hint", OneLine).show(hint)

    # --------------------------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "export":
                return not self.running
            case "copy_fetch":
                return self._made is not None
        return super().check_action(action, parameters)

    def action_copy_fetch(self) -> None:
        if self._made is not None:
            self._copy(_fetch(self._made[0]), "the command that fetches it, for your own machine.")

    def action_copy_command(self) -> None:
        self._copy(self.command, "the command line that makes this export.")

    def _copy(self, text: str, what: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError:  # bytes that are no text, in a folder's name
            self.zoom_app.say("A name in it is no text, so it can't be copied.", bad=True)
            return
        self.app.copy_to_clipboard(text)
        self.zoom_app.say(f"Copied: {what}")

    @work(group="dialog", exclusive=True)
    async def action_back(self) -> None:
        """Cancel what runs, or else leave; asks first where something would be lost."""
        if self.running:
            answer = await self.app.push_screen_wait(CancelDialog(f"{self.path} is being made."))
            if answer == "cancel":
                self._cancel()
            return
        if self._made is None and self.form.texts != self._begun:
            answer = await self.app.push_screen_wait(LeaveDialog("Nothing has been exported yet."))
            if answer is None:
                return
        if len(self.app.screen_stack) > 1:
            self.dismiss()
        else:
            self.app.exit()

    def _cancel(self) -> None:
        if not self.running:
            self.zoom_app.say("It had ended before it could be cancelled.")
            return
        self._cancelling = True
        self.workers.cancel_group(self, "export")
        self._paint_side()


_SEE = "one of the fields can't be used; see there"


def _fetch(path: Path) -> str:
    return fetch_command(path.absolute(), path.name or ".", folder=path.is_dir())


def _size(path: Path) -> int | None:
    """Bytes of the file; None: it is no file."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
