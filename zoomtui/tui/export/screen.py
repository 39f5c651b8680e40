"""The export screen: a form, what it comes to, progress, and where the finished film is.

Checks as you type; the export itself is the verb's, in a process of its own (``child``).
It belongs to the screen: leaving the screen while it runs cancels it, and asks first.
"""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from renderer.formatting import clean
from zoomtui.tui.export import child
from zoomtui.tui.export import form as exportform
from zoomtui.tui.export.child import ExportFailed, Outcome
from zoomtui.tui.export.describe import Pace, finished_lines, planned_lines, running_lines
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.fetch import fetch_command
from zoomtui.tui.shared.field_widgets import TextField
from zoomtui.tui.shared.form_fields import all_wrong
from zoomtui.tui.shared.form_screen import LAST_KEYS, FormScreen
from zoomtui.tui.shared.form_widget import Form
from zoomtui.tui.shared.host import standing
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import content


class NameField(TextField):
    """A file's name; up and down step through the kinds of file that it can be."""

    lists = False

    def action_step(self, by: int) -> None:
        self.put(exportform.other_ending(self.text, by))


class ExportScreen(FormScreen):
    WINDOW = "zoomtui · export"
    BINDINGS = keys(
        bind("ctrl+s", "export", "export", "make it"),
        bind("ctrl+y", "copy_fetch", "copy scp", "copy the command that fetches it"),
        bind("ctrl+y", "copy_command", "copy command", "copy as a command line"),
        bind("ctrl+o", "copy_command", "copy command", "copy as a command line, when it is made"),
        *LAST_KEYS,
    )

    def __init__(self, project: Path, here: Path | None = None) -> None:
        """``here``: for files named without a folder; by default the working directory."""
        super().__init__()
        self._project = project
        self._here = here or _working_directory()
        self._outcome: Outcome | None = None
        self._pace = Pace()
        self._cancelling = False
        self._made: tuple[Path, Outcome, int | None, str] | None = None
        self.running = False

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
        return self._here / exportform.FIELDS.filled(self.form.texts).get("out", "")

    def make_form(self) -> Form:
        return Form(exportform.FIELDS, special={"out": NameField})

    def make_side(self) -> Widget:
        outcome = Static("", id="export-outcome", markup=False)
        return VerticalScroll(outcome, id="form-side", can_focus=False)

    def on_mount(self) -> None:
        self.form.put({"out": exportform.free_name(self._here, self._project)})
        self.form.show_defaults(exportform.DEFAULTS)
        self.begin("out")
        self._edited()

    # -------------------------------------------------------------------------------- checking

    @on(Form.Edited)
    def _edited(self) -> None:
        if self.running or (self._made is not None and self.form.texts == self.begun):
            return
        self._made = self._outcome = None
        self._clear_forecast()
        if self._check():
            self.after_typing(self._forecast)
        self.paint()

    def _clear_forecast(self) -> None:
        self.workers.cancel_group(self, "forecast")
        self.let_be()

    def _check(self) -> bool:
        """Whether nothing is wrong whatever the film is; an error is shown at its field."""
        self.wrong = all_wrong(exportform.check, self.form.texts)
        self.form.complain(self.wrong)
        return not self.wrong

    @work(group="forecast", exclusive=True)
    async def _forecast(self) -> None:
        """Have the engine look whether it can be done, and what it comes to."""
        try:
            self._outcome = await child.forecast(self.arguments)
        except ExportFailed as error:
            self._blame(error)
        self.paint()

    def _blame(self, error: ExportFailed) -> None:
        self.wrong = (exportform.FIELDS.complaint(error),)
        if standing(self):
            self.form.complain(self.wrong)

    # -------------------------------------------------------------------------------- exporting

    def action_export(self) -> None:
        if self.running:
            return
        if not self._check():
            self.refuse()
            return
        self._clear_forecast()
        self.running, self._cancelling = True, False
        self._pace = Pace()
        self._made = None
        self.form.disabled = True
        self.paint()
        self._export(self.arguments, self.command)

    @work(group="export")
    async def _export(self, arguments: list[str], command: str) -> None:
        clock = self.set_interval(self.host.interval, self.paint_side)
        try:
            outcome = await child.export(arguments, self._pace.take)
        except ExportFailed as error:
            self._blame(error)
        else:
            path = self._here / outcome.out
            self._made = (path, outcome, _size(path), command)
            self.app.bell()
        finally:
            clock.stop()
            self.running = False
            if standing(self):
                self._come_back()

    def _come_back(self) -> None:
        """To the form, however the export ended."""
        self.form.disabled = False
        if self._made is not None:
            self.begun = self.form.texts
        if self._made is None and self.wrong:
            self.refuse()
        else:
            self.form.choose("out")
        if self._cancelling and self._made is None:
            self.host.say("Cancelled: nothing of the export is left.")
        self.paint()

    # ------------------------------------------------------------------------------- painting

    def headline(self) -> Line:
        name = clean(self._project.absolute().name)
        return (" Export", "strong"), ("   of ", "label"), (name, "quoted")

    def paint_side(self) -> None:
        width = self.query_one("#form-side").content_size.width
        self.query_one("#export-outcome", Static).update(content(self.app, *self._lines(width)))

    def _lines(self, width: int) -> list[Line]:
        if self.running:
            return running_lines(self.path, self._pace, self._cancelling, width)
        if self._made is not None:
            path, outcome, size, command = self._made
            return finished_lines(path, outcome, size, fetch_command(path), command, width)
        return planned_lines(self.path, self._outcome, self.what_first, self.command, width)

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
            fetch = fetch_command(self._made[0])
            self.copy(fetch, "the command that fetches it, for your own machine.")

    def action_copy_command(self) -> None:
        self.copy(self.command, "the command line that makes this export.")

    def action_back(self) -> None:
        """Cancel what runs, or else leave; asks first where something would be lost."""
        if self.running:
            answers = {
                "": "Go on exporting",
                "cancel": "Cancel it: nothing of it is left; the project stays as it is",
            }
            text = f"{self.path} is being made."
            self.ask_user(ChoiceDialog("Cancel the export?", text, answers), self._cancel)
        else:
            self.leave("Nothing has been exported yet.")

    def _cancel(self, _: str) -> None:
        if not self.running:
            self.host.say("It had ended before it could be cancelled.")
            return
        self._cancelling = True
        self.workers.cancel_group(self, "export")
        self.paint_side()


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed; the verb says so where a name counts from there
        return Path("/")


def _size(path: Path) -> int | None:
    """Bytes of the file; None: it is no file."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
