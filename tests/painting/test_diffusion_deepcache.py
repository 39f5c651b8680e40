"""Shallow steps of a UNet: which they are, what they cost the picture, and that nothing remains."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import cpu_offload
from numpy.typing import NDArray

from renderer.errors import Cancelled
from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import outpaint
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.deepcache import inner_blocks
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import offload_models
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.diffusion.pipeline_call import Caller
from renderer.settings.render import RenderSettings
from renderer.settings.speed_levels import LEAST_STEPS, LEVELS
from tests.marks import first_of
from tests.painting.jobs import ignore, ring_job
from tests.painting.kinds import wide_job

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

STEPS = 12
WHOLE = [0, 3, 6, 9, 11]
"""Of twelve steps: every third, and the last. Guidance ends after the ninth, when one is due."""

Make = Callable[..., DiffusionPainter]
Picture = NDArray[np.uint8]
Same = Callable[..., Picture]


@pytest.fixture(params=first_of(["sd", "sdxl"]))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(folders: dict[str, Path]) -> Make:
    def made(kind: str = "sd", **more: Any) -> DiffusionPainter:
        values = {"steps": STEPS, "speed": "fast", "model": str(folders[kind]), **more}
        settings = RenderSettings(prompt="a castle", **values)
        return DiffusionPainter(load(settings), settings)

    return made


@pytest.fixture(scope="module")
def same(folders: dict[str, Path]) -> Same:
    """What an untouched painter makes of a job, worked out once."""
    made: dict[str, Picture] = {}

    def paint(kind: str = "sd", **more: Any) -> Picture:
        values = {"steps": STEPS, "speed": "fast", "model": str(folders[kind]), **more}
        settings = RenderSettings(prompt="a castle", **values)
        if str(settings) not in made:
            painter = DiffusionPainter(load(settings), settings)
            made[str(settings)] = painter.paint(job(), ignore)
        return made[str(settings)]

    return paint


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how often a step of ``fast`` is whole; and all of them are guided."""

    def set_to(steps: int) -> None:
        level = replace(LEVELS["fast"], deep_every=steps, guided=1.0)
        monkeypatch.setitem(LEVELS, "fast", level)  # type: ignore[arg-type]

    return set_to


def job(seed: int = 1, strength: float | None = None) -> PaintJob:
    return ring_job(negative="blurry", seed=seed, strength=strength)


def cancel_at(step: int) -> Callable[[int, int], None]:
    def on_step(done: int, total: int) -> None:
        if done == step:
            raise Cancelled

    return on_step


@contextmanager
def hooked(module: torch.nn.Module, hook: Any) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def steps_run(painter: DiffusionPainter) -> Iterator[dict[str, list[int]]]:
    """The steps, counted over all calls, in which each block's layers really ran."""
    unet = painter.caller.pipeline.unet
    blocks = {f"down {n}": block for n, block in enumerate(unet.down_blocks)}
    blocks |= {f"up {n}": block for n, block in enumerate(unet.up_blocks)}
    blocks["mid"] = unet.mid_block
    seen: dict[str, list[int]] = {name: [] for name in blocks}
    step = [-1]

    def begin(*_: Any) -> None:
        step[0] += 1

    def ran(name: str) -> Any:
        return lambda *_: seen[name].append(step[0])

    handles = [unet.register_forward_pre_hook(begin)]
    # Of a layer: a block's own hooks see it hand back what it has kept as well.
    handles += [block.resnets[0].register_forward_hook(ran(name)) for name, block in blocks.items()]
    yield seen
    for handle in handles:
        handle.remove()


def untouched(painter: DiffusionPainter) -> bool:
    return not any("forward" in vars(block) for block in painter.caller.pipeline.unet.modules())


def psnr(one: Picture, other: Picture) -> float:
    """dB."""
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


@pytest.mark.parametrize("name", ["sd", "sdxl", "sd4", "kandinsky", "sdxl-promax"])
def test_a_shallow_step_runs_the_outermost_blocks_only(
    folders: dict[str, Path], families: dict[str, Path], name: str
) -> None:
    settings = RenderSettings(
        prompt="a castle", steps=STEPS, speed="fast", model=str({**folders, **families}[name])
    )
    painter = DiffusionPainter(load(settings), settings)
    with steps_run(painter) as seen:
        painter.paint(wide_job(), ignore)
    outer = {"down 0", f"up {len(painter.caller.pipeline.unet.up_blocks) - 1}"}
    assert {block for block, steps in seen.items() if steps == list(range(STEPS))} == outer
    assert all(steps == WHOLE for block, steps in seen.items() if block not in outer)
    assert len(seen) - len(outer) == len(inner_blocks(painter.caller.pipeline.unet)) >= 3


def test_the_step_after_guidance_ends_is_whole_because_the_batch_is_another(make: Make) -> None:
    painter = make(steps=10)  # seven of them guided
    with steps_run(painter) as seen:
        painter.paint(job(), ignore)
    assert seen["mid"] == [0, 3, 6, 7, 9]


@pytest.mark.parametrize(
    "more",
    [{"steps": LEAST_STEPS - 1}, {"steps": 25, "strength": 0.3}],
    ids=["few steps", "low strength"],
)
def test_a_call_of_few_steps_runs_them_all_whole(make: Make, more: dict[str, Any]) -> None:
    exact = make(speed="balanced", **more).paint(job(), ignore)
    assert np.array_equal(make(**more).paint(job(), ignore), exact)


def test_a_model_without_a_unet_is_left_alone(kept: Make) -> None:
    job = wide_job()
    exact, fast = (
        kept("z-image", steps=STEPS, guidance_scale=1.0, speed=speed).paint(job, ignore)
        for speed in ("balanced", "fast")
    )
    assert np.array_equal(fast, exact)


def test_a_cache_of_one_step_changes_no_bit(
    make: Make, same: Same, kind: str, every: Callable[[int], None]
) -> None:
    exact = same(kind, speed="quality")
    every(1)
    assert np.array_equal(make(kind).paint(job(), ignore), exact)


@pytest.mark.slow
def test_the_picture_is_nearer_to_the_exact_one_than_as_few_steps_make_it(
    make: Make, same: Same, kind: str, every: Callable[[int], None]
) -> None:
    exact = same(kind, speed="quality")
    few = same(kind, speed="quality", steps=len(WHOLE))
    pictures = []
    for steps in (3, 6):
        every(steps)
        pictures.append(make(kind).paint(job(), ignore))
    third, sixth = (psnr(picture, exact) for picture in pictures)
    assert 60 > third > sixth > psnr(few, exact)
    assert third > max(40, psnr(few, exact) + 6)


@pytest.mark.slow
def test_the_same_job_gives_the_same_picture(make: Make, same: Same, kind: str) -> None:
    painter = make(kind)
    first = same(kind)
    assert not np.array_equal(painter.paint(job(seed=2), ignore), first)
    for _ in range(2):
        assert np.array_equal(painter.paint(job(), ignore), first)


@pytest.mark.parametrize("step", [1, 5, 9])
def test_a_call_that_is_cancelled_leaves_nothing_behind(make: Make, same: Same, step: int) -> None:
    expected = same()
    painter = make()
    with pytest.raises(Cancelled):
        painter.paint(job(seed=2), cancel_at(step))
    assert untouched(painter)
    assert np.array_equal(painter.paint(job(), ignore), expected)


def fails_at(step: int, error: Exception) -> Any:
    """A hook that raises ``error`` at the ``step``-th call."""
    left = [step]

    def fail(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise error

    return fail


def test_a_full_memory_in_a_shallow_step_paints_the_same_keyframe_again(
    make: Make, same: Same
) -> None:
    expected = same()
    painter = make()
    full = fails_at(5, torch.OutOfMemoryError("CUDA out of memory"))
    with hooked(painter.caller.pipeline.unet, full):
        assert np.array_equal(painter.paint(job(), ignore), expected)
    assert len(painter.caller.rungs) == 1


def test_a_model_that_fails_within_a_block_leaves_nothing_behind(make: Make, same: Same) -> None:
    expected = same()
    painter = make()
    bug = fails_at(2, RuntimeError("shapes do not fit"))
    with (
        hooked(painter.caller.pipeline.unet.mid_block.resnets[0], bug),
        pytest.raises(RuntimeError, match="shapes"),
    ):
        painter.paint(job(seed=2), ignore)
    assert untouched(painter)
    assert np.array_equal(painter.paint(job(), ignore), expected)


@pytest.mark.parametrize("cancelled", [False, True])
def test_no_features_are_kept_between_two_calls(make: Make, cancelled: bool) -> None:
    painter = make()
    features: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def keep(_: Any, __: Any, feature: torch.Tensor) -> None:
        features.append(weakref.ref(feature))
        alive.append(len({id(ref()) for ref in features if ref() is not None}))

    with hooked(painter.caller.pipeline.unet.mid_block, keep):
        if cancelled:
            with pytest.raises(Cancelled):
                painter.paint(job(), cancel_at(5))
        else:
            painter.paint(job(), ignore)
    gc.collect()
    assert len(features) == (5 if cancelled else STEPS)
    assert alive == [1] * len(features)  # nor two of one block at once
    assert all(ref() is None for ref in features)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [False, True], ids=["parts", "layers"])
def test_what_takes_turns_on_the_device_paints_the_same(
    make: Make, same: Same, layers: bool
) -> None:
    """With a CPU as the device to which the parts, or the UNet's layers, are moved."""
    expected = same()
    painter = make()
    pipeline, cpu = painter.caller.pipeline, torch.device("cpu")
    if layers:
        cpu_offload(pipeline.unet, cpu)
    else:
        offload_models(pipeline, cpu)
    with steps_run(painter) as seen:
        assert np.array_equal(painter.paint(job(), ignore), expected)
    assert seen["mid"] == WHOLE
    with pytest.raises(Cancelled):
        painter.paint(job(seed=2), cancel_at(5))
    assert np.array_equal(painter.paint(job(), ignore), expected)


@pytest.mark.slow
def test_candidates_come_out_as_each_does_alone(make: Make, kind: str) -> None:
    painter = make(kind)
    jobs = [job(seed) for seed in (5, 6, 7)]
    alone = [painter.paint(each, ignore) for each in jobs]
    with steps_run(painter) as seen:
        together = painter.paint_many(jobs, ignore)
    assert seen["mid"] == WHOLE
    for one, other in zip(together, alone, strict=True):
        assert one is not None
        assert np.abs(one.astype(int) - other).max() <= 2


@pytest.mark.slow
def test_each_side_of_a_sequential_keyframe_begins_anew(make: Make) -> None:
    more = {"method": "sequential", "keyframe_size": (64, 64), "seed": 3}
    painter = make(**more)
    settings = RenderSettings(prompt="a castle", steps=STEPS, speed="fast", **more)  # type: ignore[arg-type]
    picture = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)

    def canvas(painter: DiffusionPainter) -> Picture:
        reference = Reference.of(picture)
        made = outpaint(painter, picture, settings, keyframe=1, reference=reference, on_step=ignore)
        return made.canvas

    with steps_run(painter) as seen:
        first = canvas(painter)
    sides = len(seen["down 0"]) // STEPS
    assert sides >= 2
    assert seen["mid"] == [side * STEPS + step for side in range(sides) for step in WHOLE]
    assert np.array_equal(canvas(make(**more)), first)


@pytest.mark.soak
def test_compiled_blocks_paint_the_same(make: Make, same: Same, kind: str) -> None:
    """With torch's tracer but not its code generator, which needs a compiler and minutes."""
    expected = same(kind).astype(int)
    painter = make(kind)
    painter.caller.compile("blocks", backend="eager")
    with steps_run(painter) as seen:
        for _ in range(2):
            assert np.abs(painter.paint(job(), ignore).astype(int) - expected).max() <= 1
    assert seen["mid"] == [*WHOLE, *(STEPS + step for step in WHOLE)]


@pytest.mark.parametrize(
    ("speed", "steps", "whole"),
    [("quality", 25, False), ("balanced", 25, True), ("fast", 25, False), ("fast", 8, True)],
)
def test_a_denoiser_with_shallow_steps_is_not_compiled_as_a_whole(
    folders: dict[str, Path], speed: Any, steps: int, whole: bool
) -> None:
    """What a GPU would be asked to do: nothing is compiled before the first call."""
    settings = RenderSettings(prompt="a castle", steps=steps, speed=speed, model=str(folders["sd"]))
    loaded = load(settings)
    Caller(replace(loaded, device=Device(torch.device("cuda"), "a GPU")), settings)
    compiled = [part for part in loaded.pipeline.unet.modules() if part._compiled_call_impl]
    assert ("forward" in vars(loaded.pipeline.unet), bool(compiled)) == (whole, not whole)
