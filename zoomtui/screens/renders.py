"""The Renders screen: all known projects, what they are doing, and the ways on from here.

Looks at the projects every few seconds, on a thread and only while it is visible; believes nothing
that it remembers (``renders.shelf``). Forgetting takes a project off the list and deletes nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from renderer.engine import places
from renderer.engine.layout import keyframe_path
from renderer.errors import RendererError
from zoomtui.launch import launch
from zoomtui.monitoring.panels import strip_line
from zoomtui.renders import gallery
from zoomtui.renders.shelf import Details, Reader, Render, Shelf, details
from zoomtui.screens.dialogs import ChoiceDialog
from zoomtui.screens.keyframes import Walk
from zoomtui.widgets.lines import KeyLine, OneLine, content
from zoomtui.widgets.picture import Picture
from zoomtui.widgets.rows import Rows
from zoomtui.widgets.texts import PlainInput

if TYPE_CHECKING:
    from zoomtui.app import ZoomApp

LOOK_INTERVAL = 3.0
"""Seconds between two looks at the projects."""


class ForgetDialog(ChoiceDialog):
    """``forget``, or None."""

    TITLE = "Forget this render?"
    ANSWERS: ClassVar[dict[str, str]] = {
        "": "Keep it on the list",
        "forget": "Take it off the list; no file is deleted",
    }


class RendersScreen(Screen[None]):
    """See the module."""

    CSS_PATH = "renders.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="renders.open"),
        Binding("R", "resume", "resume", key_display="R", id="renders.resume"),
        Binding("n", "new", "new", id="renders.new"),
        Binding("x", "forget", "forget…", id="renders.forget"),
        Binding("slash", "filter", "filter", key_display="/", id="renders.filter"),
        Binding("o", "sort", "sort", id="renders.sort"),
        Binding("left", "walk(-1)", "keyframes", key_display="←→", id="walk.older"),
        Binding("right", "walk(1)", "keyframes", key_display="←→", id="walk.newer"),
        Binding("y", "copy", "copy scp", id="renders.copy"),
        Binding("escape", "unfilter", "all", show=False, id="renders.unfilter"),
        Binding("q", "back", "quit", id="app.back"),
        Binding("e", "export", "export…", id="project.export"),
    ]

    def __init__(self, here: Path | None = None, reader: Reader | None = None) -> None:
        """``here``: where projects are looked for besides the list; by default where we are.

        ``reader`` is for tests; by default it looks at the real projects.
        """
        super().__init__()
        self.shelf = Shelf()
        self._here = here or Path.cwd()
        self._reader = reader or Reader(self._here)
        self._looked = self._looking = False
        self._order: gallery.Order = gallery.ORDERS[0]
        self._wanted = ""
        self._rows: dict[str, Render] = {}
        self._chosen: str | None = None
        self._walk = Walk()
        self._details: Details | None = None
        self._detailed: tuple[str | None, float] = (None, 0.0)
        self._pictured: tuple[Path, int] | None = None

    @property
    def zoom_app(self) -> ZoomApp:
        return cast("ZoomApp", self.app)

    @property
    def chosen(self) -> Render | None:
        """The render that the keys are about."""
        key = self.query_one(Rows).chosen
        return self._rows.get(key) if key else None

    def compose(self) -> ComposeResult:
        yield OneLine(id="renders-head")
        yield PlainInput(
            id="renders-filter", placeholder="words of name, prompt, state", compact=True
        )
        with Container(id="renders-body"):
            with Vertical(id="renders-left"):
                yield OneLine(id="renders-heading")
                yield Rows(id="renders-rows")
                yield Static("", id="renders-empty", markup=False)
            with Container(id="renders-detail"):
                with Vertical(id="renders-easel"):
                    yield Picture(id="renders-picture")
                    yield OneLine(id="renders-strip")
                yield Static("", id="renders-facts", markup=False)
        yield KeyLine()

    # -------------------------------------------------------------------------------- looking

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self.set_interval(LOOK_INTERVAL, self._look)
        self._look()

    def on_screen_resume(self) -> None:
        self.zoom_app.set_title("zoomtui")
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._paint)

    def _look(self) -> None:
        """Unless nobody sees it, or the last look still lasts (a sleeping network disk)."""
        if self.app.screen is self and not self._looking:
            self._looking = True
            self._read()

    @work(thread=True, group="look")
    def _read(self) -> None:
        shelf = self._reader.read()
        self.app.call_later(self._take, shelf)

    def _take(self, shelf: Shelf) -> None:
        self._looking, self._looked = False, True
        self.shelf = shelf
        if self.is_attached:
            self._paint()

    # ------------------------------------------------------------------------------- painting

    def _paint(self) -> None:
        if not self.query(Rows):
            return  # a late answer, while the screen is taken down
        width, now = self.size.width, self.zoom_app.clock()
        shown = gallery.arranged(self.shelf.renders, self._order, self._wanted)
        self._rows = {str(render.folder): render for render in shown}
        head = gallery.header_line(self.shelf, len(shown), self._order, self._wanted, width)
        rows = self.query_one(Rows)
        columns = self.query_one("#renders-left").content_size.width - 1
        with self.app.batch_update():
            self.query_one("#renders-head", OneLine).show(head)
            self.query_one("#renders-heading", OneLine).show(gallery.heading_line(columns))
            rows.show({key: gallery.row_line(r, columns, now) for key, r in self._rows.items()})
            empty = gallery.empty_text(self.shelf, self._looked)
            self.query_one("#renders-empty", Static).update(empty)
            self.set_class(not self._rows, "-empty")
            self._paint_detail()

    def _paint_detail(self) -> None:
        render = self.chosen
        key = str(render.folder) if render else None
        if key != self._chosen:
            self._chosen, self._details = key, None
            self._walk.follow()
        facts = self.query_one("#renders-facts", Static)
        if render is None:
            facts.update("")
            self._show_picture(None)
        else:
            room, now = facts.content_size.width, self.zoom_app.clock()
            lines = gallery.detail_lines(render, self._details, room, now)
            plain = self.app.has_class("-ascii")
            text = Content("\n").join([content(line, plain=plain) for line in lines])
            facts.update(text, layout=False)
            self._show_picture(render)
            if self._detailed != (key, render.changed):
                self._detailed = (key, render.changed)
                self._read_details(render)
        self.query_one(KeyLine).refresh_keys(self)

    def _show_picture(self, render: Render | None) -> None:
        count = render.status.keyframes if render and render.status else 0
        shown = self._walk.shown(count)
        strip = self.query_one("#renders-strip", OneLine)
        strip.show(strip_line(count, shown, self._walk.following, strip.content_size.width))
        wanted = (render.folder, shown) if render and shown >= 0 else None
        if wanted == self._pictured:
            return
        self._pictured = wanted
        picture = self.query_one(Picture)
        if wanted is None:
            picture.clear()
        else:
            picture.show_file(keyframe_path(*wanted))

    @work(thread=True, exclusive=True, group="details")
    def _read_details(self, render: Render) -> None:
        found = details(render.folder) if render.status else None
        self.app.call_later(self._take_details, render, found)

    def _take_details(self, render: Render, found: Details | None) -> None:
        if self.is_attached and str(render.folder) == self._chosen and found != self._details:
            self._details = found
            self._paint_detail()

    @on(OptionList.OptionHighlighted)
    def _choose(self) -> None:
        self._paint_detail()

    # -------------------------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("open", "resume", "export", "forget", "copy", "walk") and self.is_mounted:
            return self._possible(action, parameters)
        return super().check_action(action, parameters)

    def _possible(self, action: str, parameters: tuple[object, ...]) -> bool:
        render = self.chosen
        count = render.status.keyframes if render and render.status else 0
        match action:
            case "open" | "copy":
                return render is not None and render.mark.readable
            case "resume":
                return render is not None and render.resumable
            case "export":
                return count > 1
            case "forget":
                return render is not None and render.listed and not render.mark.live
        back = parameters[0] == -1
        return self._walk.shown(count) > 0 if back else not self._walk.following

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        if (render := self.chosen) is not None:
            if render.mark.readable:
                self.zoom_app.open_monitor(render.folder)
            else:
                self.zoom_app.say(render.why, bad=True)

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        if (render := self.chosen) is None:
            return
        self.zoom_app.say(f"{render.name} goes on…")
        try:
            await asyncio.to_thread(launch, render.folder)
        except (RendererError, OSError) as error:
            self.zoom_app.say(str(error), bad=True)
        else:
            self.zoom_app.open_monitor(render.folder)

    def action_new(self) -> None:
        from zoomtui.screens.new import NewScreen  # not needed for the first paint

        self.app.push_screen(NewScreen(self._here))

    def action_export(self) -> None:
        if (render := self.chosen) is not None:
            from zoomtui.screens.export import ExportScreen

            self.app.push_screen(ExportScreen(render.folder))

    @work(group="dialog", exclusive=True)
    async def action_forget(self) -> None:
        if (render := self.chosen) is None:
            return
        text = (
            f"{render.folder}\n\nOnly the entry in the list goes. The project and its film stay "
            f"where they are, and opening or resuming it puts it back."
        )
        if await self.app.push_screen_wait(ForgetDialog(text)) == "forget":
            try:
                await asyncio.to_thread(places.forget, render.folder)
            except (RendererError, OSError) as error:
                self.zoom_app.say(str(error), bad=True)
            self._look()

    def action_sort(self) -> None:
        place = gallery.ORDERS.index(self._order)
        self._order = gallery.ORDERS[(place + 1) % len(gallery.ORDERS)]
        self._paint()

    def action_walk(self, by: int) -> None:
        if (render := self.chosen) is not None and render.status is not None:
            self._walk.step(by, render.status.keyframes)
            self._paint_detail()

    def action_copy(self) -> None:
        if (render := self.chosen) is not None:
            command = gallery.copy_command(render)
            self.app.copy_to_clipboard(command)
            self.zoom_app.say(f"Copied: {command}")

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.dismiss()
        else:
            self.app.exit()

    # ---------------------------------------------------------------------------------- filter

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#renders-filter", Input).focus()

    def action_unfilter(self) -> None:
        """Show all again; Esc never leaves from here."""
        self.query_one("#renders-filter", Input).value = ""
        self._end_filter()

    @on(Input.Changed, "#renders-filter")
    def _filter(self, event: Input.Changed) -> None:
        self._wanted = event.value
        self._paint()

    @on(Input.Submitted, "#renders-filter")
    def _end_filter(self) -> None:
        self.remove_class("-filtering")
        self.query_one(Rows).focus()
