"""The Textual app: owns the screens and the way out, never a render.

Textual reads its settings from the environment while it is imported, so the importer of this module
first puts there what `zoomtui.terminal.capabilities.prepare_environment` returns. Loads nothing
that renders.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path, PurePath
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

from renderer.formatting import clean
from zoomtui.stdio import write_line
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.driver import TerminalDriver
from zoomtui.terminal.notices import notice
from zoomtui.terminal.pictures.budget import Link
from zoomtui.tui.monitor.screen import MonitorScreen
from zoomtui.tui.shared.help import HelpScreen
from zoomtui.tui.shared.key_order import KeyOrder, Pressed
from zoomtui.tui.shared.keys import bind, keys, quiet
from zoomtui.tui.shared.text_widgets import signs_for

LOCAL_RATE, REMOTE_RATE = 4.0, 2.0
"""Paintings a second."""
DEAF, DEAF_WHEN_MUTE = 0.3, 2.0
"""Seconds at the start in which keys count for nothing: they may be a terminal's late replies."""
_STYLES: list[str | PurePath] = [
    "app.tcss",
    "monitor/screen.tcss",
    "shared/dialogs.tcss",
    "shared/help.tcss",
    "renders/screen.tcss",
    "shared/form_screen.tcss",
    "new_render/screen.tcss",
    "export/screen.tcss",
]
_COMMAND = 26
"""Columns of a command's name."""
_KEY_NAMES = {"enter": "Enter", "tab": "Tab", "f1": "F1"}
"""Where Textual's own say less, or show a sign that not every font has."""
_SCREEN = 2
"""The file descriptor that Textual draws on."""
_UNTRUE_SIZES = ("COLUMNS", "LINES")
"""Rich and Textual believe these more than the terminal; some shells export them and don't keep
them true. At 120 columns the interface would be painted for 80, however large the window gets."""
LEAVE_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)

Begin = Callable[[], Screen[Any]]
"""Makes the first screen."""

DARK = Theme(
    name="zoom-dark",
    primary="#6ea8e0",
    secondary="#8f9bb3",
    accent="#e6b15c",
    success="#7cc4e8",
    warning="#e6b15c",
    error="#ef7d73",
    foreground="#d5dae3",
    background="#0f1218",
    surface="#181d27",
    panel="#222936",
    variables={"border": "#3a4456"},
)
LIGHT = Theme(
    name="zoom-light",
    primary="#1f6fb5",
    secondary="#5c6880",
    accent="#a15c00",
    success="#0b6c9c",
    warning="#a15c00",
    error="#b3261e",
    foreground="#1c222d",
    background="#f7f8fa",
    surface="#e9ecf1",
    panel="#dde2ea",
    dark=False,
    variables={"border": "#aab3c2"},
)


class _WholeCells(ScrollBarRender):
    """A scrollbar without the signs for parts of a cell, which are not ASCII."""

    VERTICAL_BARS: ClassVar = [" "]
    HORIZONTAL_BARS: ClassVar = [" "]


class ZoomApp(App[str]):
    """Its result is what to say once the terminal is back: lines, or nothing."""

    CSS_PATH = _STYLES
    TITLE = "zoomtui"
    ENABLE_COMMAND_PALETTE = True
    SCREENS: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {"help": HelpScreen}
    BINDINGS = keys(
        bind("?", "push_screen('help')", "help", "this page"),
        bind(":,ctrl+p", "command_palette", "commands", "all commands, by name", key_display=":"),
        quiet("ctrl+l", "repaint", "repaint", "paint the screen anew"),
        quiet("ctrl+q", "leave", "", "close the interface, as detaching does", priority=True),
    )

    def __init__(
        self,
        terminal: Terminal,
        begin: Begin,
        *,
        clock: Callable[[], float] = time.time,
        deaf: float | None = None,
    ) -> None:
        """``clock`` gives Unix time; ``deaf``: seconds without keys at the start."""
        for name in _UNTRUE_SIZES:
            os.environ.pop(name, None)
        plain = True if "NO_COLOR" in os.environ else None  # else Textual greys the colours
        self.terminal = terminal
        super().__init__(driver_class=TerminalDriver, ansi_color=plain)
        self.clock = clock
        self.interval = 1 / (REMOTE_RATE if terminal.remote else LOCAL_RATE)
        self._begin = begin
        self._window_title = ""
        self._focused = False
        """It has said so; a terminal that never says is told of everything."""
        self._keys = KeyOrder(self, self._press)
        self._opening: Awaitable[object] | None = None
        wait = DEAF_WHEN_MUTE if terminal.mute else DEAF
        self._deaf_until = time.monotonic() + (wait if deaf is None else deaf)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = _theme(terminal)
        signs_only = terminal.pictures == "ascii"
        self.set_class(signs_only, "-ascii")
        ScrollBar.renderer = _WholeCells if signs_only else ScrollBarRender

    def get_key_display(self, binding: Binding) -> str:
        named = binding.key_display or _KEY_NAMES.get(binding.key)
        return named or super().get_key_display(binding)

    def get_css_variables(self) -> dict[str, str]:
        """And the kinds of lines: around a box, above one, within one."""
        plain = self.terminal.pictures == "ascii"
        edge, rule, inner = ("ascii", "ascii", "none") if plain else ("round", "solid", "solid")
        return {**super().get_css_variables(), "edge": edge, "rule": rule, "inner": inner}

    def get_default_screen(self) -> Screen[Any]:
        return self._begin()

    # -------------------------------------------------------------------------------- screens

    def push_screen(self, *screen: Any, **options: Any) -> Any:
        """As Textual's own; the next key is for that screen and waits for it to be there."""
        opening = super().push_screen(*screen, **options)
        if not options.get("wait_for_dismiss"):
            self._opening = opening
        return opening

    def open_monitor(self, folder: Path) -> None:
        """Watch the project at ``folder``; leaving it comes back to the screen before."""
        self.push_screen(MonitorScreen(folder))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that a key would do now, and what has no key."""
        told = {"", "commands"}
        for key, active in screen.active_bindings.items():
            binding, node = active.binding, active.node
            if not (active.enabled and binding.tooltip and binding.description not in told):
                continue
            told.add(binding.description)
            deed = partial(self.call_later, self.run_action, binding.action, node)
            named = self.get_key_display(binding) or key
            yield _command(signs_for(self, binding.description), signs_for(self, named), deed)
        yield _command("theme", "other colours", self.action_change_theme)
        shoot = partial(self.set_timer, 0.2, self.deliver_screenshot)
        yield _command("screenshot", "this screen as an SVG file", shoot)

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="what to do", id="--command-palette"))

    # ---------------------------------------------------------------------------- keys, signals

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in LEAVE_SIGNALS:
            loop.add_signal_handler(number, self.action_leave)

    def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in LEAVE_SIGNALS:
            loop.remove_signal_handler(number)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, Pressed) and not self.screen_stack:
            return  # it came while the app was closing
        if not isinstance(event, Pressed) or event.is_forwarded:
            await super().on_event(event)
        elif isinstance(event, events.Paste) or time.monotonic() >= self._deaf_until:
            await self._keys.press(event)

    async def _press(self, pressed: Pressed) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            await opening
        await super().on_event(pressed)

    def action_leave(self) -> None:
        """Close the interface as ``d`` does, wherever it is."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, MonitorScreen):
                screen.action_detach()
                return
        self.exit()

    def action_help_quit(self) -> None:
        """Ctrl-C: people press it to get out, and must not end anything by it."""
        self.say("Nothing is ended by Ctrl-C: d detaches, s stops the render.")

    def action_repaint(self) -> None:
        Link.of(self).layer.forget()
        self.refresh(repaint=True, layout=True)

    def say(self, text: str, *, bad: bool = False) -> None:
        """A line that goes away by itself; plain text, whatever is in it."""
        self.notify(clean(text), severity="error" if bad else "information", markup=False)

    def tell(self, title: str, text: str) -> None:
        """A message on the user's desktop, unless the terminal says that it has the focus."""
        if self._driver is not None and not self._focused:
            self._driver.write(notice(self.terminal, title, text))

    def on_app_focus(self) -> None:
        self._focused = True

    def on_app_blur(self) -> None:
        self._focused = False

    def set_title(self, title: str) -> None:
        """The terminal window's title; harmless text. `give_title_back` ends it."""
        if title == self._window_title or self._driver is None:
            return
        saved = "" if self._window_title else "\x1b[22;0t"
        self._window_title = title
        self._driver.write(f"{saved}\x1b]0;{title}\x07")

    def give_title_back(self) -> None:
        """The window's title from before, once the app has ended."""
        if self._window_title:
            with contextlib.suppress(OSError):
                os.write(_SCREEN, b"\x1b[23;0t")


def run(terminal: Terminal, folder: Path | None = None) -> int:
    """Watch the project at ``folder``, or begin with the list of renders; the exit code."""
    app = ZoomApp(terminal, _renders if folder is None else partial(MonitorScreen, folder))
    said = app.run(mouse=not terminal.remote)
    app.give_title_back()
    if said:
        write_line(said)
    return app.return_code or 0


def _renders() -> Screen[Any]:
    from zoomtui.tui.renders.screen import RendersScreen  # the monitor need not wait for it

    return RendersScreen()


def _command(name: str, beside: str, deed: Callable[[], object]) -> SystemCommand:
    """One line of the palette."""
    return SystemCommand(f"{name.capitalize():{_COMMAND}}{beside}", "", deed)


def _theme(terminal: Terminal) -> str:
    if terminal.colours == "16":
        return "ansi-dark" if terminal.dark else "ansi-light"
    return DARK.name if terminal.dark else LIGHT.name
