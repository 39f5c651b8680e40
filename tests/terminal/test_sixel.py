"""Sixels: what libsixel's decoder makes of them, and what they cost."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.terminal.samples import PICTURES, psnr
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures import sixel
from zoomtui.terminal.pictures.cells import shrink
from zoomtui.terminal.pictures.prepare import prepare
from zoomtui.terminal.pictures.request import Part, Source

BOX = (64, 18)
HAS = Terminal("foot", "truecolor", "sixel")

needs_decoder = pytest.mark.skipif(
    shutil.which("sixel2png") is None, reason="sixel2png is not installed (libsixel-bin)"
)


def decoded(sequence: str, folder: Path) -> NDArray[np.uint8]:
    """What libsixel makes of it."""
    (folder / "a.six").write_text(sequence)
    command = ["sixel2png", "-i", str(folder / "a.six"), "-o", str(folder / "a.png")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return np.asarray(Image.open(folder / "a.png").convert("RGB"))


@needs_decoder
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 6), (640, 13)])
def test_the_decoder_sees_the_very_pixels(size: tuple[int, int], tmp_path: Path) -> None:
    """Of noise in 256 colours; a palette's levels are percents, so the last bit may be off."""
    noise = np.random.default_rng(3)
    indexes = noise.integers(0, 256, (size[1], size[0]), np.uint8)
    indexes[:, size[0] // 2 :] = 9  # and long runs
    palette = noise.integers(0, 256, (256, 3), np.uint8)
    shown = decoded(sixel.encode(indexes, palette), tmp_path)
    assert shown.shape == (size[1], size[0], 3)
    percents = np.rint(palette / 255 * 100) * 2.55
    assert np.abs(shown - percents[indexes]).max() <= 1
    assert np.abs(percents - palette).max() < 1.3


@needs_decoder
@pytest.mark.parametrize(("name", "floor"), [("stars", 36), ("waves", 26)])
def test_a_picture_comes_near_to_its_source(name: str, floor: float, tmp_path: Path) -> None:
    drawing = sixel.draw(PICTURES[name], BOX, HAS, 2**20)
    assert drawing is not None
    assert drawing.over is not None
    wanted = shrink(PICTURES[name], (640, 360))
    whole = decoded(drawing.over.draw(Part(0, 0, *BOX)), tmp_path)
    assert psnr(whole, wanted) > floor
    part = decoded(drawing.over.draw(Part(3, 2, 10, 7)), tmp_path)
    assert np.array_equal(part, whole[40:140, 30:100])


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("limit", [1024 * 1024, 64 * 1024])
def test_a_picture_keeps_to_the_limit(name: str, limit: int) -> None:
    drawing = sixel.draw(PICTURES[name], BOX, HAS, limit)
    assert drawing is not None
    assert drawing.over is not None
    assert limit / 8 < len(drawing.over.draw(Part(0, 0, *BOX))) <= limit


def test_where_no_sixels_fit_the_line_there_are_blocks() -> None:
    picture = PICTURES["stars"]
    made = prepare(Source(picture.tobytes(), *picture.size), BOX, "sixel", HAS, 1000)
    assert made.drawing.image == 0
    assert made.drawing.lines is made.covered


def test_a_terminal_of_16_colours_gets_no_more() -> None:
    drawing = sixel.draw(
        PICTURES["stars"], BOX, Terminal("xterm", "256", "sixel", registers=16), 2**20
    )
    assert drawing is not None
    assert drawing.over is not None
    assert drawing.over.draw(Part(0, 0, *BOX)).count(";2;") <= 16
