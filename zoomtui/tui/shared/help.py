"""The help page: what each key does on the screen below it, by that screen's own bindings.

What a key is good for stands beside it (``shared.keys``).
"""

from __future__ import annotations

from itertools import takewhile

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from zoomtui.tui.shared.keys import bind, keys
from zoomtui.tui.shared.text_widgets import signs_for

Lines = tuple[tuple[str, str], ...]
"""Keys, and what they do."""
_NEVER = (
    "Renders go on",
    (
        ("", "without this screen: Ctrl-C, a closed window, a lost line end none"),
        ("attach", "`zoomtui attach` shows it again, anywhere; several may watch"),
        ("mpv", "the film plays at any time: `mpv film.mp4`, `mpv live.m3u8`"),
    ),
)
_FIGURES = (
    "What the figures say",
    (
        ("seam", "how visible the border between old and new is: 1 is invisible"),
        ("drift", "how far colours have moved from those to keep, of 255"),
        ("×", "film made in a second, in seconds: from 1× on as fast as it plays"),
        ("waiting", "keyframes between painting and encoding; full: encoding is slow"),
    ),
)


class HelpScreen(ModalScreen[None]):
    """Closed by Esc, q or ?; scrolled by the arrow keys."""

    BINDINGS = keys(bind("escape,q,?,enter", "dismiss", "back"))

    def compose(self) -> ComposeResult:
        opener = self.app.screen_stack[-2]
        here, everywhere = self._keys(type(opener)), self._keys(type(self.app))
        parts = [("Here", here), ("Everywhere", everywhere), _NEVER, _FIGURES]
        text = "\n\n".join(_section(title, lines) for title, lines in parts if lines)
        with VerticalScroll(id="help"):
            yield Static(signs_for(self.app, text), markup=False)

    def on_mount(self) -> None:
        page = self.query_one("#help")
        page.border_title, page.border_subtitle = "Help", "Esc closes"
        page.focus()

    def _keys(self, owner: type[DOMNode]) -> Lines:
        """What each key does there."""
        known: dict[str, list[str]] = {}
        for each in takewhile(lambda each: each not in (App, Screen), owner.__mro__):
            for binding in Binding.make_bindings(vars(each).get("BINDINGS", ())):
                shown = self.app.get_key_display(binding)
                shown = shown.capitalize() if shown.isalpha() and len(shown) > 1 else shown
                if binding.tooltip and shown not in known.setdefault(binding.tooltip, []):
                    known[binding.tooltip].append(shown)
        return tuple((" ".join(shown), text) for text, shown in known.items())


def _section(title: str, lines: Lines) -> str:
    return "\n".join([title, *(f"  {key:10}{text}" for key, text in lines)])
