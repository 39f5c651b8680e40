"""Cells that stand for parts of a picture, each saying its row and its column.

Cells are text: Textual and tmux scroll, clip and cover them, and any part of them holds. The
numbers are those of kitty's graphics protocol, whose terminals put the picture there themselves.
"""

from __future__ import annotations

import re
from functools import cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

# The characters that number rows and columns: those of Unicode 6.0 in combining class 230 that have
# no decomposition and are part of none. Written out, as a newer Unicode has more of them.
_MARKS = """
0305 030D-030E 0310 0312 033D-033F 0346 034A-034C 0350-0352 0357 035B 0363-036F 0483-0487 0592-0595
0597-0599 059C-05A1 05A8-05A9 05AB-05AC 05AF 05C4 0610-0617 0657-065B 065D-065E 06D6-06DC 06DF-06E2
06E4 06E7-06E8 06EB-06EC 0730 0732-0733 0735-0736 073A 073D 073F-0741 0743 0745 0747 0749-074A
07EB-07F1 07F3 0816-0819 081B-0823 0825-0827 0829-082D 0951 0953-0954 0F82-0F83 0F86-0F87 135D-135F
17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB 1CE0 1DC0-1DC1 1DC3-1DC9 1DCB-1DCC
1DD1-1DE6 1DFE 20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7 20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A67C-A67D
A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3 AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38 1D185-1D189
1D1AA-1D1AD 1D242-1D244
"""


@cache
def marks() -> str:
    """The character at index n stands for row or column n; more than :data:`MOST` can't be."""
    found = []
    for part in _MARKS.split():
        first, _, last = part.partition("-")
        found += [chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)]
    return "".join(found)


MOST = 297
"""How many rows or columns can be numbered."""


def placeholders(
    sign: str, columns: int, rows: int, *, after: str = "", style: Style | None = None
) -> list[Strip]:
    """Lines of cells: `sign`, the marks of its row and column, and `after`, which are marks too."""
    numbers = marks()
    lines = []
    for row in range(rows):
        cells = [sign + numbers[row] + numbers[column] + after for column in range(columns)]
        lines.append(Strip([Segment("".join(cells), style)], columns))
    return lines


def never_torn(strip: Strip) -> Strip:
    """The same cells, of which Textual leaves each with all its marks where it cuts the strip.

    Rich looks for a place by the width before it, and a mark has none.
    """
    segments = [_Cells(*each) if _cells().match(each.text) else each for each in strip]
    return Strip(segments, strip.cell_length)


class _Cells(Segment):
    """Nothing but cells."""

    __slots__ = ()

    def split_cells(self, cut: int) -> tuple[Segment, Segment]:
        if cut >= self.cell_length:
            return self, Segment("", self.style)
        place = cut * len(self.text) // self.cell_length
        before, after = self.text[:place], self.text[place:]
        return _Cells(before, self.style), _Cells(after, self.style)


@cache
def _cells() -> re.Pattern[str]:
    return re.compile(f".[{marks()}]")
