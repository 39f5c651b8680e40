"""Lines of a screen as words and their roles, and the small pieces that they are made of.

A line is a tuple of (text, role) pairs; a role names what a text is, not how it looks. Pure: knows
neither Textual nor renders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len, chop_cells

from renderer.formatting import clean

Role = Literal["", "label", "strong", "good", "warn", "bad", "faint", "bar", "quoted"]
"""``quoted``: text from outside, made harmless, otherwise as typed."""
Part = tuple[str, Role]
Line = tuple[Part, ...]

NOT_AVAILABLE = "n/a"
LABEL = 10
"""Columns that a panel's labels take."""

_SPARKS = "▁▂▃▄▅▆▇█"
_LONGEST_QUOTE = 2000
"""Characters of a prompt that are looked at at all; no line of a terminal is longer."""
_FIGURES = 13
"""Columns of a meter's figures: enough for ``118.2/1024 G``."""


def bar(filled: float, width: int) -> str:
    """``"━━━━────"``."""
    done = round(min(1.0, max(0.0, filled)) * width)
    return "━" * done + "─" * (width - done)


def spark(history: Sequence[float], width: int) -> str:
    """The last percents as little columns, newest at the right."""
    steps = [_SPARKS[min(7, max(0, int(value / 12.5)))] for value in history[-width:]]
    return "".join(steps).rjust(width)


def quoted(text: str) -> Part:
    """Text from outside, as typed, harmless, on one line."""
    return clean(text[:_LONGEST_QUOTE]), "quoted"


def cut(parts: Sequence[Part], width: int) -> Line:
    """No wider than ``width`` cells; what is left out shows as an ellipsis."""
    line: list[Part] = []
    room = width
    for text, role in parts:
        if (needed := cell_len(text)) > room:
            kept = chop_cells(text, room - 1)[0] if room > 1 else ""
            return (*line, (kept + "…"[: room > 0], role))
        line.append((text, role))
        room -= needed
    return tuple(line)


def length(parts: Sequence[Part], gap: int) -> int:
    """Cells that ``parts`` take with ``gap`` cells between them."""
    return sum(cell_len(text) + gap for text, _ in parts) - gap


def spaced(parts: Sequence[Part], gap: str) -> Line:
    """The parts with ``gap`` between them."""
    return tuple(each for part in parts for each in ((gap, ""), part))[1:]


def labelled(label: str, parts: Sequence[Part], columns: int = LABEL) -> Line:
    """``"speed     21.9 frames/s  bottleneck"``."""
    return (label.ljust(columns), "label"), *spaced(parts, "  ")


def on_rows(label: str, text: str, width: int, most: int, role: Role = "quoted") -> list[Line]:
    """``text`` on at most ``most`` rows under one label; what is left out shows as an ellipsis.

    It may be from outside: it is made harmless.
    """
    room = max(8, width - LABEL)
    pieces = wrapped(quoted(text)[0], room, most + 1)
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], pieces[most - 1] + "…"]
    return [
        labelled("" if number else label, cut([(piece, role)], room))
        for number, piece in enumerate(pieces)
    ]


def folded(line: Line, width: int) -> list[Line]:
    """A label and one value on as many rows as the value needs; any other line is cut."""
    if len(line) != 2 or length(line, 0) <= width:
        return [cut(line, width)]
    (label, _), (text, role) = line
    return on_rows(label, text, width, len(text), role)


def joined(texts: Sequence[str], width: int | None = None) -> list[Part]:
    """``"21.9 fps · 0.73×"``, the first of ``texts`` that fit; n/a where there is nothing."""
    text = NOT_AVAILABLE
    for count in range(1, len(texts) + 1):
        longer = " · ".join(texts[:count])
        if count > 1 and width is not None and cell_len(longer) > width:
            break
        text = longer
    return [(text, "")]


def gauge(label: str, done: int, total: int, width: int) -> Line:
    """Label, a bar in what is left, and how much of how much."""
    count = f" {done}/{total}"
    filled = bar(done / total if total else 0, width - LABEL - len(count))
    return (label.ljust(LABEL), "label"), (filled, "bar"), (count, "")


def meter(label: str, text: str, filled: float | None, width: int) -> Line:
    """Label, figures, and a bar in what is left; None: there is nothing to draw."""
    room = width - LABEL - _FIGURES
    line: Line = ((label.ljust(LABEL), "label"), (text.ljust(_FIGURES), ""))
    return line if filled is None or room < 4 else (*line, (bar(filled, room), "bar"))


def wrapped(text: str, room: int, most: int) -> list[str]:
    """The first ``most`` lines of ``text``, of at most ``room`` cells; broken at spaces if any."""
    lines: list[str] = []
    while text and len(lines) < most:
        piece = chop_cells(text[: 2 * room], room)[0]
        rest = text[len(piece) :]
        if rest and rest[0] != " " and " " in piece.strip():
            piece = piece[: piece.rindex(" ") + 1]
        lines.append(piece.rstrip())
        text = text[len(piece) :].lstrip(" ")
    return lines
