"""The keys of a screen, one row each: what is pressed, what it does, and what is said about it."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.binding import Binding, BindingType


def keys(*rows: BindingType) -> list[BindingType]:
    """The keys of a screen or widget, its ``BINDINGS``."""
    return list(rows)


def bind(pressed: str, action: str, name: str, says: str = "", **options: Any) -> Binding:
    """``name``: in the key line and the palette; ``says``: on the help page. ``options``: more of
    Textual's own. What says nothing is told in neither palette nor help."""
    return Binding(pressed, action, name, tooltip=says, **options)


quiet = partial(bind, show=False)
"""A key that the key line does not name."""
