"""Numbers, paths and other people's text in words fit for a terminal. Knows nothing of renders."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import Path

_JOINERS = "\u200c\u200d"
"""Invisible, harmless, and part of the spelling of Persian and of many emoji."""


def duration_text(seconds: float) -> str:
    """``"8.4 s"``, ``"3 min 20 s"``, ``"2 h 05 min"``, ``"3 d 4 h"``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def clock_text(seconds: float) -> str:
    """``"0:21:20"``."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def count_text(done: int, total: int | None) -> str:
    """``"3/12"``, or ``"3"`` where there is no end."""
    return f"{done}" if total is None else f"{done}/{total}"


def age_text(seconds: float) -> str:
    """``"8 s"``, ``"3 min"``, ``"5 h"``, ``"12 d"``."""
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{max(0, int(seconds / unit))} {name}"
    return f"{int(seconds / 86400)} d"


def size_text(size: float) -> str:
    """Bytes in words a person reads: ``"3.2 GiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def share_text(share: float) -> str:
    """0 … 1 as ``"2 %"``."""
    return f"{100 * share:.0f} %"


def clean(text: str) -> str:
    """Text from outside, made safe for one line of a terminal: control characters, line breaks and
    what turns the writing direction are shown, not obeyed."""
    return "".join(c if _harmless(c) else ascii(c)[1:-1] for c in text)


def shortened(text: str, length: int = 200) -> str:
    """``clean`` text of at most about ``length`` characters, saying so where it was longer."""
    if len(text) <= length:
        return clean(text)
    return f"{clean(text[:length].rstrip())}… ({len(text)} characters)"


def path_text(path: Path | str) -> str:
    """A path as it can be pasted into a shell, and never taken for an option."""
    text = clean(str(path))
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def _harmless(character: str) -> bool:
    return (
        character.isprintable() or unicodedata.category(character) == "Zs" or character in _JOINERS
    )
