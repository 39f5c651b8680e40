"""The Renders and New render screens in an app that writes down which monitors it would open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from tests.cli.engines import soon
from tests.tui.scans import SCAN
from tests.tui.scripted import NOW, TERMINAL
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui import app as app_module
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.new_render.screen import NewScreen
from zoomtui.tui.renders.screen import RendersScreen
from zoomtui.viewing.scan import Reader, Scan

SIZES = [(80, 24), (120, 36), (200, 60)]
_HERE = Path(app_module.__file__).parent


class ListsApp(ZoomApp):
    """See the module."""

    CSS_PATH = [_HERE / path for path in app_module._STYLES]  # noqa: RUF012

    def __init__(self, first: Callable[[], Screen[Any]], terminal: Terminal = TERMINAL) -> None:
        super().__init__(terminal, first, clock=lambda: NOW, deaf=0)
        self.opened: list[Path] = []
        self.copied: list[str] = []

    def open_monitor(self, folder: Path) -> None:
        self.opened.append(folder)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)
        super().copy_to_clipboard(text)

    @property
    def said(self) -> str:
        """Everything that went by as a notice."""
        return "\n".join(notice.message for notice in self._notifications)


class Scanned(Reader):
    """Finds the same renders each time."""

    def __init__(self, scan: Scan = SCAN) -> None:
        super().__init__(Path("/films"))
        self.scan = scan
        self.looks = 0

    def read(self) -> Scan:
        self.looks += 1
        return self.scan


def on_renders(here: Path, scan: Scan | None = None, terminal: Terminal = TERMINAL) -> ListsApp:
    """The list of what there is, or of what ``scan`` says."""
    reader = None if scan is None else Scanned(scan)
    return ListsApp(lambda: RendersScreen(here, reader), terminal)


def on_new(here: Path, terminal: Terminal = TERMINAL) -> ListsApp:
    return ListsApp(lambda: NewScreen(here), terminal)


def renders(pilot: Pilot[str]) -> RendersScreen:
    screen = pilot.app.screen
    assert isinstance(screen, RendersScreen)
    return screen


def new(pilot: Pilot[str]) -> NewScreen:
    screen = pilot.app.screen
    assert isinstance(screen, NewScreen)
    return screen


async def looked(pilot: Pilot[str]) -> None:
    """Until the projects have been looked at."""
    await soon(lambda: renders(pilot)._looked, "the projects are looked at")
    await pilot.pause()
