"""From a picture to the next canvas: calls, masks, seeds, and worlds that come out true."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import Cancelled, PainterError
from renderer.painting import colour_match
from renderer.painting.colour_match import Reference
from renderer.painting.geometry import Geometry
from renderer.painting.outpaint import (
    Outpainted,
    first_picture,
    outpaint,
    picture_of,
)
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.seeds import derive_seed
from renderer.settings.painting import Method
from renderer.settings.plain_values import Size
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore
from tests.worlds import (
    Scene,
    TrueBorder,
    VaeLike,
    World,
    hard,
    natural,
    true_border,
    true_canvas,
    vae_like,
)

Pixels = NDArray[np.uint8]
_METHODS: list[Method] = ["direct", "sequential"]


def _settings(
    size: Size = (96, 96), factor: float = 1.5, method: Method = "direct", **others: object
) -> RenderSettings:
    settings = RenderSettings(
        keyframe_size=size, zoom_factor=factor, method=method, size_multiple=4, steps=3, seed=7
    )
    return settings.changed(others)


def _chain(painter: Painter, settings: RenderSettings, count: int) -> list[Outpainted]:
    """Keyframe 0 and ``count`` canvases around it."""
    picture = first_picture(painter, settings, ignore)
    reference = Reference.of(picture)
    chain = [Outpainted(picture, 0.0, 0.0, 0)]
    for keyframe in range(1, count + 1):
        made = outpaint(
            painter, picture, settings, keyframe=keyframe, reference=reference, on_step=ignore
        )
        chain.append(made)
        picture = picture_of(made.canvas, settings)
    return chain


def _psnr(a: Pixels, b: Pixels) -> float:
    error = float(np.mean((a.astype(float) - b) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-4)))


@dataclass
class _Recorder:
    """Paints one colour wherever it is asked to, and remembers its jobs."""

    jobs: list[PaintJob] = field(default_factory=list)

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        self.jobs.append(job)
        on_step(1, 1)
        return np.where(job.mask[:, :, None], np.uint8(200), job.canvas)


# ------------------------------------------------------------------------------------- calls


def test_the_first_picture_is_painted_on_a_blank_canvas_by_a_mask_of_true() -> None:
    painter = _Recorder()
    settings = _settings((96, 64), prompt="stars", negative_prompt="text")
    picture = first_picture(painter, settings, ignore)
    (job,) = painter.jobs
    assert job.mask.all()
    assert np.all(job.canvas == 128)
    assert (job.prompt, job.negative_prompt, job.keyframe) == ("stars", "text", 0)
    assert job.seed == derive_seed(7, 0, 0)
    assert picture.shape == (64, 96, 3)


def test_direct_asks_once_for_everything_that_is_not_known() -> None:
    painter = _Recorder()
    settings = _settings((96, 64), 2.0)
    picture = Scene(1).view(1, (96, 64))
    reference = Reference.of(picture)
    made = outpaint(painter, picture, settings, keyframe=4, reference=reference, on_step=ignore)
    (job,) = painter.jobs
    known = Geometry.of(settings).known
    expected = np.ones((128, 192), np.bool_)
    expected[known.rows, known.columns] = False
    assert np.array_equal(job.mask, expected)
    assert np.array_equal(job.canvas, np.pad(picture, ((32, 32), (48, 48), (0, 0)), "symmetric"))
    assert (job.keyframe, job.seed) == (4, derive_seed(7, 4, 0))
    assert made.seed == job.seed
    assert np.array_equal(made.canvas[known.rows, known.columns], picture)
    assert np.all(made.canvas[expected] == 200)


def test_a_picture_of_another_size_is_refused_before_anything_is_painted() -> None:
    painter = _Recorder()
    picture = Scene(1).view(1, (64, 96))
    with pytest.raises(ValueError, match=r"a picture of 64x96 for keyframes of 96x64"):
        outpaint(
            painter,
            picture,
            _settings((96, 64), 2.0),
            keyframe=1,
            reference=Reference.of(picture),
            on_step=ignore,
        )
    assert not painter.jobs


def test_sequential_asks_for_left_top_right_and_bottom_on_what_was_painted_before() -> None:
    painter = _Recorder()
    settings = _settings((96, 64), 2.0, "sequential")
    picture = Scene(1).view(1, (96, 64))
    reference = Reference.of(picture)
    made = outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    masks = [job.mask for job in painter.jobs]
    assert [mask.shape for mask in masks] == [(64, 144), (96, 144), (96, 192), (128, 192)]
    asked = [np.s_[:, :48], np.s_[:32], np.s_[:, 144:], np.s_[96:]]
    for mask, side in zip(masks, asked, strict=True):
        assert mask[side].all()
        assert mask.sum() == mask[side].size
    assert np.all(painter.jobs[1].canvas[32:, :48] == 200)
    assert len({job.seed for job in painter.jobs}) == 4
    assert made.canvas.shape == (128, 192, 3)


def test_a_border_wider_than_the_picture_is_padded_all_the_same() -> None:
    painter = _Recorder()
    settings = _settings((64, 64), 4.0)
    picture = Scene(1).view(1, (64, 64))
    reference = Reference.of(picture)
    outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    canvas = painter.jobs[0].canvas
    assert canvas.shape == (256, 256, 3)
    assert np.array_equal(canvas[96:160, 32:96], picture[:, ::-1])


def test_seeds_are_the_same_on_every_machine_and_in_every_version() -> None:
    known = {
        (0, 0, 0): 759540517790923586,
        (0, 1, 0): 2994300784048610342,
        (0, 0, 1): 8137497327577655571,
        (42, 17, 3): 4032940237273025522,
        (2**63 - 1, 100000, 2): 7262993929454669036,
    }
    assert {numbers: derive_seed(*numbers) for numbers in known} == known
    assert (
        len({derive_seed(s, k, i) for s in range(5) for k in range(50) for i in range(4)}) == 1000
    )
    assert all(0 <= seed < 2**63 for seed in known.values())


@pytest.mark.parametrize(("method", "total"), [("direct", 3), ("sequential", 12)])
def test_progress_is_counted_over_all_calls(method: Method, total: int) -> None:
    reports: list[tuple[int, int]] = []
    painter = true_border(_settings(method=method))
    picture = true_canvas(painter.world, Geometry.of(painter.settings), 0)
    outpaint(
        painter,
        picture,
        painter.settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=lambda done, of: reports.append((done, of)),
    )
    assert reports == [(done, total) for done in range(1, total + 1)]


def test_progress_never_runs_back_where_calls_count_differently() -> None:
    @dataclass
    class Uneven(_Recorder):
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            total = job.mask.size // 500
            for done in range(total + 1):
                on_step(done, total)
            return job.canvas.copy()

    reports: list[tuple[int, int]] = []
    settings = _settings(method="sequential")
    picture = Scene(1).view(1, (96, 96))
    outpaint(
        Uneven(),
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=lambda done, of: reports.append((done, of)),
    )
    assert reports == sorted(reports)
    assert {of for _, of in reports} == {12}
    assert reports[-1] == (12, 12)


def test_cancelling_from_on_step_leaves_at_once() -> None:
    def cancel(done: int, total: int) -> None:
        raise Cancelled

    painter = _Recorder()
    picture = Scene(1).view(1, (96, 96))
    with pytest.raises(Cancelled):
        outpaint(
            painter,
            picture,
            _settings(method="sequential"),
            keyframe=1,
            reference=Reference.of(picture),
            on_step=cancel,
        )
    assert len(painter.jobs) == 1


# ---------------------------------------------------------------------------------- overmask


def test_an_overmask_reaches_into_the_picture_and_keeps_it_all_the_same() -> None:
    painter = _Recorder()
    settings = _settings((96, 64), 2.0, size_multiple=8, overmask=8)
    picture = Scene(1).view(1, (96, 64))
    reference = Reference.of(picture)
    made = outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    (job,) = painter.jobs
    expected = np.ones((128, 192), np.bool_)
    expected[40:88, 56:136] = False
    assert np.array_equal(job.mask, expected)
    assert np.array_equal(job.canvas, np.pad(picture, ((32, 32), (48, 48), (0, 0)), "symmetric"))
    known = Geometry.of(settings).known
    assert np.array_equal(made.canvas[known.rows, known.columns], picture)


def test_an_overmask_reaches_inwards_from_the_sides_only_that_grow() -> None:
    painter = _Recorder()
    settings = _settings((96, 64), 2.0, "sequential", size_multiple=8, overmask=8)
    picture = Scene(1).view(1, (96, 64))
    reference = Reference.of(picture)
    outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    asked = [np.s_[:, :56], np.s_[:40], np.s_[:, 136:], np.s_[88:]]
    for job, side in zip(painter.jobs, asked, strict=True):
        assert job.mask[side].all()
        assert job.mask.sum() == job.mask[side].size


@pytest.mark.parametrize(
    ("overmask", "multiple", "band"),
    [(1, 8, 8), (9, 8, 16), (8, 16, 16), (8, 64, 16), (256, 8, 32)],
)
def test_an_overmask_is_made_of_whole_cells_and_leaves_half_of_the_picture(
    overmask: int, multiple: int, band: int
) -> None:
    painter = _Recorder()
    settings = _settings((128, 128), 2.0, size_multiple=multiple, overmask=overmask)
    picture = Scene(1).view(1, (128, 128))
    reference = Reference.of(picture)
    outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
    assert int((~painter.jobs[0].mask).any(axis=0).sum()) == 128 - 2 * band


def test_a_painter_that_redraws_the_overmask_gets_a_join_all_the_same() -> None:
    """Its border goes on from what it drew, which is not what is kept."""

    @dataclass
    class Elsewhere:
        """Outside of what it is shown it paints another place, after a VAE's manner."""

        settings: RenderSettings

        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            other = TrueBorder(Scene(99), self.settings).paint(job, on_step)
            painted = np.where(job.mask[:, :, None], other, job.canvas).astype(float)
            return np.rint(0.97 * painted + 4).clip(0, 255).astype(np.uint8)

    seams = []
    for feather in (0, 48):
        settings = _settings((192, 128), overmask=8, size_multiple=8, feather=feather)
        picture = Scene(7).view(1, (192, 128))
        known, reference = Geometry.of(settings).known, Reference.of(picture)
        made = outpaint(
            Elsewhere(settings), picture, settings, keyframe=1, reference=reference, on_step=ignore
        )
        assert np.array_equal(made.canvas[known.rows, known.columns], picture)
        seams.append(made.seam)
    assert seams[0] > 2.2
    assert seams[1] < 1.5


@pytest.mark.parametrize("method", _METHODS)
def test_an_overmask_keeps_a_vaes_joins_and_brightness_true(method: Method) -> None:
    settings = _settings((160, 96), 1.5, method, size_multiple=8, overmask=8)
    world, geometry = natural(2700), Geometry.of(settings)
    chain = _chain(VaeLike(TrueBorder(world, settings)), settings, 6)
    for keyframe, made in enumerate(chain):
        truth = true_canvas(world, geometry, keyframe)
        assert abs(made.canvas.mean() - truth.mean()) < 0.15
        if keyframe:
            assert made.seam / colour_match.seam(truth, geometry.known) == pytest.approx(1, abs=0.1)


# ---------------------------------------------------------------------------------- mistrust


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda canvas: canvas[:-1], r"gave back shape \(143, 144, 3\) for keyframe 1"),
        (lambda canvas: canvas[:, :, 0], r"gave back shape \(144, 144\)"),
        (lambda canvas: canvas.astype(np.float32), "gave back dtype float32"),
        (lambda canvas: canvas.swapaxes(0, 1), "gave back an array that is not C-contiguous"),
        (lambda canvas: None, "gave back no array but NoneType"),
    ],
)
def test_an_answer_that_is_no_picture_is_the_painters_fault(
    answer: Callable[[Pixels], Pixels], fault: str
) -> None:
    class Faulty:
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            return answer(job.canvas)

    picture = Scene(1).view(1, (96, 96))
    with pytest.raises(PainterError, match=rf"painter .*Faulty {fault}.*expected a C-contig") as e:
        outpaint(
            Faulty(),
            picture,
            _settings(),
            keyframe=1,
            reference=Reference.of(picture),
            on_step=ignore,
        )
    assert "\n" not in str(e.value)


def test_a_painter_that_scribbles_over_its_job_harms_nothing() -> None:
    class Scribbler:
        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            job.canvas[:] = 3
            job.mask[:] = True
            return job.canvas

    picture = Scene(1).view(1, (96, 96))
    before, settings = picture.copy(), _settings()
    reference = Reference.of(picture)
    made = outpaint(Scribbler(), picture, settings, keyframe=1, reference=reference, on_step=ignore)
    known = Geometry.of(settings).known
    assert np.array_equal(made.canvas[known.rows, known.columns], before)
    assert np.array_equal(picture, before)


def test_what_is_returned_is_not_the_painters_own_memory() -> None:
    class Reuser(_Recorder):
        memory = np.zeros((96, 96, 3), np.uint8)

        def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
            return self.memory

    assert not np.shares_memory(first_picture(Reuser(), _settings(), ignore), Reuser.memory)


# ------------------------------------------------------------------------------------ worlds


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("size", [(320, 320), (320, 180)], ids=["square", "wide"])
@pytest.mark.parametrize(("factor", "count"), [(2.0, 3), (1.5, 5)])
@pytest.mark.parametrize(("make", "least"), [(natural, 52), (hard, 46)], ids=["natural", "hard"])
def test_canvases_of_a_known_world_are_its_true_views(
    make: Callable[[int], World],
    least: float,
    factor: float,
    count: int,
    size: Size,
    method: Method,
) -> None:
    settings = _settings(size, factor, method)
    world = make(2700)
    chain = _chain(TrueBorder(world, settings), settings, count)
    geometry = Geometry.of(settings)
    for keyframe, made in enumerate(chain):
        assert _psnr(made.canvas, true_canvas(world, geometry, keyframe)) >= least
    assert np.array_equal(chain[1].canvas, true_canvas(world, geometry, 1))


@pytest.mark.parametrize("method", _METHODS)
def test_a_scene_without_end_stays_true_ever_further_out(method: Method) -> None:
    settings = _settings(method=method)
    painter, geometry = true_border(settings), Geometry.of(settings)
    for keyframe, made in enumerate(_chain(painter, settings, 8)):
        assert _psnr(made.canvas, true_canvas(painter.world, geometry, keyframe)) >= 48


@functools.cache
def _vae_chain(
    size: Size, factor: float, method: Method, count: int
) -> tuple[list[float], list[float]]:
    """(brightness off by, seam ÷ the true seam) of the keyframes that a VAE-like painter made."""
    settings = _settings(size, factor, method)
    # Dark, so that the painter's +4 shows: at the middle of the scale its gain would undo it.
    world, geometry = Scene(settings.seed, level=60, contrast=22), Geometry.of(settings)
    painter = VaeLike(TrueBorder(world, settings))
    off, seams = [], []
    for keyframe, made in enumerate(_chain(painter, settings, count)):
        truth = true_canvas(world, geometry, keyframe)
        off.append(float(made.canvas.mean() - truth.mean()))
        if keyframe:
            seams.append(made.seam / colour_match.seam(truth, geometry.known))
    return off, seams


_VAES = pytest.mark.parametrize(
    ("size", "factor", "count"),
    [
        ((128, 72), 2.0, 6),
        ((80, 80), 1.5, 6),
        pytest.param((80, 80), 2.0, 40, marks=pytest.mark.slow),
        pytest.param((128, 72), 1.5, 20, marks=pytest.mark.slow),
    ],
)


@_VAES
@pytest.mark.parametrize("method", _METHODS)
def test_a_vae_hardly_changes_the_mean_brightness(
    size: Size, factor: float, method: Method, count: int
) -> None:
    off, _ = _vae_chain(size, factor, method, count)
    assert max(map(abs, off[:7])) <= 0.3
    assert max(map(abs, off)) <= 1


@_VAES
@pytest.mark.parametrize("method", _METHODS)
def test_a_vae_leaves_no_square(size: Size, factor: float, method: Method, count: int) -> None:
    _, seams = _vae_chain(size, factor, method, count)
    assert np.mean(seams) == pytest.approx(1, abs=0.15)
    assert 0.75 < min(seams) <= max(seams) < 1.35


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("make", [natural, hard])
def test_harsher_painters_are_put_right_as_well(
    make: Callable[[int], World], method: Method
) -> None:
    settings = _settings((320, 320), 1.5, method)
    world, geometry = make(2700), Geometry.of(settings)
    painter = VaeLike(
        TrueBorder(world, settings), (0.92, 0.9, 0.88), (10.0, 8.0, 14.0), blur=0.8, noise=3.0
    )
    for keyframe, made in enumerate(_chain(painter, settings, 5)):
        truth = true_canvas(world, geometry, keyframe)
        assert abs(made.canvas.mean() - truth.mean()) < 0.3
        if keyframe:
            assert made.seam / colour_match.seam(truth, geometry.known) < 1.4


def test_the_same_settings_give_the_same_canvases_bit_for_bit() -> None:
    settings = _settings(method="sequential")
    one, two = (_chain(vae_like(settings), settings, 3) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.canvas, b.canvas)
        assert (a.seam, a.drift, a.seed) == (b.seam, b.drift, b.seed)


def test_a_picture_is_the_exact_middle_of_its_canvas() -> None:
    settings = _settings((96, 68), 1.3)
    geometry, world = Geometry.of(settings), Scene(4)
    assert geometry.canvas_size == (128, 92)  # more than ρ asks for: 124.8 x 88.4
    picture = picture_of(true_canvas(world, geometry, 1), settings)
    assert picture.shape == (68, 96, 3)
    assert picture.flags.c_contiguous
    assert _psnr(picture, world.view(1.3, (96, 68))) > 48


def test_known_worlds_can_be_painted_by_name_in_another_process() -> None:
    code = (
        "import numpy as np\n"
        "from renderer.settings.render import RenderSettings\n"
        "from renderer.painting.outpaint import first_picture\n"
        "from tests.worlds import true_border, true_canvas\n"
        "settings = RenderSettings(keyframe_size=(64, 64), seed=7)\n"
        "picture = first_picture(true_border(settings), settings, lambda done, total: None)\n"
        "print(picture.mean())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == pytest.approx(Scene(7).view(1, (64, 64)).mean())
