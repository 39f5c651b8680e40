"""Kitty's graphics protocol: the escape sequences, as a terminal reads them."""

from __future__ import annotations

import io
import unicodedata

import numpy as np
import pytest
from PIL import Image

from tests.terminal.ptys import read_graphics
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures import kitty
from zoomtui.terminal.pictures.kitty import to_png
from zoomtui.terminal.pictures.placeholders import MOST, marks
from zoomtui.terminal.pictures.prepare import prepare
from zoomtui.terminal.pictures.request import Source

NOISE = np.random.default_rng(1).integers(0, 256, (180, 320, 3), np.uint8)


def unwrapped(text: str) -> str:
    """What tmux hands on of a passthrough sequence."""
    assert text.startswith("\x1bPtmux;")
    assert text.endswith("\x1b\\")
    inner = text.removeprefix("\x1bPtmux;").removesuffix("\x1b\\")
    assert inner.count("\x1b") == 2 * inner.count("\x1b\x1b")
    return inner.replace("\x1b\x1b", "\x1b")


def test_the_marks_are_those_of_the_specification() -> None:
    """297 of them, by the rule that the published list states; 0 and 1 as in its example."""
    numbers = marks()
    assert len(numbers) == len(set(numbers)) == MOST == 297
    assert numbers[:2] == "\u0305\u030d"
    assert list(numbers) == sorted(numbers)
    for mark in numbers:
        assert unicodedata.category(mark) == "Mn"
        assert unicodedata.combining(mark) == 230
        assert not unicodedata.decomposition(mark)
        assert unicodedata.normalize("NFC", "A" + mark) == "A" + mark


def test_no_mark_that_fits_the_rule_is_left_out() -> None:
    """Held against Unicode 3.2, all of which is in the 6.0 that the rule is about."""
    excluded = {*range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x313, 0x314, 0x342}
    excluded |= {0x653, 0x654}  # they fuse with what they stand on
    old, missing = unicodedata.ucd_3_2_0, []
    for code in set(range(0x300, 0x20000)) - excluded:
        mark = chr(code)
        fits = old.category(mark) == "Mn" and not old.decomposition(mark)
        if fits and old.combining(mark) == unicodedata.combining(mark) == 230:
            missing += [] if mark in marks() else [hex(code)]
    assert not missing


@pytest.mark.parametrize("wrap", [False, True])
def test_a_transmission_arrives_whole(wrap: bool) -> None:
    data = to_png(NOISE)
    pieces = list(kitty.transmission(0xABCDEF, data, 64, 18, wrap=wrap))
    plain = [unwrapped(piece) if wrap else piece for piece in pieces]
    (picture,) = read_graphics("text between".join(plain).encode()).pictures
    assert (picture.image, picture.columns, picture.rows) == (0xABCDEF, 64, 18)
    assert picture.pieces == len(pieces) > 5
    assert picture.data == data
    with Image.open(io.BytesIO(picture.data)) as shown:
        assert shown.size == (320, 180)
        assert shown.mode == "P"


def test_deleting_frees_the_data_and_an_abandoned_transmission_is_closed_first() -> None:
    pieces = list(kitty.transmission(7, to_png(NOISE), 64, 18))
    cut = "".join(pieces[:3]) + kitty.abandon(7)
    graphics = read_graphics(cut.encode())
    assert graphics.deleted == [7]
    assert not graphics.alive


def test_a_row_of_placeholders_carries_the_id_and_every_position() -> None:
    terminal = Terminal("", "truecolor", "kitty")
    drawing = kitty.draw(Image.fromarray(NOISE), (5, 3), terminal)
    lines, image = drawing.lines, drawing.image
    assert [line.cell_length for line in lines] == [5, 5, 5]
    (segment,) = lines[2]
    assert segment.style is not None
    assert segment.style.color is not None
    assert segment.style.color.triplet == (image >> 16, image >> 8 & 255, image & 255)
    part = lines[2].crop(3, 5).text
    row, numbers = marks()[2], marks()
    assert part == "".join(kitty.PLACEHOLDER + row + numbers[column] for column in (3, 4))


def test_ids_fit_a_colour_and_differ() -> None:
    ids = {kitty.fresh_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(0 < image < 2**24 for image in ids)


@pytest.mark.parametrize(("size", "sent"), [((16, 9), (16, 9)), ((1600, 900), (320, 180))])
def test_no_more_pixels_are_sent_than_there_are(
    size: tuple[int, int], sent: tuple[int, int]
) -> None:
    source = Source(bytes(3 * size[0] * size[1]), *size)
    drawing = prepare(source, (64, 30), "kitty", Terminal("", "truecolor", "kitty"), 0).drawing
    assert drawing.ahead is not None
    (picture,) = read_graphics("".join(drawing.ahead.pieces).encode()).pictures
    assert (picture.columns, picture.rows) == (64, 18)
    with Image.open(io.BytesIO(picture.data)) as png:
        assert png.size == sent
