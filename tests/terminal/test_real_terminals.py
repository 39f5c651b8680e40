"""Pictures on the screens of real terminals, photographed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.terminal.ptys import python
from tests.terminal.real import MISSING, RealTerminal
from tests.terminal.test_blocks import psnr, waves
from zoomtui.terminal.pictures.scale import fit, shrink

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed (apt: xvfb xterm imagemagick)"
)
SIZE = (80, 24)
BOX = (80, 22)
"""The picture's widget: two lines of text are below it."""

Place = tuple[slice, slice]


def where(screen: NDArray[np.uint8], cell: tuple[int, int]) -> tuple[Place, NDArray[np.uint8]]:
    """The pixels that the picture has on the screen, and what they should show."""
    columns, rows = fit(waves().size, BOX, cell)
    left, top = (BOX[0] - columns) // 2 * cell[0], (BOX[1] - rows) // 2 * cell[1]
    width, height = columns * cell[0], rows * cell[1]
    place = slice(top, top + height), slice(left, left + width)
    return place, shrink(waves(), (width, height))


@pytest.mark.slow
def test_xterm_shows_sixels_inside_the_layout(tmp_path: Path) -> None:
    """The picture where its widget is, and after a notification and a dialog it is whole again."""
    path = tmp_path / "waves.png"
    waves().save(path)
    command = python("-m", "tests.tui.picture_app", str(tmp_path / "report.json"), str(path))
    with RealTerminal(tmp_path, command, size=SIZE) as terminal:
        terminal.until_written(b"ready")
        empty = terminal.screen()
        pixels = np.argwhere(empty.any(axis=2)).max(axis=0) + 1  # the rest of the screen is black
        cell = int(pixels[1]) // SIZE[0], int(pixels[0]) // SIZE[1]
        place, wanted = where(empty, cell)

        def whole(screen: NDArray[np.uint8]) -> bool:
            return psnr(screen[place], wanted) > 24

        terminal.send(b"f")
        terminal.until_shown(whole, "the picture")
        before = terminal.screen()
        around = np.ones(before.shape[:2], bool)
        around[place] = False
        around[BOX[1] * cell[1] :] = False  # the lines of text
        assert np.array_equal(before[around], empty[around]), "it is drawn beside its place"

        def is_as_before(screen: NDArray[np.uint8]) -> bool:
            return np.array_equal(screen[place], before[place])

        for covers, uncovers in ((b"t", b"c"), (b"m", b"o")):
            terminal.send(covers)
            terminal.until_shown(lambda screen: not is_as_before(screen), "something over it")
            terminal.send(uncovers)
            terminal.until_shown(is_as_before, "all of it again, pixel for pixel")
        terminal.send(b"n")
        terminal.until_shown(lambda screen: not whole(screen), "the next picture")
        terminal.send(b"q")
