"""The New render screen: a form, what it comes to, and the same as a command line.

Checks as you type, with the engine's own words (``form``). Nothing is written before Ctrl+S
but a try-out, which is thrown away.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from textual import on, work
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from renderer.errors import RendererError
from renderer.formatting import clean
from renderer.planning.prepare import begin, free_folder, named
from zoomtui.tui.new_render import forecast, form
from zoomtui.tui.new_render.forecast import Surroundings, Survey
from zoomtui.tui.new_render.form import Draft
from zoomtui.tui.new_render.tryout import TryOut
from zoomtui.tui.new_render.tryout_view import TryoutView
from zoomtui.tui.shared.field_widgets import LongField
from zoomtui.tui.shared.form_fields import FieldError, Texts, all_wrong
from zoomtui.tui.shared.form_screen import LAST_KEYS, FormScreen
from zoomtui.tui.shared.form_widget import Form
from zoomtui.tui.shared.host import standing
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import content

_SHOWN = 700
"""Characters of the command line that are shown; all of it is copied."""
_NEEDED = {
    "prompt": "the diffusion painter needs a prompt: say here what it should paint",
    "painter": "no GPU here: choose a model (cosmos: skies, in seconds; sd2: anything, in minutes) "
    "or the texture painter, which grows from a first picture",
}
_LOST = "The form is not empty, and nothing of it has been started."


class NewScreen(FormScreen):
    WINDOW = "zoomtui · new render"
    BINDINGS = keys(
        bind("ctrl+s", "start", "start", "start"),
        bind("ctrl+g", "try_out", "try one keyframe", "paint one keyframe first"),
        bind("ctrl+y", "copy", "copy", "copy as a command line"),
        bind("ctrl+o", "film_preset", "film preset", "film preset: several fields at once"),
        bind("ctrl+r", "draw", "seed", "another seed"),
        *LAST_KEYS,
    )

    def __init__(self, here: Path | None = None) -> None:
        """``here``: where the project's folder is made unless another is named."""
        super().__init__()
        self._here = here or Path.cwd()
        self._folder = self._here
        self._draft: Draft | None = None
        self._survey: Survey | None = None
        self._surroundings: Surroundings | None = None
        self._busy = False

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields that count."""
        return form.relevant(self.form.texts)

    @property
    def command(self) -> str:
        """The same as a command line."""
        return form.command_line(self.texts)

    @property
    def _notes(self) -> tuple[str, ...]:
        return self._draft.notes if self._draft else ()

    @property
    def _missing(self) -> list[str]:
        """Empty fields that there is no default for."""
        empty = [key for key in _NEEDED if not self.texts.get(key)]
        return [error.key for error in self.wrong if error.key in empty]

    def make_form(self) -> Form:
        return Form(form.FIELDS, form.TITLES, {"prompt": LongField})

    def make_side(self) -> Widget:
        return Vertical(
            Static("", id="new-forecast", markup=False),
            TryoutView(id="new-trial"),
            Static("", id="new-command", markup=False),
            id="form-side",
        )

    def on_mount(self) -> None:
        self.action_draw()
        self.begin("prompt")
        self._look_around()
        self._edited()

    # -------------------------------------------------------------------------------- checking

    @on(Form.Edited)
    def _edited(self) -> None:
        self._check()
        self.paint()

    def _check(self) -> None:
        """See what the fields come to, or show what is wrong at the field to blame."""
        texts = self.texts
        self.wrong = all_wrong(self._draw_up, texts)
        if self.wrong:
            self._draft = None
        # What is missing is said when it is needed, and not while the user is on the way there.
        self.form.complain([error for error in self.wrong if error.key not in self._missing])
        self.form.hide(form.unused_by(form.painter_of(texts)))
        if self._draft is not None:
            self.form.show_defaults(form.defaults(self._draft.settings, self._folder))
            self.after_typing(self._forecast)

    def _draw_up(self, texts: Texts) -> None:
        """Take what the fields come to, and the folder. Raises FieldError."""
        draft = form.check(texts)
        try:
            out = form.path(texts, "out")
            prompt = draft.settings.prompt
            self._folder = self._here / out if out else free_folder(self._here, prompt)
        except RendererError as error:
            raise FieldError("out", str(error)) from None
        self._draft = draft

    def _ready(self) -> Draft | None:
        """What the fields come to; None while something is wrong, which is then shown."""
        self._check()
        self._refuse(*self.wrong)
        return self._draft

    def _refuse(self, *wrong: FieldError) -> None:
        missing = self._missing
        self.wrong = tuple(
            FieldError(error.key, _NEEDED[error.key]) if error.key in missing else error
            for error in wrong
        )
        self.refuse()

    @work(group="surroundings")
    async def _look_around(self) -> None:
        self._surroundings = await asyncio.to_thread(forecast.look_around)
        self._forecast()

    @work(exclusive=True, group="forecast")
    async def _forecast(self) -> None:
        if self._draft is not None and self._surroundings is not None:
            wanted = self._folder, self._draft.settings, self._surroundings
            self._survey = await asyncio.to_thread(forecast.survey, *wanted)
            self.paint()

    # ------------------------------------------------------------------------------- painting

    def headline(self) -> Line:
        preset = form.film_preset(self.texts) or "your own"
        head: Line = ((" New render", "strong"), ("   film preset ", "label"), (preset, ""))
        if self.has_class("-narrow"):
            return (*head, ("   " + "; ".join(map(clean, self._notes)), "label"))
        return head

    def paint_side(self) -> None:
        pane = self.query_one("#new-forecast", Static)
        pane.update(content(self.app, *self._forecast_lines(pane.content_size.width)))
        command = self.command
        shown = "\n".join(clean(line) for line in command[:_SHOWN].split("\n"))
        more = f"… ({len(command)} characters)" if len(command) > _SHOWN else ""
        self.query_one("#new-command", Static).update(shown + more)

    def _forecast_lines(self, width: int) -> list[Line]:
        if self._missing:
            asked = {"prompt": "what to paint?", "painter": "no GPU here: which model or painter?"}
            return [((asked[self._missing[0]], "faint"),)]
        if self.wrong:
            return [((self.what_first, "bad"),)]
        if self._survey is None:
            return [(("estimating…", "faint"),)]
        if self.has_class("-narrow"):
            return forecast.brief_lines(self._survey, width)
        notes: list[Line] = [((f"! {clean(note)}", "label"),) for note in self._notes]
        return forecast.forecast_lines(self._survey, width) + notes

    # --------------------------------------------------------------------------------- actions

    def action_draw(self) -> None:
        """Put a random seed in its field: what is tried out is then what is started."""
        self.form.put({"seed": str(secrets.randbelow(2**32))})

    def action_film_preset(self) -> None:
        """The next of the film presets."""
        names = list(form.FILM_PRESETS)
        now = form.film_preset(self.texts)
        place = names.index(now) + 1 if now else 0
        self.form.put(form.FILM_PRESETS[names[place % len(names)]])

    def action_copy(self) -> None:
        self.copy(self.command, "the command line that makes this render.")

    def action_start(self) -> None:
        if not self._busy and (draft := self._ready()) is not None:
            self._busy = True
            self.query_one(TryoutView).stop()
            self._start(draft, self.texts)

    @work(group="start")
    async def _start(self, draft: Draft, texts: dict[str, str]) -> None:
        self.host.say("starting…")
        folder = named(self._folder)
        try:
            prepared = await asyncio.to_thread(draft.prepare, folder)
            await asyncio.to_thread(begin, prepared)
        except (RendererError, OSError) as error:
            if standing(self):
                self._refuse(form.complaint(error, texts))
        else:
            if len(self.app.screen_stack) > 1:
                self.dismiss()
            self.host.open_monitor(folder)
        finally:
            self._busy = False

    def action_try_out(self) -> None:
        """Begin a try-out, or cancel the one that runs."""
        trial = self.query_one(TryoutView)
        if trial.running:
            trial.stop()
        elif (draft := self._ready()) is not None:
            self.add_class("-tried")
            trial.begin(TryOut(draft.prepare))

    @on(TryoutView.Failed)
    def _tried_in_vain(self, event: TryoutView.Failed) -> None:
        self.remove_class("-tried")
        self.call_after_refresh(self.paint)
        self._refuse(form.complaint(event.error, self.texts))

    def action_back(self) -> None:
        """Put the try-out away, or else leave; asks first where something would be lost."""
        trial = self.query_one(TryoutView)
        if trial.shown:
            trial.put_away()
            self.remove_class("-tried")
            self.call_after_refresh(self.paint)
        else:
            self.leave(_LOST)
