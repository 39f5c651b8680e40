"""The Renders screen: all known projects, what they are doing, and the ways on from here.

Looks at the projects every few seconds, on a thread and only while it is visible; believes nothing
that it remembers (``scan``). Forgetting takes a project off the list and deletes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Input, OptionList, Static

from renderer.errors import RendererError
from renderer.project import registry
from renderer.queue.jobs import Queue, Turn, own_queue
from renderer.service.launch import launch
from renderer.service.metrics import gpu_loads
from zoomtui.tui.renders import describe
from zoomtui.tui.renders.describe import ORDERS
from zoomtui.tui.renders.detail import RenderDetail
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.row_list import Rows
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.tui.shared.typed_text import PlainInput
from zoomtui.viewing.scan import Reader, Render, Scan

LOOK_INTERVAL = 3.0
"""Seconds between two looks at the projects."""


class RendersScreen(HostedScreen):
    """See the module."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (34, "-tall")]  # noqa: RUF012
    BINDINGS = keys(
        bind("enter", "open", "open", "watch it"),
        bind("R", "resume", "resume", "go on with one that was stopped, and watch it"),
        bind("n", "new", "new", "a new render"),
        bind("a", "queue", "queue", "let one wait in the queue, or not any more"),
        quiet("K", "move(-1)", "up", "earlier in the queue", key_display="KJ"),
        quiet("J", "move(1)", "down", "later in the queue", key_display="KJ"),
        quiet("h", "hold", "hold", "keep it back in the queue, or not any more"),
        bind("x", "forget", "forget…", "forget… takes it off this list; no file is deleted"),
        bind("/", "filter", "filter", "filter by words of name, prompt, state"),
        bind("o", "sort", "sort", "another order"),
        bind("left", "walk(-1)", "keyframes", "walk through the keyframes", key_display="←→"),
        bind("right", "walk(1)", "keyframes", "walk through the keyframes", key_display="←→"),
        bind("y", "copy", "copy scp", "copy the command that fetches the film"),
        quiet("escape", "unfilter", "all", "show all again"),
        bind("q", "back", "quit", "back; from the first screen: quit"),
        bind("e", "export", "export…", "export… other size, speed, codec, direction"),
    )

    def __init__(self, here: Path | None = None, reader: Reader | None = None) -> None:
        """``here``: where projects are looked for besides the list; by default where we are.

        ``reader`` is for tests; by default it looks at the real projects.
        """
        super().__init__()
        self._here = here or Path.cwd()
        self._reader = reader or Reader(self._here)
        self._scan = Scan()
        self._order = ORDERS[0]
        self._wanted = ""
        """Words of the filter."""
        self._looked = False
        """The projects have been looked at; else an empty scan says nothing."""
        self._looking = False
        self._rows: dict[str, Render] = {}

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
            yield RenderDetail(id="renders-detail")
        yield KeyLine()

    # -------------------------------------------------------------------------------- looking

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self.set_interval(LOOK_INTERVAL, self._look)
        self._look()

    def on_screen_resume(self) -> None:
        self.host.set_title("zoomtui")
        self._look()

    @work(group="look")
    async def _look(self) -> None:
        """Look again, unless hidden or the last look still lasts (a sleeping network disk)."""
        if self.app.screen is not self or self._looking:
            return
        self._looking = True
        self._scan = await asyncio.to_thread(self._read)
        self._looking = False
        self._looked = True
        self.paint()

    def _read(self) -> Scan:
        return replace(self._reader.read(), gpus=gpu_loads())

    # ------------------------------------------------------------------------------- painting

    def paint(self) -> None:
        if not standing(self):
            return
        now = self.host.clock()
        scan, order, wanted = self._scan, self._order, self._wanted
        shown = describe.arranged(scan.renders, order, wanted)
        self._rows = {str(render.folder): render for render in shown}
        head = describe.header_line(scan, len(shown), order, wanted, self.size.width)
        empty = describe.empty_text(scan, self._looked)
        rows = self.query_one(Rows)
        columns = self.query_one("#renders-left").content_size.width - 1
        with self.app.batch_update():
            self.query_one("#renders-head", OneLine).show(head)
            self.query_one("#renders-heading", OneLine).show(describe.heading_line(columns))
            rows.show({key: describe.row_line(r, columns, now) for key, r in self._rows.items()})
            self.query_one("#renders-empty", Static).update(empty)
            self.set_class(not self._rows, "-empty")
            self._paint_chosen()

    @on(OptionList.OptionHighlighted)
    def _paint_chosen(self) -> None:
        if not standing(self):
            return
        self.query_one(RenderDetail).show(self.chosen, self.host.clock())
        self.query_one(KeyLine).refresh_keys(self)

    # -------------------------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return super().check_action(action, parameters)
        match action:
            case "open" | "resume" | "export" | "forget" | "copy" | "queue" | "move" | "hold":
                return describe.possible(action, self.chosen)
            case "walk" if isinstance(by := parameters[0], int):
                return self.query_one(RenderDetail).can_walk(by)
        return super().check_action(action, parameters)

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        if (render := self.chosen) is not None:
            if render.state.readable:
                self.host.open_monitor(render.folder)
            else:
                self.host.say(render.why, bad=True)

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        if (render := self.chosen) is None:
            return
        self.host.say(f"{render.name} goes on…")
        try:
            await asyncio.to_thread(launch, render.folder)
        except (RendererError, OSError) as error:
            self.host.say(str(error), bad=True)
        else:
            self.host.open_monitor(render.folder)

    def action_new(self) -> None:
        from zoomtui.tui.new_render.screen import NewScreen  # not needed for the first paint

        self.app.push_screen(NewScreen(self._here))

    def action_export(self) -> None:
        if (render := self.chosen) is not None:
            from zoomtui.tui.export.screen import ExportScreen

            self.app.push_screen(ExportScreen(render.folder, self._here))

    def action_queue(self) -> None:
        self._change_queue(
            lambda queue, render: (
                queue.remove(render.folder) if render.turn else queue.add([render.folder])
            )
        )

    def action_move(self, by: int) -> None:
        self._change_queue(lambda queue, render: queue.move(render.folder, by))

    def action_hold(self) -> None:
        def change(queue: Queue, render: Render) -> None:
            job = queue.find(render.folder)
            held = job.turn is Turn.HELD
            queue.update(job, turn=Turn.WAITING if held else Turn.HELD, why="", killed=0)

        self._change_queue(change)

    def _change_queue(self, change: Callable[[Queue, Render], object]) -> None:
        """Do that to the user's queue, for the chosen render, and look again."""
        if (render := self.chosen) is None:
            return

        async def do() -> None:
            await asyncio.to_thread(lambda: change(own_queue(), render))
            self._look()

        self.attempt(do)

    def action_forget(self) -> None:
        if (render := self.chosen) is None:
            return

        async def unlist() -> None:
            await asyncio.to_thread(registry.unlist, render.folder)
            self._look()

        answers = {
            "": "Keep it on the list",
            "forget": "Take it off the list; no file is deleted",
        }
        text = (
            f"{render.folder}\n\nOnly the entry in the list goes. The project and its film stay "
            f"where they are, and opening or resuming it puts it back."
        )
        dialog = ChoiceDialog("Forget this render?", text, answers)
        self.ask_user(dialog, lambda _: self.attempt(unlist))

    def action_sort(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self.paint()

    @on(events.Click, "#renders-heading")
    def _sort_by_column(self, event: events.Click) -> None:
        heading = self.query_one("#renders-heading", OneLine)
        order = describe.order_at(event.x, heading.content_size.width - 1)
        if order is not None:
            self._order = order
            self.paint()

    def action_walk(self, by: int) -> None:
        self.query_one(RenderDetail).cursor(by)
        self.query_one(KeyLine).refresh_keys(self)

    def action_copy(self) -> None:
        if (render := self.chosen) is not None:
            command = describe.copy_command(render)
            self.copy(command, command)

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
        self.paint()

    @on(Input.Submitted, "#renders-filter")
    def _end_filter(self) -> None:
        self.remove_class("-filtering")
        self.query_one(Rows).focus()
