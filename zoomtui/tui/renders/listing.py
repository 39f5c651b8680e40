"""The list of renders as the user has arranged it, and what can be done with one of them.

Pure: knows neither Textual nor files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zoomtui.tui.renders import describe
from zoomtui.tui.renders.describe import ORDERS, Order
from zoomtui.tui.renders.scan import Render, Scan


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is, in which order, and which of it is wanted."""

    scan: Scan = field(default_factory=Scan)
    order: Order = ORDERS[0]
    wanted: str = ""
    """Words of the filter."""
    looked: bool = False
    """The projects have been looked at; else an empty scan says nothing."""

    def turned(self) -> Listing:
        """The same in the next order."""
        return replace(self, order=ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])

    def rows(self) -> dict[str, Render]:
        """Those that are wanted, in order, by the names of their rows."""
        shown = describe.arranged(self.scan.renders, self.order, self.wanted)
        return {str(render.folder): render for render in shown}


def keyframes_of(render: Render | None) -> int:
    """How many it has; 0 where that can't be told."""
    return render.status.keyframes if render and render.status else 0


def possible(action: str, render: Render | None) -> bool:
    """Whether ``action`` (open, copy, resume, export, forget) is one for the chosen render."""
    if render is None:
        return False
    match action:
        case "resume":
            return render.state.resumable
        case "export":
            return keyframes_of(render) > 1
        case "forget":
            return render.listed and not render.state.live
        case _:
            return render.state.readable


def what_forgetting_means(render: Render) -> str:
    """For the question whether to forget it."""
    return (
        f"{render.folder}\n\nOnly the entry in the list goes. The project and its film stay "
        f"where they are, and opening or resuming it puts it back."
    )
