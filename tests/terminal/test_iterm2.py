"""iTerm2's inline pictures: the sequence as its documentation has it, and the picture in it."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from tests.terminal.samples import PICTURES, psnr
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures import iterm2
from zoomtui.terminal.pictures.cells import shrink
from zoomtui.terminal.pictures.request import Part

BOX = (64, 18)
HAS = Terminal("WezTerm", "truecolor", "iterm2")


def read(sequence: str) -> tuple[dict[str, str], Image.Image]:
    """The keys and the picture."""
    found = re.fullmatch(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07", sequence)
    assert found is not None
    keys = dict(pair.split("=") for pair in found[1].split(";"))
    data = b64decode(found[2], validate=True)
    assert keys.pop("size") == str(len(data))
    return keys, Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("limit", "floor", "size"),
    [(2**20, 33, (640, 360)), (64 * 1024, 30, (640, 360)), (12 * 1024, 24, (320, 180))],
)
def test_a_picture_arrives_whole_with_as_many_pixels_as_the_line_has_room_for(
    limit: int, floor: float, size: tuple[int, int]
) -> None:
    drawing = iterm2.draw(PICTURES["stars"], BOX, HAS, limit)
    assert drawing is not None
    assert drawing.over is not None
    sequence = drawing.over.draw(Part(0, 0, *BOX))
    assert len(sequence) <= limit
    keys, picture = read(sequence)
    assert keys == {"inline": "1", "width": "64", "height": "18", "preserveAspectRatio": "0"}
    assert (picture.format, picture.size) == ("JPEG", size)
    shown = np.asarray(picture.resize((640, 360)))
    assert psnr(shown, shrink(PICTURES["stars"], (640, 360))) > floor


def test_a_part_is_that_part() -> None:
    drawing = iterm2.draw(PICTURES["waves"], BOX, HAS, 2**20)
    assert drawing is not None
    assert drawing.over is not None
    keys, picture = read(drawing.over.draw(Part(3, 2, 10, 7)))
    assert (keys["width"], keys["height"]) == ("7", "5")
    wanted = shrink(PICTURES["waves"], (640, 360))[40:140, 30:100]
    assert psnr(np.asarray(picture), wanted) > 30


def test_a_line_without_room_gets_none() -> None:
    assert iterm2.draw(PICTURES["waves"], BOX, HAS, 1000) is None
