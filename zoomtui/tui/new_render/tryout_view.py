"""Where a try-out is watched: its picture, and how far it is. Hidden until there is one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from renderer.errors import RendererError
from zoomtui.tui.new_render.tryout import TryOut
from zoomtui.tui.shared.host import standing
from zoomtui.tui.shared.picture import Picture
from zoomtui.tui.shared.text_widgets import OneLine


class TryoutView(Vertical):
    """One try-out at a time; what it painted goes when it is put away, or with the screen."""

    DEFAULT_CSS = """
    TryoutView { display: none; }
    TryoutView.-shown { display: block; }
    """

    @dataclass
    class Failed(Message):
        """It could not be painted; ``error`` is the engine's reason."""

        error: Exception

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._try_out: TryOut | None = None
        self.running = False

    @property
    def shown(self) -> bool:
        return self.has_class("-shown")

    def compose(self) -> ComposeResult:
        yield Picture()
        yield OneLine()

    def on_unmount(self) -> None:
        self._discard()

    def begin(self, try_out: TryOut) -> None:
        """Paint the first keyframes of a render to be."""
        self.put_away()
        self.add_class("-shown")
        self._try_out = try_out
        self._paint(try_out)

    def stop(self) -> None:
        """Paint no more; what there is stays in view."""
        if self.running:
            self.workers.cancel_group(self, "paint")
            self._say("cancelled   Esc puts it away")

    def put_away(self) -> None:
        """Paint no more, show nothing, keep nothing."""
        self.workers.cancel_group(self, "paint")
        self.remove_class("-shown")
        self.query_one(Picture).clear()
        self._discard()

    @work(group="paint", exclusive=True)
    async def _paint(self, try_out: TryOut) -> None:
        self.running = True
        try:
            async with contextlib.aclosing(try_out.run()) as reports:
                async for report in reports:
                    if not standing(self):
                        return
                    self._say(f"{report.text}   ^g cancels")
                    if report.picture is not None:
                        self.query_one(Picture).show_file(report.picture)
            if standing(self):
                self._say("this is how it begins   Esc puts it away")
        except (RendererError, OSError) as error:
            if standing(self):
                self.put_away()
                self.post_message(self.Failed(error))
        finally:
            self.running = False

    def _say(self, text: str) -> None:
        self.query_one(OneLine).show(((text, "label"),))

    def _discard(self) -> None:
        if self._try_out is not None:
            self._try_out.discard()
            self._try_out = None
