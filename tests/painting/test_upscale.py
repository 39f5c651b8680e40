"""Painting smaller: what the painter is shown, what becomes of it, and which models enlarge it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from renderer.errors import Cancelled, PainterError, SettingsError
from renderer.numeric.rgb import RgbPlanes
from renderer.painting import upscale
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import Outpainted, first_picture, outpaint, picture_of
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.painters.upscalers import load
from renderer.painting.upscale import RIM, Upscaled, make_painter
from renderer.settings.render import RenderSettings
from tests.marks import first_of
from tests.painting.jobs import ignore
from tests.painting.upscalers import KINDS, compact, saved
from tests.worlds import SmallTruth, natural

Pixels = NDArray[np.uint8]

SETTINGS = RenderSettings(
    keyframe_size=(256, 192), zoom_factor=1.5, upscale=2, painter="none", seed=5
)
PICTURE = natural(1400).view(1.0, SETTINGS.keyframe_size)


class Asked:
    """Paints stripes into what is masked, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.jobs: list[PaintJob] = []

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        on_step(1, 1)
        self.jobs.append(replace(job, canvas=job.canvas.copy(), mask=job.mask.copy()))
        stripes = 100 + 60 * np.sin(np.arange(job.mask.shape[1]) / 3 + job.seed % 7)
        painted = np.broadcast_to(stripes[None, :, None], job.canvas.shape)
        return np.where(job.mask[:, :, None], painted, job.canvas).astype(np.uint8)


def doubled(picture: NDArray[Any]) -> NDArray[Any]:
    """Every pixel four times."""
    return picture.repeat(2, axis=0).repeat(2, axis=1)


def softly_doubled(picture: Pixels) -> Pixels:
    """Lanczos, with colours a little off."""
    size = 2 * picture.shape[1], 2 * picture.shape[0]
    soft = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), np.float32)
    return np.clip(soft * 0.97 + [4, 6, 2], 0, 255).astype(np.uint8)


def halved(canvas: Pixels, factor: int = 2) -> Pixels:
    height, width = canvas.shape[:2]
    return RgbPlanes.from_rgb(canvas).view(
        (0, 0, width, height), (width // factor, height // factor)
    )


def painted_around(
    painter: Painter, settings: RenderSettings = SETTINGS, picture: Pixels = PICTURE
) -> Outpainted:
    return outpaint(
        painter,
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=ignore,
    )


# ----------------------------------------------------------------------------------- what is shown


@pytest.mark.parametrize("overmask", [0, 8])
@pytest.mark.parametrize("method", ["direct", "sequential"])
def test_the_painter_is_shown_the_canvas_scaled_down_and_all_that_is_to_be_painted(
    method: str, overmask: int
) -> None:
    asked, large = Asked(), Asked()
    settings = SETTINGS.changed({"method": method, "overmask": overmask, "seam_pass": 0.4})
    done = painted_around(Upscaled(asked, doubled, 2), settings)
    painted_around(large, settings)
    shown, whole = asked.jobs[0], large.jobs[0]
    assert np.array_equal(shown.canvas, halved(whole.canvas))
    for small, job in zip(asked.jobs, large.jobs, strict=True):
        assert np.array_equal(doubled(small.mask), job.mask)
        cells = small.mask[::8, ::8]  # of latents
        assert np.array_equal(cells.repeat(8, axis=0).repeat(8, axis=1), small.mask)
    assert replace(shown, canvas=whole.canvas, mask=whole.mask) == replace(whole)
    known = Geometry.of(settings).known
    assert np.array_equal(done.canvas[known.rows, known.columns], PICTURE)


def test_a_small_pixel_is_painted_where_any_part_of_it_is_masked() -> None:
    asked = Asked()
    mask = np.zeros((64, 64), np.bool_)
    mask[11, 20] = mask[40:46, 31:33] = True
    canvas = np.full((64, 64, 3), 90, np.uint8)
    Upscaled(asked, doubled, 2).paint(PaintJob(canvas, mask, "", "", 1, 1), ignore)
    found = np.argwhere(asked.jobs[0].mask)
    assert {tuple(at) for at in found} == {
        (5, 10),
        *((y, x) for y in (20, 21, 22) for x in (15, 16)),
    }


def test_the_first_picture_is_painted_smaller_too() -> None:
    asked = Asked()
    picture = first_picture(Upscaled(asked, doubled, 2), SETTINGS, ignore)
    (job,) = asked.jobs
    assert job.mask.shape == (96, 128)
    assert job.mask.all()
    assert picture.shape == (192, 256, 3)


def test_the_painter_is_made_for_what_it_paints(tmp_path: Path) -> None:
    made: list[RenderSettings] = []

    class Checking(Asked):
        def check(self, settings: RenderSettings) -> None:
            made.append(settings)

    painter = Upscaled(Checking(), doubled, 2)
    painter.check(SETTINGS.changed({"steps": 7}))
    (small,) = made
    assert (small.keyframe_size, small.size_multiple, small.steps) == ((128, 96), 8, 7)
    assert Geometry.of(small).canvas_size == tuple(
        n // 2 for n in Geometry.of(SETTINGS).canvas_size
    )
    Upscaled(Asked(), doubled, 2).check(SETTINGS)  # a painter without one takes everything


def test_a_painter_goes_on_with_other_steps_at_the_size_that_it_paints() -> None:
    asked: list[RenderSettings] = []

    class Adjustable(Asked):
        def adjust(self, settings: RenderSettings) -> bool:
            asked.append(settings)
            return settings.steps > 1

    settings = SETTINGS.changed({"upscale": 2, "upscaler": "a.safetensors", "steps": 7})
    assert Upscaled(Adjustable(), doubled, 2).adjust(settings)
    assert asked == [settings.painted_smaller()]
    assert not Upscaled(Adjustable(), doubled, 2).adjust(settings.changed({"steps": 1}))
    assert not Upscaled(Asked(), doubled, 2).adjust(settings)


# ------------------------------------------------------------------------------------ what is made


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("kind", first_of(KINDS))
def test_what_is_enlarged_is_scaled_down_what_was_painted(
    kind: str, factor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By spandrel, with random weights: whatever they make of it, it is held to the picture."""
    monkeypatch.setattr(upscale, "TILE", 64)
    enlarge = load(str(saved(KINDS[kind](factor), tmp_path / "a.safetensors")), factor)
    small = natural(1400).view(1.0, (128, 96))

    class Fixed:
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            return small

    size = 96 * factor, 128 * factor
    job = PaintJob(np.zeros((*size, 3), np.uint8), np.ones(size, np.bool_), "", "", 1, 0)
    painter = Upscaled(Fixed(), enlarge, factor)
    large = painter.paint(job, ignore)
    away = halved(large, factor).astype(float) - small
    assert np.sqrt(np.mean(away**2)) < 0.8
    assert np.array_equal(large, painter.paint(job, ignore))


def test_only_what_is_painted_is_enlarged_by_the_upscaler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upscale, "TILE", 48)
    shown: list[int] = []

    def enlarge(part: Pixels) -> Pixels:
        shown.append(part.shape[0] * part.shape[1])
        return doubled(part)

    size = 384, 512
    mask = np.zeros(size, np.bool_)
    mask[:40] = True
    canvas = np.full((*size, 3), 90, np.uint8)
    Upscaled(Asked(), enlarge, 2).paint(PaintJob(canvas, mask, "", "", 1, 1), ignore)
    whole = (size[0] // 2 + 2 * RIM) * (size[1] // 2 + 2 * RIM)
    assert sum(shown) < 0.8 * whole


@pytest.mark.parametrize("tile", [256, 64])
def test_a_true_upscaler_makes_the_true_canvas_in_tiles_too(
    tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscale, "TILE", tile)
    true = SmallTruth(natural(1400), SETTINGS, RIM)
    large = np.ones((192, 256), np.bool_)
    job = PaintJob(np.zeros((192, 256, 3), np.uint8), large, "", "", 1, 0)
    made = Upscaled(true, true.enlarge, 2).paint(job, ignore)
    assert true.enlarged == (1 if tile == 256 else 9)
    assert np.abs(made.astype(int) - PICTURE).mean() < 0.1


@pytest.mark.parametrize("tile", [256, 48])
def test_no_join_shows_where_what_is_enlarged_is_softer_than_what_is_known(
    tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscale, "TILE", tile)
    painter = Upscaled(SmallTruth(natural(1400), SETTINGS, RIM), softly_doubled, 2)
    picture, seams = PICTURE, []
    for keyframe in range(1, 4):
        done = outpaint(
            painter,
            picture,
            SETTINGS,
            keyframe=keyframe,
            reference=Reference.of(PICTURE),
            on_step=ignore,
        )
        seams.append(done.seam)
        picture = picture_of(done.canvas, SETTINGS)
    print(f"seams {seams}")  # noqa: T201
    assert max(seams) < 1.25


# --------------------------------------------------------------------------------- what goes wrong


def test_of_several_versions_each_is_enlarged_and_one_that_failed_is_none() -> None:
    class Some(Asked):
        def paint_many(self, jobs: Sequence[PaintJob], on_step: OnStep) -> list[Pixels | None]:
            return [None, *(self.paint(job, on_step) for job in jobs[1:])]

    some = Some()
    job = PaintJob(np.zeros((128, 128, 3), np.uint8), np.ones((128, 128), np.bool_), "", "", 1, 1)
    made = Upscaled(some, doubled, 2).paint_many(
        [replace(job, seed=seed) for seed in (1, 2, 3)], ignore
    )
    assert [each if each is None else each.shape for each in made] == [None, *[(128, 128, 3)] * 2]
    assert [each.seed for each in some.jobs] == [2, 3]
    assert not np.array_equal(*made[1:])


def test_a_painter_that_gives_back_nonsense_is_named() -> None:
    class Odd:
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            return job.canvas[:8]

    with pytest.raises(PainterError, match=r"Odd gave back shape \(8, 192, 3\)"):
        painted_around(Upscaled(Odd(), doubled, 2))


def test_it_can_be_stopped_while_it_enlarges() -> None:
    reports: list[tuple[int, int]] = []

    def on_step(done: int, total: int) -> None:
        reports.append((done, total))
        if len(reports) == 2:
            raise Cancelled("stop")

    job = PaintJob(np.zeros((128, 128, 3), np.uint8), np.ones((128, 128), np.bool_), "", "", 1, 1)
    with pytest.raises(Cancelled):
        Upscaled(Asked(), doubled, 2).paint(job, on_step)
    assert reports == [(1, 1)] * 2


def test_an_upscaler_that_enlarges_more_is_scaled_down(tmp_path: Path) -> None:
    four = saved(compact(4), tmp_path / "four.safetensors")
    small = natural(1400).view(1.0, (64, 48))
    whole, half = load(str(four), 4)(small), load(str(four), 2)(small)
    assert half.shape == (96, 128, 3)
    assert np.abs(halved(whole).astype(int) - half).mean() < 1


def nothing(path: Path) -> None:
    path.write_bytes(b"no safetensors")


def unknown(path: Path) -> None:
    save_file({"a.weight": torch.zeros(3)}, path)


def twice(path: Path) -> None:
    saved(compact(2), path)


def once(path: Path) -> None:
    saved(compact(1), path)


def broken(path: Path) -> None:
    saved(compact(4), path, spread=float("nan"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (nothing, "can't be loaded: "),
        (unknown, "no architecture that spandrel knows"),
        (twice, "enlarges 2 times, not 4; use another"),
        (once, r"Compact, Restoration\) does not enlarge colour pictures"),
        (broken, "made a broken picture"),
    ],
)
def test_a_file_that_is_no_upscaler_is_refused_in_one_line(
    make: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    make(tmp_path / "a.safetensors")
    with pytest.raises(PainterError, match=says) as caught:
        load(str(tmp_path / "a.safetensors"), 4)(np.zeros((64, 64, 3), np.uint8))
    assert "\n" not in str(caught.value)


def test_without_spandrel_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(PainterError, match=r"pip install 'zoomtui\[upscale\]'"):
        load("a.safetensors", 2)


def test_the_upscaler_is_opened_before_the_painter_is_made(tmp_path: Path) -> None:
    settings = SETTINGS.changed(
        {"painter": "tests.painters:unloadable", "upscaler": str(tmp_path / "a.safetensors")}
    )
    nothing(tmp_path / "a.safetensors")
    with pytest.raises(PainterError, match="can't be loaded"):
        make_painter(settings)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"keyframe_size": "128x96", "upscale": 2}, "keyframe_size"),
        ({"keyframe_size": "264x256", "upscale": 4}, "keyframe_size"),
        ({"upscale": 3}, "upscale"),
    ],
)
def test_settings_that_can_not_be_painted_smaller_are_refused(
    change: dict[str, object], field: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        RenderSettings().changed(change)
    assert caught.value.field == field
