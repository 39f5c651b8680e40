"""Pictures over cells: which parts of them are drawn for what Textual writes."""

from __future__ import annotations

import re

import pytest

from zoomtui.terminal.pictures.layer import SIGN, Layer, over_cells
from zoomtui.terminal.pictures.placeholders import never_torn
from zoomtui.terminal.pictures.request import Drawing

SCREEN = (40, 20)


class Wall:
    """A layer with one picture of 10×6 cells, which begins at `corner`."""

    def __init__(self, most: tuple[int, int] = (99, 99)) -> None:
        self.layer, self.corner = Layer(), (5, 3)
        self.drawing: Drawing = over_cells(
            lambda part: f"<{','.join(map(str, part))}>", (10, 6), most
        )
        assert self.drawing.over is not None
        self.layer.add(self.drawing.image, self.drawing.over, lambda: self.corner)

    def cells(self, left: int = 0, top: int = 0, right: int = 10, bottom: int = 6) -> str:
        """What Textual writes to paint these cells, where they are."""
        x, y = self.corner
        return "".join(
            f"\x1b[{y + row + 1};{x + left + 1}H{self.drawing.lines[row].crop(left, right).text}\n"
            for row in range(top, bottom)
        )

    def drawn(self, text: str, screen: tuple[int, int] = SCREEN) -> list[tuple[int, ...]]:
        """Row and column of the screen, and the part, of all that is drawn for it."""
        painted = self.layer.paint(text, screen)
        assert "\U0010eeed" not in painted
        found = re.findall(r"\x1b\[(\d+);(\d+)H<(\d+),(\d+),(\d+),(\d+)>", painted)
        return [tuple(map(int, numbers)) for numbers in found]


def test_all_of_its_cells_are_one_picture_after_the_text_and_blanks_below_it() -> None:
    wall = Wall()
    painted = wall.layer.paint(wall.cells(), SCREEN)
    assert painted.count(" " * 10) == 6
    assert painted.endswith("\x1b7\x1b[4;6H<0,0,10,6>\x1b8")


def test_a_part_of_its_cells_is_that_part_where_it_lies_now() -> None:
    wall = Wall()
    assert wall.drawn(wall.cells(2, 1, 9, 4)) == [(5, 8, 2, 1, 9, 4)]
    wall.corner = (20, 10)
    assert wall.drawn(wall.cells(0, 5)) == [(16, 21, 0, 5, 10, 6)]


def test_around_what_covers_it_there_are_rectangles() -> None:
    wall = Wall()
    around = wall.cells(bottom=2) + wall.cells(0, 2, 3, 4) + wall.cells(8, 2, 10, 4)
    drawn = wall.drawn(around + wall.cells(top=4))
    assert sorted(drawn) == [
        (4, 6, 0, 0, 10, 2),
        (6, 6, 0, 2, 3, 4),
        (6, 14, 8, 2, 10, 4),
        (8, 6, 0, 4, 10, 6),
    ]


def test_what_is_there_is_stepped_over_until_it_is_written_over() -> None:
    wall = Wall()
    assert len(wall.drawn(wall.cells())) == 1
    again = wall.layer.paint(wall.cells(), SCREEN)
    assert again.count("\x1b[10C") == 6
    assert " " not in again
    assert wall.drawn("\x1b[4;16Hright of it\x1b[3;1Habove it\x1b[10;1Hbelow it") == []
    assert wall.drawn(wall.cells()) == []
    wall.layer.paint("\x1b[6;1Hfrom the left, across it", SCREEN)
    assert wall.drawn(wall.cells()) == [(6, 6, 0, 2, 10, 3)]
    wall.layer.paint("\x1b[4;15H!", SCREEN)
    assert wall.drawn(wall.cells()) == [(4, 15, 9, 0, 10, 1)]


def test_something_comes_over_it_and_goes_again_and_only_that_part_is_drawn() -> None:
    """As Textual does it for a notification: the whole screen is written each time."""
    wall = Wall()
    wall.drawn(wall.cells())
    line = wall.drawing.lines[4].crop(0, 6).text
    toast = wall.cells(bottom=4) + f"\x1b[8;1Htext {line}toast and more" + wall.cells(top=5)
    assert wall.drawn(toast) == []
    assert wall.drawn(wall.cells(2, 0, 4, 2)) == []
    assert wall.drawn(wall.cells()) == [(8, 12, 6, 4, 10, 5)]


@pytest.mark.parametrize("what", ["size", "corner", "forget"])
def test_it_is_drawn_anew_when_the_terminal_may_not_show_it_any_more(what: str) -> None:
    wall = Wall()
    wall.drawn(wall.cells())
    match what:
        case "size":
            assert len(wall.drawn(wall.cells(), (41, 20))) == 1
        case "corner":
            wall.corner = (6, 3)
            assert len(wall.drawn(wall.cells())) == 1
        case "forget":
            wall.layer.forget()
            assert len(wall.drawn(wall.cells())) == 1


def test_nothing_is_drawn_in_the_last_row_nor_for_a_picture_that_is_gone() -> None:
    wall = Wall()
    assert wall.drawn(wall.cells(), (40, 9)) == [(4, 6, 0, 0, 10, 5)]
    wall.layer.drop(wall.drawing.image)
    assert wall.layer.paint(wall.cells(), SCREEN).count(" " * 10) == 6


def test_a_terminal_that_takes_less_at_once_gets_pieces() -> None:
    parts = [part for _, _, *part in Wall(most=(6, 4)).drawn(Wall(most=(6, 4)).cells())]
    assert parts == []  # another picture's cells
    wall = Wall(most=(6, 4))
    assert [part for _, _, *part in wall.drawn(wall.cells())] == [
        [0, 0, 6, 4],
        [6, 0, 10, 4],
        [0, 4, 6, 6],
        [6, 4, 10, 6],
    ]


def test_text_without_pictures_is_left_alone() -> None:
    assert Layer().paint("\x1b[1;1Htext", SCREEN) == "\x1b[1;1Htext"


def test_its_sign_in_a_text_from_outside_is_no_cell() -> None:
    text = f"\x1b[1;1H{SIGN}.zoom {SIGN}"
    assert Layer().paint(text, SCREEN) == text


def test_no_cut_of_a_strip_tears_a_cell() -> None:
    whole = over_cells(str, (120, 1)).lines[0]
    text = whole.text
    line = never_torn(whole)
    for left in range(0, 120, 7):
        for right in range(left + 1, 121):
            assert line.crop(left, right).text == text[4 * left : 4 * right]
            between, cuts = line.crop(left), sorted({right - left, 120 - left})
            torn = [part.text for part in between.divide(cuts)]
            assert torn[0] == text[4 * left : 4 * right]
            assert "".join(torn) == text[4 * left :]
