"""The live monitor: one render, watched and steered.

Paints what ``watcher`` knows, in the words of ``panels``; asks the engine
through the same watch. Closing it, in whatever way, changes nothing for the render.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from renderer.engine.occasions import Disk, Occasions
from renderer.engine.state import Failure
from renderer.errors import EngineCrashed
from zoomtui.tui.monitor import panels
from zoomtui.tui.monitor.directing import Directing
from zoomtui.tui.monitor.easel import Easel, Looking
from zoomtui.tui.monitor.filmstrip import Filmstrip
from zoomtui.tui.monitor.full_picture import ViewScreen
from zoomtui.tui.monitor.headline import farewell, notice_line, title
from zoomtui.tui.monitor.log_screen import LogScreen
from zoomtui.tui.monitor.steer_dialog import Changes
from zoomtui.tui.shared.dialogs import ChoiceDialog
from zoomtui.tui.shared.keyframe_cursor import KeyframeCursor
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.styled_text import Line
from zoomtui.tui.shared.text_widgets import FewLines, KeyLine, OneLine, Panel
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.watcher import Watch
from zoomtui.viewing.words import name, why_it_ended

if TYPE_CHECKING:
    from zoomtui.tui.monitor.page import ServedPage

_LOG_ROWS = 14
_WIDTHS = [(0, "-slim"), (60, "-narrow"), (100, "-wide"), (160, "-huge")]
_HEIGHTS = [(0, "-tiny"), (16, "-short"), (34, "-tall"), (50, "-lofty")]


class MonitorScreen(Directing):
    """See the module. ``watch`` is for tests; by default the project at ``folder`` is watched."""

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS = keys(
        bind("space", "ask('pause')", "pause", "pause and go on"),
        bind("space", "ask('unpause')", "go on", "pause and go on"),
        bind("r", "resume", "resume", "resume what was stopped or has crashed; nothing is lost"),
        bind(
            "p", "prompt", "prompt", "another prompt or settings, from the next keyframe not begun"
        ),
        bind("u", "undo", "undo", "take it back, until it is begun"),
        bind("s", "stop", "stop…", "stop… after the segment in hand, or now; asks first"),
        bind("d", "detach", "detach", "detach: the render goes on, even after you log out"),
        bind("v", "view", "view", "the picture on the full screen"),
        bind("l", "log", "log", "the whole log"),
        bind("e", "export", "export…", "export… other size, speed, codec; also while it renders"),
        bind("f", "play", "film", "play the film's newest seconds"),
        quiet("c", "compare", "compare", "two keyframes side by side"),
        bind("h", "history", "history", "how the whole render went: charts of its figures"),
        quiet("w", "page", "page", "a page for browsers; its link is shown, and w ends it"),
        bind("q,escape", "back", "back", "back; on the first screen q detaches"),
        quiet("q", "detach", "detach"),
    )

    def __init__(self, folder: Path, watch: Watch | None = None) -> None:
        super().__init__(watch or Watch(folder.absolute()), KeyframeCursor())
        self._ran = False
        self._page: ServedPage | None = None
        self._occasions = Occasions()

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        yield FewLines(id="notice")
        with Horizontal(id="body"):
            yield Easel()
            with Vertical(id="panels"):
                yield Panel("Progress", 5, id="progress")
                yield Panel("GPU", 4, extra=(1, 3), id="gpu")
                yield Panel("Host", 4, extra=(2,), id="host")
                yield Panel("Pipeline", 3, extra=(1,), id="pipeline")
                yield Panel("Project", 6, id="project")
        yield Panel("Prompt", 2, id="prompt")
        yield Panel("Log", _LOG_ROWS, id="log")
        yield KeyLine()

    def on_mount(self) -> None:
        # Textual calls KeyframeScreen's too: called from here it would run twice, with two clocks.
        self._panels = {each.id: each for each in self.query(Panel)}
        self._easel = self.query_one(Easel)
        self._notice = self.query_one("#notice", FewLines)
        self.run_worker(self.watched.run(), name="watch", group="watch")
        self.set_interval(1.0, self._tell)  # also where nothing is painted

    def measures(self) -> object:
        sizes = [frame.content_size for frame in (self._easel, *self._panels.values())]
        return self.size, sizes, self._easel.has_strip

    def show_view(self, view: View, now: float) -> None:
        self._tell()
        self._notice_change(view)
        notice, page = notice_line(view, now), self._page.line if self._page else ()
        between: Line = (("\n", ""),) if notice and page else ()
        self._notice.show((*page, *between, *notice))
        self.set_class(bool(self._notice.line), "-noticed")
        self.set_class(self._picture.pictures == "off", "-blind")
        keyframe, following = self.cursor.shown(view.state.keyframes), self.cursor.following
        self._easel.paint(Looking(view, keyframe, following, self._pictured, self._preview))
        for panel_id, lines in _PANELS.items():
            panel = self._panels[panel_id]
            panel.show(lines(view, panel.room))
        self._panels["gpu"].show_title(panels.gpu_name(view))
        log = self._panels["log"]
        log.show(panels.log_lines(view.state.log, log.content_size.height, log.room))
        self.host.set_title(title(view))

    def _notice_change(self, view: View) -> None:
        """Show the takes of a keyframe that waits for a decision; offer to resume a lost render."""
        held = view.state.held if view.running else None
        if held is None:
            self.watched.reviewed = None
        elif held != self.watched.reviewed and self.app.screen is self:
            self.action_takes(0)
        ended = view.situation in (Situation.OVER, Situation.LOST)
        if self._ran and view.situation is Situation.LOST:
            self.action_resume()
        self._ran = view.running or (self._ran and not ended)

    def _tell(self) -> None:
        """Messages about what has happened to the render since the last look."""
        view = self.watched.view
        state = view.state
        if view.situation is Situation.LOST:
            state = replace(state, failure=Failure("its engine is gone", EngineCrashed.exit_code))
        elif view.situation not in (Situation.RUNNING, Situation.OVER):
            return
        free = (state.meters or {}).get("disk_free")
        disk = Disk(free, view.keyframe_size) if isinstance(free, float | int) else None
        for occasion in self._occasions.look(state, monotonic(), disk):
            self.host.tell(name(view), occasion.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "back":  # from the first screen `q` detaches; Esc closes only what is open
            return self.app.screen_stack[0] is not self
        deed = str(parameters[0]) if action == "ask" else action
        if deed in _POSSIBLE:
            return _POSSIBLE[deed](self.watched.view)
        return super().check_action(action, parameters)

    def action_ask(self, command: str, said: str = "", **details: Any) -> None:
        """Have the engine do it, and say so once it is done."""
        self.attempt(lambda: self.watched.ask(command, **details), said)

    def action_undo(self) -> None:
        self.action_ask("undo", "The queued change is taken back.")

    def action_prompt(self) -> None:
        def steer(changes: Changes) -> None:
            if changes:
                self.action_ask("steer", changes=changes)

        self.ask_changes(panels.next_to_begin(self.watched.view.state), steer)

    def action_stop(self) -> None:
        text = "The film stays playable, and `r` or `zoomtui resume` goes on where it ended."
        answers = {
            "after": "Stop after the segment in hand",
            "now": "Stop now: what is in hand is rendered again when it goes on",
            "": "Cancel: go on rendering",
        }
        dialog = ChoiceDialog("Stop the render?", text, answers)
        self.ask_user(dialog, lambda answer: self.action_ask("stop", now=answer == "now"))

    def action_resume(self) -> None:
        view = self.watched.view
        text = (
            f"{name(view)} has {view.state.keyframes} keyframes and "
            f"{view.state.frames:,} frames on disk; all of them are safe."
        )
        if reason := why_it_ended(view):
            text = f"{reason}\n\n{text}"
        answers = {"resume": "Go on", "": "Not now (r asks again)"}
        dialog = ChoiceDialog("Go on rendering?", text, answers)
        self.ask_user(dialog, lambda _: self.attempt(self.watched.resume))

    def action_view(self) -> None:
        self.app.push_screen(ViewScreen(self.watched, self.cursor))

    def action_play(self) -> None:
        from zoomtui.tui.monitor.play_screen import PlayScreen  # not needed for the first paint
        from zoomtui.tui.monitor.player import Player

        view = self.watched.view
        self.app.push_screen(PlayScreen(Player(view.folder), name(view), self.cursor.pictures))

    def action_page(self) -> None:
        """Serve the page, or no longer."""
        if self._page is None:
            self.attempt(self._open_page)
        else:
            self._close_page()
            self.host.say("The page has ended.")

    async def _open_page(self) -> None:
        from zoomtui.tui.monitor.page import ServedPage  # not needed for the first paint

        self._page = await asyncio.to_thread(ServedPage, self.watched.view.folder)
        self.copy(self._page.link, "the page's link")

    def _close_page(self) -> None:
        if self._page is not None:
            self._page.close()
            self._page = None

    def on_unmount(self) -> None:
        self._close_page()

    def action_compare(self) -> None:
        from zoomtui.tui.monitor.compare_screen import CompareScreen

        keyframe = self.cursor.shown(self.watched.view.state.keyframes)
        self.app.push_screen(CompareScreen(self.watched, keyframe, self.cursor.pictures))

    def action_history(self) -> None:
        from zoomtui.tui.monitor.history_screen import HistoryScreen  # not for the first paint

        self.app.push_screen(HistoryScreen(self.watched, self.cursor))

    def action_log(self) -> None:
        self.app.push_screen(LogScreen(lambda: self.watched.view))

    def action_export(self) -> None:
        from zoomtui.tui.export.screen import ExportScreen  # not needed for the first paint

        self.app.push_screen(ExportScreen(self.watched.view.folder))

    def on_filmstrip_clicked(self, event: Filmstrip.Clicked) -> None:
        self.cursor.choose(event.keyframe, self.watched.view.state.keyframes)
        self._tick()

    async def on_click(self, event: events.Click) -> None:
        """The picture opens on the full screen, the log and the prompt in full."""
        clicked = event.widget.ancestors_with_self if event.widget else ()
        for deed in filter(None, (_CLICKED.get(node.id or "") for node in clicked)):
            await self.run_action(deed)

    def action_detach(self) -> None:
        """Leave the whole interface; the render stays."""
        self.host.exit(farewell(self.watched.view))


_POSSIBLE: dict[str, Callable[[View], bool]] = {
    "pause": lambda view: view.steerable and not view.paused,
    "unpause": lambda view: view.paused,
    "prompt": lambda view: view.steerable,
    "undo": lambda view: view.steerable and bool(view.state.next_changes),
    "stop": lambda view: view.running,
    "resume": lambda view: view.resumable,
    "view": lambda view: view.state.keyframes > 0,
    "play": lambda view: view.state.frames > 0,
    "export": lambda view: view.state.keyframes > 1,
    "compare": lambda view: view.state.keyframes > 1,
}
"""When an action is one, or a command that it asks for."""
_CLICKED = {"picture": "view", "log": "log", "prompt": "prompt"}
"""What a click on a widget does, by its id."""
_PANELS: dict[str, Callable[[View, int], list[Line]]] = {
    "progress": panels.progress_lines,
    "gpu": panels.gpu_lines,
    "host": panels.host_lines,
    "pipeline": panels.pipeline_lines,
    "project": panels.project_lines,
    "prompt": panels.prompt_lines,
}
