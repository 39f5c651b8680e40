"""A small app around one Picture, to be run in a terminal by the tests: keys do what they say, and
what happened is written as JSON to the file named first. Not a test."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from zoomtui.terminal.capabilities import detect, prepare_environment

TERMINAL = detect(os.environ, timeout=float(os.environ.get("ASKED_FOR", "60")))
os.environ.update(prepare_environment(TERMINAL, os.environ))

from textual.app import App, ComposeResult  # noqa: E402
from textual.events import Key  # noqa: E402
from textual.screen import ModalScreen  # noqa: E402
from textual.widgets import Static  # noqa: E402

from zoomtui.terminal.driver import TerminalDriver  # noqa: E402
from zoomtui.tui.shared.picture import Picture  # noqa: E402


class Dialog(ModalScreen[None]):
    DEFAULT_CSS = """Dialog { align: center middle; background: black 50%; }
    Dialog Static { width: 20; height: 3; background: blue; }"""

    def compose(self) -> ComposeResult:
        yield Static("dialog")


class PictureApp(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, report: Path, picture: Path, count: int) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.terminal = TERMINAL
        self.report, self.path, self.count = report, picture, count
        self.keys: list[str] = []
        self.shown = 0

    def compose(self) -> ComposeResult:
        yield Picture(empty="nothing yet")
        yield Static("ready", id="say")
        yield Static(id="keys", markup=False)

    def on_picture_shown(self) -> None:
        self.shown += 1
        self.query_one("#say", Static).update(f"shown {self.shown}")

    def on_key(self, event: Key) -> None:
        self.keys.append(event.key)
        self.screen_stack[0].query_one("#keys", Static).update(f"keys {' '.join(self.keys)}.")
        picture = self.screen_stack[0].query_one(Picture)
        match event.key:
            case "n":  # a new picture
                self.count += 1
                colour = bytes((self.count * 40 % 256, 80, 200))
                picture.show(colour * (64 * 36) + b"\xff\x80\x00" * (64 * 36), 64, 72)
            case "f":
                picture.show_file(self.path)
            case "r":
                picture.refresh()
            case "m":
                self.push_screen(Dialog())
            case "o":
                self.screen.dismiss()
            case "t":
                self.notify("toast", timeout=600)
            case "c":
                self.clear_notifications()
            case "z":
                with self.suspend():
                    sys.stderr.write("in the shell")
                    sys.stderr.flush()
            case "w":
                self.report.write_text("alive")
            case "q":
                self.exit()


def main() -> None:
    report, picture = Path(sys.argv[1]), Path(sys.argv[2])
    app = PictureApp(report, picture, 0)
    app.run()
    said = {
        "keys": app.keys,
        "shown": app.shown,
        "pictures": TERMINAL.pictures,
        "colours": TERMINAL.colours,
        "mute": TERMINAL.mute,
        "heavy": sorted({"torch", "diffusers", "av"} & set(sys.modules)),
    }
    report.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
