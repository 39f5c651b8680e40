"""Pictures of a known world, as other programs make zooms of it, found to be the chain they are."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from renderer.errors import ProjectError, SettingsError
from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.painting.geometry import Geometry
from renderer.planning.import_chain import Chain, find_chain, import_chain
from renderer.project.project import Project
from renderer.project.status import read_status
from renderer.settings.plain_values import Size
from tests.engine.runs import render, steer
from tests.marks import slower
from tests.planning.chains import luma_of, psnr
from tests.worlds import Scene, World, natural, true_frame

NAMES = ["m", "c", "x", "a", "q", "k"]
"""Nothing that an alphabet would put in order."""


def pictures(
    folder: Path,
    world: World,
    factor: float,
    count: int = 4,
    size: Size = (320, 192),
    *,
    altered: bool = False,
    slip: float = 0.0,
) -> Path:
    """A zoom of ``world``; ``altered`` as by a model, each ``slip`` pixels further off."""
    folder.mkdir()
    for number in range(count):
        wide = world.view(factor**number, (size[0] + 16, size[1] + 16))
        left = 8 + slip * number
        image = Image.fromarray(wide).resize(
            size, Image.Resampling.BICUBIC, box=(left, 8, left + size[0], 8 + size[1])
        )
        pixels = np.asarray(image, np.float64)
        if altered:
            rng = np.random.default_rng(number)
            pixels = pixels * (1 - 0.01 * number) + 2 * number + rng.normal(0, 1.5, pixels.shape)
        Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(
            folder / f"{NAMES[number]}.png"
        )
    return folder


def imported(chain: Chain, out: Path, **wishes: Any) -> Path:
    quick = {"preset": "ultrafast", "threads": 1, "frames_per_keyframe": 6}
    import_chain(chain, out, {**quick, **wishes}, lambda done, total: None)
    return out


@pytest.mark.parametrize("factor", [2.0, *slower([1.62, 1.5, 4 / 3])])
@pytest.mark.parametrize("world", [natural(2900), Scene(3)], ids=["natural", "scene"])
def test_order_and_factor_are_found_to_a_small_part_of_a_pixel(
    tmp_path: Path, world: World, factor: float
) -> None:
    chain = find_chain(pictures(tmp_path / "in", world, factor, altered=True))
    assert [path.stem for path in chain.files] == NAMES[:4]
    assert chain.zoom_factor == pytest.approx(factor, rel=2e-4)
    for fit in chain.fits:
        assert abs(fit.zoom_factor / factor - 1) * 320 / 2 < 0.05
        assert max(map(abs, fit.shift)) < 0.05
        assert fit.misfit < 6


@pytest.mark.slow
def test_pictures_off_the_middle_are_measured_and_put_in_place(tmp_path: Path) -> None:
    world = natural(2900)
    chain = find_chain(pictures(tmp_path / "in", world, 1.5, slip=1.0))
    for number, fit in enumerate(chain.fits):
        assert fit.shift[0] == pytest.approx(number / 1.5 - (number + 1), abs=0.05)
        assert fit.shift[1] == pytest.approx(0, abs=0.05)
    folder = imported(chain, tmp_path / "p.zoom")
    assert exactness(folder, tmp_path, world, chain) > 33


def exactness(folder: Path, tmp_path: Path, world: World, chain: Chain) -> float:
    """Worst PSNR of a lossless export's frames against the world."""
    out = tmp_path / "film.mkv"
    plan = plan_export(folder, str(out), ExportOptions(encoder_options={"qp": "0"}))
    export(plan, lambda done, total: None)
    settings = plan.take.footage.settings
    geometry = Geometry.of(settings)
    with av.open(str(out)) as film:
        shown = [frame.to_ndarray()[: settings.size[1]] for frame in film.decode(video=0)]
    return min(
        psnr(luma, luma_of(true_frame(world, geometry, number / 6, settings.size)))
        for number, luma in enumerate(shown)
    )


def test_the_film_of_imported_pictures_shows_their_world(tmp_path: Path) -> None:
    world = natural(2900)
    chain = find_chain(pictures(tmp_path / "in", world, 1.5))
    folder = imported(chain, tmp_path / "p.zoom")
    assert exactness(folder, tmp_path, world, chain) > 33  # borders had no more pixels to give


def test_it_is_a_project_like_any_other(tmp_path: Path) -> None:
    chain = find_chain(pictures(tmp_path / "in", natural(2900), 2.0, altered=True))
    folder = imported(chain, tmp_path / "p.zoom")
    with Project.open(folder) as project:
        assert [stored.keyframe for stored in project.keyframes] == [0, 1, 2, 3]
        first = np.asarray(Image.open(tmp_path / "in" / "m.png"))
        assert np.array_equal(project.load_keyframe(0), first)
        known = Geometry.of(project.settings).known
        assert np.array_equal(project.load_keyframe(1)[known.rows, known.columns], first)
        assert max(stored.seam for stored in project.keyframes) < 1.4
    render(folder)
    assert read_status(folder).frames == 3 * 6 + 1
    steer(folder, keyframes=5, painter="tests.painters:gradient")
    render(folder)
    assert read_status(folder).keyframes == 5


def test_odd_sizes_are_cut_to_what_painters_want(tmp_path: Path) -> None:
    chain = find_chain(pictures(tmp_path / "in", natural(2900), 2.0, size=(325, 199)))
    assert chain.size == (320, 192)
    assert abs(chain.zoom_factor - 2) < 1e-3
    assert imported(chain, tmp_path / "p.zoom").is_dir()


def test_a_picture_that_does_not_belong_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", natural(2900), 1.5)
    Image.fromarray(Scene(9).view(1.0, (320, 192))).save(folder / "stranger.png")
    with pytest.raises(SettingsError, match="stranger"):
        find_chain(folder)


def test_a_missing_link_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", natural(2900), 1.5, count=5)
    (folder / "x.png").unlink()  # the third of five
    with pytest.raises(SettingsError, match=r"c\.png is not found .* nearest is a\.png"):
        find_chain(folder)


def test_pictures_that_wander_off_are_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", natural(2900), 1.5, slip=2.5)
    with pytest.raises(SettingsError, match="middle"):
        find_chain(folder)


def test_what_holds_no_chain_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a folder"):
        find_chain(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="two or more"):
        find_chain(tmp_path)
    folder = pictures(tmp_path / "in", natural(2900), 1.5, count=2)
    Image.new("RGB", (320, 200)).save(folder / "z.png")
    with pytest.raises(SettingsError, match=r"z\.png is 320x200"):
        find_chain(folder)
    (folder / "z.png").write_bytes(b"no picture")
    with pytest.raises(SettingsError, match=r"z\.png can't be read"):
        find_chain(folder)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG file of that size, which is all that says how large it is."""
    body = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def test_what_is_no_file_is_passed_over_and_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "in", natural(2900), 1.5, count=2)
    trap = folder / "z.png"
    for pass_over in (
        lambda: os.mkfifo(trap),
        lambda: trap.symlink_to("/dev/zero"),
        lambda: trap.symlink_to("z.png"),
    ):
        pass_over()
        assert len(find_chain(folder).files) == 2
        trap.unlink()
    for make in (
        lambda: trap.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        lambda: trap.write_bytes(bytes(64 << 20)),
        lambda: trap.write_bytes(png_header(60_000, 60_000)),
    ):
        make()
        with pytest.raises(SettingsError, match=r"z\.png") as told:
            find_chain(folder)
        assert "\n" not in str(told.value)
        trap.unlink()


def test_an_import_is_whole_or_nothing(tmp_path: Path) -> None:
    chain = find_chain(pictures(tmp_path / "in", natural(2900), 1.5, count=3))
    imported(chain, tmp_path / "p.zoom")
    with pytest.raises(ProjectError, match="already"):
        imported(chain, tmp_path / "p.zoom")
    shutil.rmtree(tmp_path / "p.zoom")
    chain.files[2].unlink()
    with pytest.raises(SettingsError):
        imported(chain, tmp_path / "p.zoom")
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]
