"""What a screen may ask of the app that it is shown in, without knowing that app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from textual import work
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.screen import Screen

from renderer.errors import RendererError
from renderer.service.client import NotRunning
from zoomtui.terminal.capabilities import Terminal


class Host(Protocol):
    """The app, as far as screens know it."""

    terminal: Terminal
    clock: Callable[[], float]
    """Unix time."""
    interval: float
    """Seconds between two paintings."""

    def say(self, text: str, *, bad: bool = False) -> None:
        """A notice that goes away by itself."""

    def tell(self, title: str, text: str) -> None:
        """A message on the user's desktop, unless the terminal has the focus."""

    def set_title(self, title: str) -> None:
        """The title of the terminal's window."""

    def open_monitor(self, folder: Path) -> None: ...

    def exit(self, result: Any = None) -> None: ...


Result = TypeVar("Result")


def standing(node: DOMNode) -> bool:
    """Whether ``node`` and all of its screen are there.

    A late answer may come while a screen is taken down, some of its widgets already gone: Textual
    shows a screen no more from the moment on at which its removal begins.
    """
    return node.is_attached and node.screen.display


class ClosesOnce(Screen[Result]):
    """A screen that closes only itself: Textual closes whatever screen is on top."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, unless that has been done, as where two Enters came in one go."""
        if not self.is_active:
            return AwaitComplete()
        return super().dismiss(result)


class HostedScreen(ClosesOnce[None]):
    """A screen that asks something of the app that shows it."""

    @property
    def host(self) -> Host:
        return cast("Host", self.app)

    def paint(self) -> None:
        """Whatever goes by the screen's size."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self.call_after_refresh(self.paint)  # how much fits is known once it is laid out

    def action_back(self) -> None:
        """To the screen before; from the first one: out."""
        if len(self.app.screen_stack) > 1:
            self.dismiss()
        else:
            self.app.exit()

    def ask_user(self, dialog: Screen[Result | None], deed: Callable[[Result], object]) -> None:
        """Open a dialog, and go on with its answer unless the user took the question back."""

        def go_on(answer: Result | None) -> None:
            if answer is not None:
                deed(answer)

        self.app.push_screen(dialog, go_on)

    def copy(self, text: str, what: str) -> None:
        """To the clipboard; ``what`` says what it is."""
        try:
            text.encode()
        except UnicodeEncodeError:  # bytes that are no text, in a folder's name
            self.host.say("A name in it is no text, so it can't be copied.", bad=True)
            return
        self.app.copy_to_clipboard(text)
        self.host.say(f"Copied: {what}")

    @work(group="commands")
    async def attempt(self, deed: Callable[[], Awaitable[None]], said: str = "") -> None:
        """Do it, and say how it went."""
        try:
            await deed()
        except (NotRunning, RendererError, OSError) as error:
            self.host.say(str(error), bad=True)
        else:
            if said:
                self.host.say(said)
