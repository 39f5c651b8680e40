"""Pictures as cells: how near they come to the picture, and what they cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.color import Color, ColorSystem

from tests.terminal.samples import PICTURES, psnr
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.pictures import ascii as ascii_art
from zoomtui.terminal.pictures import blocks, palette
from zoomtui.terminal.pictures.cells import Cells, fit, shrink
from zoomtui.terminal.pictures.prepare import load, prepare
from zoomtui.terminal.pictures.request import Pixels, Source, UnreadablePicture

BOX = (64, 18)


def seen(cells: Cells) -> Pixels:
    """What the cells show, four pixels a cell."""
    assert cells.front is not None
    assert cells.back is not None
    rows, columns = cells.glyphs.shape
    out = np.zeros((rows * 2, columns * 2, 3), np.uint8)
    for bit, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        front = (cells.glyphs >> bit & 1)[..., None] == 1
        out[down::2, right::2] = np.where(front, cells.front, cells.back)
    return out


def downgraded(colours: Pixels) -> Pixels:
    """What a terminal shows for 24-bit colours that Rich turned into the 256."""
    flat = [
        tuple(Color.from_rgb(*rgb).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())
        for rgb in colours.reshape(-1, 3).tolist()
    ]
    return np.array(flat, np.uint8).reshape(colours.shape)


def pixels(name: str) -> Pixels:
    columns, rows = fit(PICTURES[name].size, BOX)
    return shrink(PICTURES[name], (columns * 2, rows * 2))


@pytest.mark.parametrize(("name", "gain", "floor"), [("stars", 6, 35), ("waves", 0.5, 31)])
def test_quadrants_come_nearer_to_the_picture_than_half_blocks(
    name: str, gain: float, floor: float
) -> None:
    """In dB; half blocks as good as they can be made, the mean of the pixels that they cover."""
    wanted = pixels(name)
    half = np.repeat(wanted.reshape(wanted.shape[0], -1, 2, 3).mean(axis=2), 2, axis=1)
    quadrants = psnr(seen(blocks.quadrants(wanted)), wanted)
    assert quadrants > psnr(half, wanted) + gain
    assert quadrants > floor


def test_quadrants_are_the_best_of_all_splits() -> None:
    """Against trying every split of every cell, the plain way."""
    wanted = pixels("waves")[:8, :24]
    shown = seen(blocks.quadrants(wanted)).astype(np.float64)
    for row in range(0, 8, 2):
        for column in range(0, 24, 2):
            cell = wanted[row : row + 2, column : column + 2].reshape(4, 3).astype(np.float64)
            errors = []
            for split in range(8):
                front = np.array([split >> bit & 1 for bit in range(4)], bool)
                error = ((cell[~front] - cell[~front].mean(axis=0)) ** 2).sum()
                error += ((cell[front] - cell[front].mean(axis=0)) ** 2).sum() if split else 0
                errors.append(error)
            got = ((shown[row : row + 2, column : column + 2].reshape(4, 3) - cell) ** 2).sum()
            assert got <= min(errors) + blocks.FLAT + 12  # 12: rounding of twelve values


def test_a_flat_cell_is_a_space_in_one_colour() -> None:
    cells = blocks.quadrants(np.full((4, 8, 3), (10, 12, 30), np.uint8))
    assert not cells.glyphs.any()
    assert cells.back is not None
    assert (cells.back == (10, 12, 30)).all()


@pytest.mark.parametrize("name", PICTURES)
def test_256_colours_survive_rich_and_beat_its_own_choice(name: str) -> None:
    wanted = pixels(name)
    ours, theirs = palette.quadrants(wanted), blocks.quadrants(wanted)
    assert ours.front is not None
    assert ours.back is not None
    exact = {
        tuple(code): tuple(shown)
        for code, shown in zip(palette.codes().tolist(), palette.colours().tolist(), strict=True)
    }
    for code in {tuple(c) for c in np.concatenate([ours.front, ours.back]).reshape(-1, 3).tolist()}:
        assert tuple(downgraded(np.array([code], np.uint8))[0].tolist()) == exact[code]

    def far(cells: Cells) -> float:
        """Mean OKLab distance, cell by cell: what is seen from where one sits."""
        assert cells.front is not None
        assert cells.back is not None
        front, back = downgraded(cells.front), downgraded(cells.back)
        shown = seen(Cells(cells.glyphs, cells.alphabet, front, back))
        light = [palette._linear(blocks.by_cell(p)).mean(axis=1) for p in (shown, wanted)]
        return float(
            np.linalg.norm(palette.oklab(light[0]) - palette.oklab(light[1]), axis=1).mean()
        )

    assert far(ours) < 0.8 * far(theirs)


def test_greys_stay_grey_in_256_colours() -> None:
    ramp = np.repeat(np.linspace(0, 255, 128).astype(np.uint8)[None, :, None], 2, axis=0)
    cells = palette.quadrants(np.repeat(ramp, 3, axis=2))
    assert cells.back is not None
    shown = downgraded(cells.back).astype(int)
    assert (shown.max(axis=2) - shown.min(axis=2)).max() == 0


def test_ascii_is_ascii_and_gets_denser_with_light() -> None:
    ramp = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], 3, axis=2)
    ramp = np.repeat(ramp, 4, axis=0)
    dark = ascii_art.ramp(ramp, coloured=False)
    assert dark.alphabet.isascii()
    assert (np.diff(dark.glyphs[0].astype(int)) >= 0).all()
    assert dark.front is None
    light = ascii_art.ramp(ramp, coloured=False, dark=False)
    assert (light.glyphs == len(light.alphabet) - 1 - dark.glyphs).mean() > 0.9
    red = ascii_art.ramp(np.full((2, 2, 3), (90, 0, 0), np.uint8), coloured=True)
    assert red.front is not None
    assert red.front[0, 0, 0] > red.front[0, 0, 1] + 100


@pytest.mark.parametrize(
    ("pictures", "colours", "ceiling"),
    [
        ("blocks", "truecolor", 48),
        ("blocks", "256", 32),
        ("ascii", "truecolor", 32),
        ("ascii", "none", 6),
        ("kitty", "truecolor", 44),
    ],
)
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_costs_no_more_than_its_ceiling(
    name: str, pictures: str, colours: str, ceiling: int
) -> None:
    """KiB for 64×18 cells; the cost in blocks is an estimate, held to Textual's own output."""
    picture = PICTURES[name]
    source = Source(picture.tobytes(), *picture.size)
    terminal = Terminal("", colours, "off")  # type: ignore[arg-type]
    made = prepare(source, BOX, pictures, terminal, 0).drawing  # type: ignore[arg-type]
    cost = sum(map(len, made.ahead.pieces)) if made.ahead else made.cost
    assert cost < ceiling * 1024


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((1920, 1080), (80, 40), (80, 22)),
        ((1000, 1000), (80, 20), (40, 20)),
        ((1000, 10), (40, 20), (40, 1)),
        ((10, 1000), (40, 20), (1, 20)),
    ],
)
def test_a_picture_fits_its_box_and_keeps_its_aspect(
    size: tuple[int, int], box: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fit(size, box) == expected


def test_a_file_that_is_no_picture_says_so_in_one_line(tmp_path: Path) -> None:
    for name, content in (("a.png", b"\x89PNG\r\n\x1a\nnonsense"), ("b.jpg", b""), ("c.png", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadablePicture, match=name) as error:
            load(Source(path=tmp_path / name))
        assert "\n" not in str(error.value)


def test_the_wrong_number_of_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes are no RGB picture of 2×2"):
        Source(b"1234567", 2, 2)
