"""The New render screen: a form, what it comes to, and the same as a command line.

Checks as you type, with the engine's own words (``making.form``). Nothing is written before Ctrl+S
but a try-out, which is thrown away.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from renderer.errors import RendererError
from zoomtui.lines import Line, cut
from zoomtui.making import form
from zoomtui.making.form import FieldError
from zoomtui.making.starting import begin, free_folder, named, prepare
from zoomtui.screens.dialogs import ChoiceDialog
from zoomtui.widgets.fields import Form, hint_line
from zoomtui.widgets.lines import KeyLine, OneLine, content
from zoomtui.widgets.trial import Trial
from zoomtui.words import clean

if TYPE_CHECKING:
    from renderer.defaults import Plan
    from zoomtui.app import ZoomApp
    from zoomtui.making.forecast import Surroundings, Survey

_PAUSE = 0.2
"""Seconds without a key after which the forecast is made anew."""
_SHOWN = 700
"""Characters of the command line that are shown; all of it is copied."""
_NEEDS_PROMPT = "the diffusion painter needs a prompt: say here what it shall paint"

_LOST = "The form is not empty, and nothing of it has been started."


class LeaveDialog(ChoiceDialog):
    """``leave``, or None."""

    TITLE = "Leave the form?"
    ANSWERS: ClassVar[dict[str, str]] = {
        "": "Stay: go on with the form",
        "leave": "Leave: what was typed is lost",
    }


class NewScreen(Screen[None]):
    """See the module."""

    CSS_PATH = "new.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start", key_display="^s", id="new.start"),
        Binding("ctrl+g", "try_out", "try one keyframe", key_display="^g", id="new.try"),
        Binding("ctrl+y", "copy", "copy", key_display="^y", id="new.copy"),
        Binding("ctrl+o", "film_preset", "film preset", key_display="^o", id="new.preset"),
        Binding("ctrl+r", "draw", "seed", key_display="^r", id="new.seed"),
        Binding("f1", "app.push_screen('help')", "help", key_display="F1", id="new.help"),
        Binding("escape", "back", "back", key_display="Esc", id="app.back"),
    ]

    def __init__(self, here: Path | None = None) -> None:
        """``here``: where the project's folder is made unless another is named."""
        super().__init__()
        self._here = here or Path.cwd()
        self._folder = self._here
        self._begun: dict[str, str] = {}
        self._plan: Plan | None = None
        self._wrong: FieldError | None = None
        self._survey: Survey | None = None
        self._surroundings: Surroundings | None = None
        self._waiting: Timer | None = None
        self._busy = False

    @property
    def zoom_app(self) -> ZoomApp:
        return cast("ZoomApp", self.app)

    @property
    def _notes(self) -> tuple[str, ...]:
        return self._plan.notes if self._plan else ()

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields that count."""
        return form.relevant(self.form.texts)

    @property
    def command(self) -> str:
        """The same as a command line."""
        return form.command_line(self.texts)

    def compose(self) -> ComposeResult:
        yield OneLine(id="new-head")
        with Container(id="new-body"):
            yield Form(id="new-form")
            with Vertical(id="new-side"):
                yield Static("", id="new-forecast", markup=False)
                yield Trial(id="new-trial")
                yield Static("", id="new-command", markup=False)
        yield OneLine(id="new-hint")
        yield KeyLine()

    def on_mount(self) -> None:
        self.action_draw()
        self._begun = self.form.texts
        self.form.choose("prompt")
        self._look_around()
        self._edited()

    def on_screen_resume(self) -> None:
        self.zoom_app.set_title("zoomtui · new render")

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint)

    # -------------------------------------------------------------------------------- checking

    @on(Form.Edited)
    def _edited(self) -> None:
        self._check()
        self._paint()

    def _check(self) -> None:
        """Plan the render, or say at its field what is wrong."""
        texts = self.texts
        self._plan, self._wrong = None, None
        try:
            prompt = texts.get("prompt", "")
            self._folder = form.path(texts, "folder") or free_folder(self._here, prompt)
            self._plan = form.check(texts)
        except FieldError as error:
            self._wrong = error
        except RendererError as error:
            self._wrong = FieldError("folder", str(error))
        missing = self._wrong is not None and self._wrong.key == "prompt"
        self.form.complain(None if missing else self._wrong)  # not before anything was typed
        self.form.hide(form.DIFFUSION if form.painter_of(texts) == "texture" else ())
        if self._plan is not None:
            self.form.show_defaults(form.defaults(self._plan.settings, self._folder))
            if self._waiting is not None:
                self._waiting.stop()
            self._waiting = self.set_timer(_PAUSE, self._forecast)

    def _ready(self) -> Plan | None:
        """The plan; while something is wrong None, and that is shown and its field chosen."""
        self._check()
        if self._wrong is not None:
            self._refuse(self._wrong)
        return self._plan

    def _refuse(self, wrong: FieldError) -> None:
        if wrong.key == "prompt":
            wrong = FieldError("prompt", _NEEDS_PROMPT)
        if wrong.key:
            self.form.complain(wrong)
            self.form.choose(wrong.key)
        else:
            self.zoom_app.say(str(wrong), bad=True)

    @work(thread=True, group="surroundings")
    def _look_around(self) -> None:
        from zoomtui.making.forecast import look_around

        self.app.call_later(self._take_surroundings, look_around())

    def _take_surroundings(self, found: Surroundings) -> None:
        self._surroundings = found
        self._forecast()

    def _forecast(self) -> None:
        if self.is_attached and self._plan is not None and self._surroundings is not None:
            self._reckon(self._folder, self._plan, self._surroundings)

    @work(thread=True, exclusive=True, group="forecast")
    def _reckon(self, folder: Path, plan: Plan, surroundings: Surroundings) -> None:
        from zoomtui.making.forecast import survey

        self.app.call_later(self._take_survey, survey(folder, plan, surroundings))

    def _take_survey(self, found: Survey) -> None:
        if self.is_attached:
            self._survey = found
            self._paint()

    # ------------------------------------------------------------------------------- painting

    def _paint(self) -> None:
        if not self.query("#new-head"):
            return  # a late answer, while the screen is taken down
        preset = form.film_preset(self.texts) or "your own"
        head: Line = ((" New render", "strong"), ("   film preset ", "label"), (preset, ""))
        if self.has_class("-narrow"):
            head = (*head, ("   " + "; ".join(map(clean, self._notes)), "label"))
        self.query_one("#new-head", OneLine).show(cut(head, self.size.width))
        self._paint_hint()
        self._paint_side()
        self.query_one(KeyLine).refresh_keys(self)

    def _paint_side(self) -> None:
        from zoomtui.making.forecast import brief_lines, forecast_lines

        pane = self.query_one("#new-forecast", Static)
        if self._survey is not None:
            width = pane.content_size.width
            if self.has_class("-narrow"):
                lines = brief_lines(self._survey, width)
            else:
                lines = forecast_lines(self._survey, width)
                lines += [((f"! {clean(note)}", "label"),) for note in self._notes]
        else:
            lines = [(("what to paint?" if self._wrong else "reckoning…", "faint"),)]
        plain = self.app.has_class("-ascii")
        pane.update(Content("\n").join([content(line, plain=plain) for line in lines]))
        command = self.command
        shown = "\n".join(clean(line) for line in command[:_SHOWN].split("\n"))
        more = f"… ({len(command)} characters)" if len(command) > _SHOWN else ""
        self.query_one("#new-command", Static).update(shown + more)

    def on_descendant_focus(self) -> None:
        self._paint_hint()

    def _paint_hint(self) -> None:
        hint = cut(hint_line(self.focused), self.size.width)
        self.query_one("#new-hint", OneLine).show(hint)

    # --------------------------------------------------------------------------------- actions

    def action_draw(self) -> None:
        """A seed by chance, in its field: what is tried out is then what is started."""
        self.form.put({"seed": str(secrets.randbelow(2**32))})

    def action_film_preset(self) -> None:
        """The next of the film presets."""
        names = list(form.FILM_PRESETS)
        now = form.film_preset(self.texts)
        place = names.index(now) + 1 if now else 0
        self.form.put(form.FILM_PRESETS[names[place % len(names)]])

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.command)
        self.zoom_app.say("Copied: the command line that makes this render.")

    def action_start(self) -> None:
        if not self._busy and (plan := self._ready()) is not None:
            self._busy = True
            self.query_one(Trial).stop()
            self._start(plan, self.texts)

    @work(group="start")
    async def _start(self, plan: Plan, texts: dict[str, str]) -> None:
        self.zoom_app.say("starting…")
        folder = named(self._folder)
        try:
            paths = (form.path(texts, "image"), form.path(texts, "exemplar"))
            prepared = await asyncio.to_thread(prepare, folder, plan.settings, *paths)
            await asyncio.to_thread(begin, prepared)
        except (RendererError, OSError) as error:
            self._refuse(FieldError(form.field_of(str(error), texts), str(error)))
        else:
            if len(self.app.screen_stack) > 1:
                self.dismiss()
            self.zoom_app.open_monitor(folder)
        finally:
            self._busy = False

    def action_try_out(self) -> None:
        """Begin a try-out, or cancel the one that runs."""
        trial = self.query_one(Trial)
        if trial.running:
            trial.stop()
        elif (plan := self._ready()) is not None:
            paths = (form.path(self.texts, "image"), form.path(self.texts, "exemplar"))
            self.add_class("-tried")
            trial.begin(plan.settings, *paths)

    @on(Trial.Failed)
    def _tried_in_vain(self, event: Trial.Failed) -> None:
        self.remove_class("-tried")
        self.call_after_refresh(self._paint)
        self._refuse(FieldError(form.field_of(event.text, self.texts), event.text))

    @work(group="dialog", exclusive=True)
    async def action_back(self) -> None:
        """Put the try-out away, or else leave; asks first where something would be lost."""
        trial = self.query_one(Trial)
        if trial.shown:
            trial.put_away()
            self.remove_class("-tried")
            self.call_after_refresh(self._paint)
            return
        if self.form.texts != self._begun:
            answer = await self.app.push_screen_wait(LeaveDialog(_LOST))
            if answer is None:
                return
        if len(self.app.screen_stack) > 1:
            self.dismiss()
        else:
            self.app.exit()
