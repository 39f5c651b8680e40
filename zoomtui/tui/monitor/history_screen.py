"""How the whole render went: line charts of what its journal tells, walked through by key.

Reads the journal itself, so that it shows finished and killed projects as it does running ones. Its
cursor is the monitor's: what is chosen here is looked at there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from renderer.errors import RendererError
from renderer.formatting import clean
from renderer.project.series import Series, SeriesReader
from zoomtui.tui.monitor.full_picture import ViewScreen
from zoomtui.tui.monitor.history_lines import Layout, groups, history_lines
from zoomtui.tui.shared.host import HostedScreen, standing
from zoomtui.tui.shared.keyframe_cursor import KeyframeCursor
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.styled_text import Line, Part, cut
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.braille import LABELS, Axis, Drawn, draw
from zoomtui.viewing.watcher import Watch

_INTERVAL = 2.0
"""Seconds between two looks at the journal; all charts change with a new keyframe."""
_MOST_ROWS = 120
_LEAST = 10
"""Keyframes that are shown at the closest."""


class HistoryScreen(HostedScreen):
    """See the module."""

    CSS = "HistoryScreen #rows { height: 1fr; overflow: hidden; }"
    BINDINGS = keys(
        bind("left", "walk(-1)", "older", "walk through the render"),
        bind("right", "walk(1)", "newer", "walk through the render"),
        quiet("pageup", "walk(-10)", "ten back", "the same in tens"),
        quiet("pagedown", "walk(10)", "ten on", "the same in tens"),
        quiet("home", "first", "first keyframe", "the first keyframe"),
        quiet("end", "follow", "newest", "the newest keyframe, and follow it", key_display="End"),
        bind("plus,equals_sign", "zoom(2)", "closer", "closer, around the cursor", key_display="+"),
        bind("minus", "zoom(-2)", "wider", "wider, to the whole render", key_display="-"),
        bind("tab", "turn", "more charts", "the charts that there is no room for"),
        bind("enter", "open", "keyframe", "this keyframe on the full screen"),
        bind("escape,q,h", "dismiss", "back", "back"),
    )

    def __init__(self, watch: Watch, cursor: KeyframeCursor) -> None:
        super().__init__()
        self._watch, self._cursor = watch, cursor
        self._reader = SeriesReader(watch.view.folder)
        self._series: Series | None = None
        self._why = ""
        self._looking = False
        self._page = 0
        self._start, self._shown = 0, 0
        """Which keyframes are shown: from where on, and how many; 0: all."""
        self._drawn: dict[str, Drawn] = {}
        """Curves as they were drawn last; to walk draws none anew."""
        self._drawn_for: object = None

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        with Vertical(id="rows"):
            yield from (OneLine() for _ in range(_MOST_ROWS))
        yield KeyLine()

    def on_mount(self) -> None:
        self._rows = [*self.query_one("#rows").query(OneLine)]
        self.set_interval(_INTERVAL, self._look)
        self._look()

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.paint)

    @work(group="look")
    async def _look(self) -> None:
        if self._looking or self.app.screen is not self:
            return
        self._looking = True
        before = self._series, self._why
        try:
            self._series = await asyncio.to_thread(self._reader.look)
            self._why = ""
        except RendererError as error:
            self._why = str(error)
        finally:
            self._looking = False
        if before != (self._series, self._why):
            self.paint()

    # --- what is shown ------------------------------------------------------------------------

    @property
    def _count(self) -> int:
        return self._series.keyframes if self._series else 0

    @property
    def _layout(self) -> Layout:
        size = self.query_one("#rows").size
        return Layout.of(size.width, size.height, len(self._series.columns) if self._series else 1)

    @property
    def _axis(self) -> Axis:
        """The keyframe under the cursor is on it."""
        count, at = self._count, self._cursor.shown(self._count)
        shown = min(self._shown or count, count)
        start = min(max(self._start, at - shown + 1), at, count - shown)
        plain = self.host.terminal.pictures == "ascii"
        columns = max(1, self._layout.width - LABELS - 1)
        return Axis(max(0, start), max(0, start) + shown, columns, plain)

    def paint(self) -> None:
        if not standing(self):
            return
        series, layout, axis = self._series, self._layout, self._axis
        lines: Sequence[Line] = ()
        if series and series.columns:
            pages = groups([*series.columns], layout.charts)
            curves = self._draw(series, pages[self._page % len(pages)], axis, layout.rows)
            lines = history_lines(series, curves, layout, axis, self._cursor.shown(self._count))
        with self.app.batch_update():
            self.query_one("#headline", OneLine).show(self._headline(axis))
            for number, row in enumerate(self._rows):
                row.show(lines[number] if number < len(lines) else ())
            self.query_one(KeyLine).refresh_keys(self)

    def _draw(
        self, series: Series, names: Sequence[str], axis: Axis, rows: int
    ) -> dict[str, Drawn]:
        wanted = series.at, axis, rows
        if wanted != self._drawn_for:
            self._drawn_for, self._drawn = wanted, {}
        for name in names:
            if name not in self._drawn:
                self._drawn[name] = draw(series, name, axis, rows)
        return {name: self._drawn[name] for name in names}

    def _headline(self, axis: Axis) -> Line:
        name: Part = (f" {clean(self._watch.view.folder.name)}", "strong")
        if self._why:
            return cut((name, ("  ", ""), (clean(self._why), "bad")), self.size.width)
        if self._series is None:
            return cut((name, ("  reading the journal…", "faint")), self.size.width)
        if not self._series.keyframes:
            return cut((name, ("  no keyframe is painted yet", "")), self.size.width)
        shown = f"  keyframes {axis.start + 1:,} to {axis.end:,}"
        of = "" if axis.count == self._count else f" of {self._count:,}"
        newest = "  follows the newest" if self._cursor.following else ""
        return cut((name, (shown + of, ""), (newest, "faint")), self.size.width)

    # --- keys ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "walk":
                return self._cursor.can_step(cast("int", parameters[0]), self._count)
            case "first" | "open":
                return self._count > 0
            case "follow":
                return not self._cursor.following
            case "zoom":
                closer = cast("int", parameters[0]) > 0
                return (self._shown or self._count) > _LEAST if closer else self._shown > 0
            case "turn":
                return self._series is not None and len(self._series.columns) > self._layout.charts
        return super().check_action(action, parameters)

    def action_walk(self, by: int) -> None:
        """So many columns."""
        axis = self._axis
        self._cursor.step(by * max(1, axis.count // axis.columns), self._count)
        self._start = self._axis.start
        self.paint()

    def action_first(self) -> None:
        self._cursor.choose(0, self._count)
        self._start = 0
        self.paint()

    def action_follow(self) -> None:
        self._cursor.follow()
        self.paint()

    def action_zoom(self, by: int) -> None:
        axis, at = self._axis, self._cursor.shown(self._count)
        shown = max(_LEAST, axis.count // by) if by > 0 else axis.count * -by
        self._start = at - (at - axis.start) * shown // max(1, axis.count)
        self._shown = shown if shown < self._count else 0
        self.paint()

    def action_turn(self) -> None:
        self._page += 1
        self.paint()

    def action_open(self) -> None:
        self.app.push_screen(ViewScreen(self._watch, self._cursor))
