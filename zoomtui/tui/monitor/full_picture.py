"""One keyframe on the full screen: the newest, or whichever the arrow keys walk to."""

from __future__ import annotations

from textual.app import ComposeResult

from zoomtui.tui.monitor.keyframe_screen import KeyframeScreen
from zoomtui.tui.monitor.panels import strip_line
from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import KeyLine, OneLine
from zoomtui.viewing.view import View


class ViewScreen(KeyframeScreen):
    """As large as the terminal allows, with one line above and two below."""

    CSS = "ViewScreen #strip { dock: bottom; margin-bottom: 1; }"
    BINDINGS = keys(bind("escape,q,v", "dismiss", "back", "back"))

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        yield Picture(id="picture")
        yield OneLine(id="strip")
        yield KeyLine()

    def on_click(self) -> None:
        self.dismiss()

    def show_view(self, view: View, now: float) -> None:
        width, count = self.size.width, view.state.keyframes
        strip = strip_line(count, self.cursor.shown(count), self.cursor.following, width)
        self.query_one("#strip", OneLine).show(strip)
