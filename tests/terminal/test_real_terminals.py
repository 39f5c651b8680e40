"""Pictures on the screens of real terminals, photographed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.terminal.ptys import python
from tests.terminal.real import CELL, NEEDED, RealTerminal, missing
from tests.terminal.samples import psnr, waves
from zoomtui.terminal.pictures.cells import fit, shrink

SIZE = (80, 24)
BOX = (80, 22)
"""The picture's widget: two lines of text are below it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDED)
def test_sixels_are_shown_inside_the_layout(tmp_path: Path, name: str) -> None:
    """The picture where its widget is, and after a notification and a dialog it is whole again."""
    if lacking := missing(name):
        pytest.skip(f"not installed: {lacking} (apt: xvfb imagemagick xterm weston foot)")
    path = tmp_path / "waves.png"
    waves().save(path)
    columns, rows = fit(waves().size, BOX, CELL)
    left, top = (BOX[0] - columns) // 2 * CELL[0], (BOX[1] - rows) // 2 * CELL[1]
    width, height = columns * CELL[0], rows * CELL[1]
    place = slice(top, top + height), slice(left, left + width)
    wanted = shrink(waves(), (width, height))
    command = python("-m", "tests.tui.picture_app", str(tmp_path / "report.json"), str(path))
    with RealTerminal(tmp_path, command, name, SIZE) as terminal:
        terminal.until_written(b"ready")
        word = slice(BOX[1] * CELL[1], (BOX[1] + 1) * CELL[1]), slice(0, 5 * CELL[0])
        terminal.until_shown(lambda screen: np.ptp(screen[word]) > 100, "letters on a ground")
        empty = terminal.screen()

        def whole(screen: NDArray[np.uint8]) -> bool:
            return psnr(screen[place], wanted) > 24

        terminal.send(b"f")
        terminal.until_shown(whole, "the picture")
        before = terminal.screen()
        around = np.ones(before.shape[:2], bool)
        around[place] = False
        around[BOX[1] * CELL[1] :] = False  # the lines of text
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
