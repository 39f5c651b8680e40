"""Pictures drawn over the cells that Textual paints, for terminals whose graphics are no text.

Cells stand for a picture (``placeholders``), so that Textual clips, scrolls and covers it like any
text. On their way to the terminal they become blanks here, and what they stood for is drawn after
them, in the same write: whichever cells are painted show their part of the picture, and what is
painted over it wipes it away. Knows no widget, and no kind of graphics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import count, groupby
from operator import attrgetter
from typing import NamedTuple

from rich.cells import cell_len

from zoomtui.terminal.pictures.placeholders import MOST, marks, placeholders
from zoomtui.terminal.pictures.request import Drawing, Over, Part

SIGN = "\U0010eeed"
"""What a cell begins with; the marks of its row, its column and its picture follow."""
_MARK = f"[{marks()}]"
_RUN = re.compile(f"{SIGN}({_MARK})({_MARK})({_MARK})(?:{SIGN}\\1{_MARK}\\3)*")
_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_STYLE = re.compile(r"\x1b\[[\d;]*m|\n")
_KEPT = 8
"""Parts of a picture whose sequences are kept: the whole, and those around a frame over it."""
_numbers = count()


class _Run(NamedTuple):
    """Cells of one row, side by side."""

    image: int
    row: int
    columns: range

    @classmethod
    def read(cls, found: re.Match[str]) -> _Run:
        row, first, number = (_number(mark) for mark in found.groups())
        return cls(~number, row, range(first, first + len(found[0]) // 4))


def over_cells(
    draw: Callable[[Part], str], size: tuple[int, int], most: tuple[int, int] = (MOST, MOST)
) -> Drawing:
    """Cells, `size` columns and rows of them, over which `draw` draws; see :class:`Over`."""
    number = next(_numbers) % MOST
    cells = placeholders(SIGN, *size, after=marks()[number])
    return Drawing(cells, image=~number, over=Over(lru_cache(_KEPT)(draw), most))


def first_within(limit: int, drawings: Iterable[Drawing]) -> Drawing | None:
    """The first that takes at most so many bytes to draw, if any does."""
    for drawing in drawings:
        whole = Part(0, 0, drawing.lines[0].cell_length, len(drawing.lines))
        if drawing.over and len(drawing.over.draw(whole)) <= limit:
            return drawing
    return None


@dataclass(slots=True)
class _Picture:
    """One that is drawn so, and what of it the terminal shows."""

    over: Over
    corner: Callable[[], tuple[int, int]]
    at: tuple[int, int] = (0, 0)
    shown: dict[int, set[int]] = field(default_factory=dict)
    """Columns of each row, cells of the picture."""

    def locate(self) -> None:
        """Find out where it is; nothing of it is shown there yet where it has moved."""
        if self.at != (at := self.corner()):
            self.at, self.shown = at, {}

    def wipe(self, x: int, y: int, line: str, but: set[int]) -> None:
        """The line is written from there on: over all but these columns of the picture."""
        left, top = self.at
        if (columns := self.shown.get(y - top)) and x <= left + max(columns):
            over = range(x - left, x - left + cell_len(_STYLE.sub("", line)))
            self.shown[y - top] = columns - set(over) | columns & but


class Layer:
    """The pictures that are drawn so."""

    def __init__(self) -> None:
        self._pictures: dict[int, _Picture] = {}
        self._size = (0, 0)

    def add(self, image: int, over: Over, corner: Callable[[], tuple[int, int]]) -> None:
        """Draw it from now on; `corner`: column and row of the screen where it begins just then."""
        self._pictures[image] = _Picture(over, corner)

    def drop(self, image: int) -> None:
        """Leave its cells blank, if they are ever painted again."""
        self._pictures.pop(image, None)

    def clear(self) -> None:
        """The same for all."""
        self._pictures.clear()

    def forget(self) -> None:
        """The terminal may show none of them any more: draw all that is painted."""
        for picture in self._pictures.values():
            picture.shown.clear()

    def paint(self, text: str, size: tuple[int, int]) -> str:
        """`text` as it goes to a terminal of `size` columns and rows: with blanks for cells, and
        pictures after it; what the terminal shows already is stepped over."""
        if SIGN not in text and not self._pictures:
            return text
        if size != self._size:  # it has rearranged everything
            self._size = size
            self.forget()
        start, *moves = _MOVE.split(text)
        written, due = [start], dict[int, list[_Run]]()
        for y, x, line in zip(moves[::3], moves[1::3], moves[2::3], strict=True):
            runs = [_Run.read(found) for found in _RUN.finditer(line)] if SIGN in line else []
            for image in {run.image for run in runs} & self._pictures.keys():
                self._pictures[image].locate()
            for image, picture in self._pictures.items():
                seen = {n for run in runs if run.image == image for n in run.columns}
                picture.wipe(int(x) - 1, int(y) - 1, line, seen)
            cells = iter(runs)
            blanks = _RUN.sub(lambda _, cells=cells: self._blanks(next(cells), due), line)
            written.append(f"\x1b[{y};{x}H{blanks}")
        drawn = "".join(piece for image, runs in due.items() for piece in self._draw(image, runs))
        return "".join(written) + (f"\x1b7{drawn}\x1b8" if drawn else "")

    def _blanks(self, run: _Run, due: dict[int, list[_Run]]) -> str:
        """Steps over what is shown, blanks for the rest, which has to be drawn then."""
        picture = self._pictures.get(run.image)
        if picture is None:
            return " " * len(run.columns)
        shown, text = picture.shown.setdefault(run.row, set()), ""
        for is_there, group in groupby(run.columns, shown.__contains__):
            columns = list(group)
            text += f"\x1b[{len(columns)}C" if is_there else " " * len(columns)
            if not is_there:
                part = _Run(run.image, run.row, range(columns[0], columns[-1] + 1))
                due.setdefault(run.image, []).append(part)
        shown.update(run.columns)
        return text

    def _draw(self, image: int, runs: list[_Run]) -> Iterator[str]:
        (draw, most), (x, y) = self._pictures[image].over, self._pictures[image].at
        for part in _parts(runs):
            # Not in the last row: that would scroll the screen.
            bottom = min(part.bottom, self._size[1] - 1 - y)
            for top in range(part.top, bottom, most[1]):
                for left in range(part.left, part.right, most[0]):
                    right, below = min(left + most[0], part.right), min(top + most[1], bottom)
                    drawn = draw(Part(left, top, right, below))
                    yield f"\x1b[{y + top + 1};{x + left + 1}H{drawn}"


def _parts(runs: list[_Run]) -> Iterator[Part]:
    """The rectangles that runs of cells make up: those below one another that are as wide."""
    grown: dict[range, Part] = {}
    for run in sorted(runs, key=attrgetter("row")):
        part = grown.get(run.columns)
        if part is not None and part.bottom != run.row:
            yield part
            part = None
        top = run.row if part is None else part.top
        grown[run.columns] = Part(run.columns.start, top, run.columns.stop, run.row + 1)
    yield from grown.values()


@cache
def _number(mark: str) -> int:
    return marks().index(mark)
