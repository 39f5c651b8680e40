"""The help page: by task, what to press. Knows no state; every key also has a verb."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from zoomtui.tui.shared.text_widgets import ASCII

TASKS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Watch",
        (
            ("← →", "walk through the keyframes; PgUp PgDn in tens, Home the first"),
            ("End", "back to the newest, and follow it"),
            ("v", "the picture on the full screen"),
            ("V", "another kind of pictures: blocks, signs, none"),
            ("l", "the whole log"),
        ),
    ),
    (
        "Steer",
        (
            ("p", "another prompt, from the next keyframe that is not begun"),
            ("u", "take it back, until it is begun"),
            ("Space", "pause and go on"),
        ),
    ),
    (
        "Leave, and come back",
        (
            ("d", "detach: the render goes on without this screen, even after you log out"),
            ("q Esc", "back; from the first screen: detach"),
            ("", "`zoomtui attach` shows it again, from any terminal; several may watch"),
            ("", "Ctrl-C, a closed window and a lost connection never end a render"),
        ),
    ),
    (
        "End, and go on",
        (
            ("s", "stop… after the segment in hand, or now; asks first"),
            ("r", "resume what was stopped, or what has crashed: nothing is lost"),
            ("e", "export… other size, speed, codec, direction; also while it renders"),
            ("", "the film is playable at every moment: `mpv film.mp4`, `mpv watch.m3u8`"),
        ),
    ),
    (
        "On the list of renders, and in the form",
        (
            ("Enter R n", "open; resume; a new render"),
            ("/ o", "filter; another order"),
            ("y x", "copy the scp command; forget (no file is deleted)"),
            ("^s ^g", "start; paint one keyframe first"),
            ("^o ^r ^y", "film preset; another seed; copy as a command line"),
        ),
    ),
    (
        "Everywhere",
        (
            ("?", "this page"),
            (": Ctrl+P", "all commands, by name"),
            ("Ctrl+L", "paint the screen anew"),
        ),
    ),
    (
        "What the figures say",
        (
            ("seam", "how visible the border between old and new is: 1 is invisible"),
            ("drift", "how far colours have moved since the first keyframe, of 255"),
            ("×", "film made in a second, in seconds: from 1× on as fast as it plays"),
            ("waiting", "keyframes between painting and encoding; full: encoding is slow"),
        ),
    ),
)


class HelpScreen(ModalScreen[None]):
    """Closed by Esc, q or ?; scrolled by the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "back", id="help.back"),
    ]

    def compose(self) -> ComposeResult:
        text = "\n\n".join(_section(task, keys) for task, keys in TASKS)
        if self.app.has_class("-ascii"):
            text = text.translate(ASCII)
        with VerticalScroll(id="help"):
            yield Static(text, markup=False)

    def on_mount(self) -> None:
        page = self.query_one("#help")
        page.border_title, page.border_subtitle = "Help", "Esc closes"
        page.focus()


def _section(task: str, keys: tuple[tuple[str, str], ...]) -> str:
    return "\n".join([task, *(f"  {key:10}{what}" for key, what in keys)])
