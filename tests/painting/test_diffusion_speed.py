"""Speed levels: guidance left out at the end, compilation that falls back, time without work.

Shallow steps are in ``test_diffusion_deepcache``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from renderer.errors import Cancelled, SettingsError
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.painters.diffusion import compiling
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import (
    OFFLOADED,
    RUNGS,
    WORDS_OFFLOADED,
    Ladder,
)
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.idle_time import Timed
from renderer.painting.painters.notices import listening, note
from renderer.settings.render import RenderSettings
from renderer.settings.speed_levels import LEVELS
from tests.marks import first_of
from tests.painting.jobs import everything, hooked, ignore, ring, ring_job

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
# Torch's code generator uses a part of torch that torch has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

WARMING = "warming up: the model is compiled, so this picture takes a minute or two longer"


Make = Callable[..., DiffusionPainter]


@pytest.fixture
def make(folders: dict[str, Path]) -> Make:
    def made(kind: str = "sd", **more: Any) -> DiffusionPainter:
        values = {"prompt": "a castle", "steps": 10, "model": str(folders[kind]), **more}
        settings = RenderSettings(**values)
        return DiffusionPainter(load(settings), settings)

    return made


def job(side: int = 64) -> PaintJob:
    return ring_job(ring(side, side), negative="blurry")


@contextmanager
def batches(painter: DiffusionPainter) -> Iterator[list[int]]:
    """The batch of each call of the denoiser."""
    seen: list[int] = []

    def look(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(inputs[0].shape[0])

    handle = painter.caller.pipeline.unet.register_forward_pre_hook(look)
    yield seen
    handle.remove()


@pytest.mark.parametrize("kind", first_of(["sd", "sdxl", "sd4"]))
@pytest.mark.parametrize(("speed", "guided"), [("quality", 10), ("balanced", 7), ("fast", 7)])
def test_a_level_guides_only_its_share_of_the_steps(
    make: Make, kind: str, speed: str, guided: int
) -> None:
    painter = make(kind, speed=speed)
    with batches(painter) as seen:
        first = painter.paint(job(), ignore)
    assert seen == [2] * guided + [1] * (10 - guided)
    with batches(painter) as seen:
        assert np.array_equal(painter.paint(job(), ignore), first)
    assert seen == [2] * guided + [1] * (10 - guided)


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_steps_without_guidance_change_the_end_of_a_picture_only(make: Make, kind: str) -> None:
    exact, balanced, without = (
        make(kind, **more).paint(job(), ignore).astype(float)
        for more in ({}, {"speed": "balanced"}, {"guidance_scale": 0.0})
    )
    changed = np.abs(balanced - exact).mean()
    assert 0 < changed < np.abs(without - exact).mean() / 2


def test_a_model_that_is_not_guided_at_all_is_left_alone(make: Make) -> None:
    plain, balanced = (
        make(guidance_scale=1.0, speed=speed).paint(job(), ignore)
        for speed in ("quality", "balanced")
    )
    assert np.array_equal(plain, balanced)


def test_progress_and_cancel_work_on_every_level(make: Make) -> None:
    painter = make(speed="balanced")
    seen: list[tuple[int, int]] = []
    painter.paint(job(), lambda done, total: seen.append((done, total)))
    assert seen == [(step, 10) for step in range(1, 11)]

    def cancel(done: int, total: int) -> None:
        if done == 8:
            raise Cancelled

    with pytest.raises(Cancelled):
        painter.paint(job(), cancel)
    with batches(painter) as again:
        painter.paint(job(), ignore)
    assert again == [2] * 7 + [1] * 3


def test_every_level_is_one_of_the_settings() -> None:
    for name in LEVELS:
        assert RenderSettings(speed=name).speed == name  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"^unknown speed 'fats'; did you mean 'fast'\?$"):
        RenderSettings(speed="fats")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        pytest.param("sd", "blocks", marks=pytest.mark.slow),
        pytest.param("sdxl", "blocks", marks=pytest.mark.soak),
        pytest.param("sd", "whole", marks=pytest.mark.soak),
    ],
)
def test_a_compiled_model_paints_the_same_and_says_that_it_warms_up(
    make: Make, kind: str, how: Any
) -> None:
    """With torch's tracer but not its code generator, which needs a compiler and minutes."""
    painter = make(kind, steps=2)
    expected = painter.paint(job(), ignore).astype(int)
    painter.caller.compile(how, backend="eager")
    lines: list[str] = []
    with listening(lines.append):
        for _ in range(2):
            assert np.abs(painter.paint(job(), ignore).astype(int) - expected).max() <= 1
        assert lines == [WARMING]
        painter.paint(job(96), ignore)
    assert lines == [WARMING] * (2 if how == "whole" else 1)


@pytest.mark.parametrize("how", first_of(["blocks", "whole"]))
def test_a_compilation_that_fails_falls_back_to_eager(make: Make, how: Any) -> None:
    painter = make(steps=2)
    expected = painter.paint(job(), ignore)
    tried: list[int] = []

    def broken(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        tried.append(1)
        raise RuntimeError("Failed to find C compiler. Please specify via CC")

    painter.caller.compile(how, backend=broken)
    lines: list[str] = []
    with listening(lines.append):
        for _ in range(2):
            assert np.array_equal(painter.paint(job(), ignore), expected)
    assert len(tried) == 1
    assert lines[0] == WARMING
    assert len(lines) == 2
    assert "Failed to find C compiler" in lines[1]
    assert lines[1].startswith("the model can't be compiled here (")
    assert lines[1].endswith("), so it runs on uncompiled, which is slower")


def test_what_is_freed_while_torch_forgets_does_not_end_a_film(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Torch goes through a table that shrinks as its entries are freed; seen with 2.13."""
    calls: list[int] = []

    def reset() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(torch.compiler, "reset", reset)
    compiling.forget()
    assert len(calls) == 2


UNCOMPILED = "so it runs on uncompiled, which is slower"


@pytest.mark.slow
def test_one_size_too_many_falls_back_to_eager(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's error for it is no RuntimeError, and comes long after everything went well."""
    monkeypatch.setattr(compiling, "_ENTRIES", 2)
    painter = make()
    painter.caller.compile("whole", backend="eager")
    lines: list[str] = []
    with listening(lines.append):
        for side in (64, 96, 128):
            assert painter.paint(job(side), ignore).std() > 5
    assert lines[:3] == [WARMING] * 3
    assert len(lines) == 4
    assert "limit exceeded" in lines[3]
    assert lines[3].endswith(UNCOMPILED)


@pytest.mark.soak
def test_a_film_may_have_more_sizes_than_torchs_own_limit(make: Make) -> None:
    painter = make(steps=1, scheduler="euler", guidance_scale=1.0)
    painter.caller.compile("whole", backend="eager")
    lines: list[str] = []
    with listening(lines.append):
        for side in range(64, 64 + 16 * 10, 16):
            painter.paint(job(side), ignore)
    assert lines == [WARMING] * 10


@pytest.mark.slow
def test_a_compilation_that_fails_in_mid_film_falls_back_as_well(make: Make) -> None:
    painter = make(steps=2)
    expected = painter.paint(job(), ignore)
    broken: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        if broken:
            raise RuntimeError("ptxas died")
        return graph.forward

    painter.caller.compile("blocks", backend=backend)
    painter.paint(job(), ignore)
    broken.append(1)
    torch.compiler.reset()  # so that it is compiled again
    lines: list[str] = []
    with listening(lines.append):
        assert np.array_equal(painter.paint(job(), ignore), expected)
    assert len(lines) == 1
    assert "ptxas died" in lines[0]
    assert lines[0].endswith(UNCOMPILED)


def test_what_a_compiled_model_itself_raises_is_no_failure_of_the_compiler(make: Make) -> None:
    painter = make(steps=2)
    painter.caller.compile("blocks", backend="eager")
    painter.caller._compiled.warmed_up((1, 64, 64))  # type: ignore[union-attr]

    def fail(*_: Any) -> None:
        raise RuntimeError("shapes do not fit")

    painter.caller.pipeline.vae.decoder.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="shapes"):
        painter.paint(job(), ignore)


@pytest.mark.slow
def test_a_first_picture_runs_uncompiled_where_every_size_is_compiled_anew(make: Make) -> None:
    painter = make()
    graphs: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(1)
        return graph.forward

    first = ring_job(everything(64, 64), level=128)
    expected = painter.paint(first, ignore)
    painter.caller.compile("whole", backend=backend)
    lines: list[str] = []
    with listening(lines.append):
        assert np.array_equal(painter.paint(first, ignore), expected)
        assert (lines, graphs) == ([], [])
        painter.paint(job(96), ignore)
    assert lines == [WARMING]
    assert graphs


@pytest.mark.slow
def test_what_another_painter_had_compiled_holds_no_memory_while_a_model_is_loaded(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Code:
        def __call__(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return values

    made: list[weakref.ref[Code]] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        code = Code()
        made.append(weakref.ref(code))
        return lambda *values: code(*graph.forward(*values))

    painter = make(steps=2)
    painter.caller.compile("blocks", backend=backend)
    painter.paint(job(), ignore)
    assert any(ref() is not None for ref in made)
    del painter
    left: list[int] = []

    def has_room(*_: Any) -> bool:
        left.append(sum(ref() is not None for ref in made))
        return True

    monkeypatch.setattr(Device, "has_room", has_room)
    make(steps=2)
    assert left == [0]


def full(times: int) -> Callable[..., None]:
    """A hook that finds the memory full so many times."""
    left = [1] * times

    def hook(*_: Any) -> None:
        if left and left.pop():
            raise torch.OutOfMemoryError("CUDA out of memory")

    return hook


TOO_LARGE = f"the model is too large compiled, {UNCOMPILED}"


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_compiled_model_that_fills_the_memory_works_in_tiles_and_then_uncompiled(
    make: Make, times: int
) -> None:
    painter = make(steps=2)
    expected = painter.paint(job(), ignore)
    painter.caller.compile("blocks", backend="eager")
    lines: list[str] = []
    with (
        listening(lines.append),
        hooked(painter.caller.pipeline.vae.decoder, full(times)),
    ):
        assert np.array_equal(painter.paint(job(), ignore), expected)
    assert painter.caller.rungs == (RUNGS[0].name,)
    assert [line for line in lines if line.endswith(UNCOMPILED)] == [TOO_LARGE] * (times - 1)
    assert (painter.caller._compiled is None) == (times == 2)


def test_a_whole_compilation_goes_before_anything_hooks_into_the_denoiser(make: Make) -> None:
    """In a first picture as well, for which the compiled denoiser is set aside."""
    painter = make(steps=2)
    first = ring_job(everything(64, 64), level=128)
    expected = [painter.paint(each, ignore) for each in (first, job())]
    pipeline = painter.caller.pipeline
    ladder = Ladder(pipeline, Device(torch.device("cuda"), "a GPU"))
    ladder._device = torch.device("cpu")  # to which weights are moved here
    painter.caller._ladder = ladder
    painter.caller.compile("whole", backend="eager")
    lines: list[str] = []
    with listening(lines.append), hooked(pipeline.vae.decoder, full(4)):
        found = [painter.paint(each, ignore) for each in (first, job())]
    assert painter.caller.rungs == (RUNGS[0].name, WORDS_OFFLOADED, OFFLOADED)
    assert TOO_LARGE in lines
    assert painter.caller._compiled is None
    assert "forward" in vars(pipeline.unet)  # accelerate's hook
    for picture, other in zip(found, expected, strict=True):
        assert np.abs(picture.astype(int) - other).max() <= 1


class Queue:
    """Of a GPU that does nothing unless it is waited for; steps are numbered from 1."""

    def __init__(self) -> None:
        self.queued = self.done = 0

    def record(self) -> Place:
        self.queued += 1
        return Place(self, self.queued)


@dataclass(frozen=True)
class Place:
    queue: Queue
    step: int

    def synchronize(self) -> None:
        self.queue.done = self.step


def test_a_step_is_reported_when_at_most_the_next_one_waits_for_the_gpu(make: Make) -> None:
    painter = make()
    queue = Queue()
    painter.caller.record = queue.record
    seen: list[tuple[int, int]] = []
    painter.paint(job(), lambda done, total: seen.append((done, queue.done)))
    assert seen == [(step, step - 1) for step in range(1, 11)]
    queue.done = 0
    painter.paint(job(), lambda done, total: seen.append((done, queue.done)))
    assert seen[10:12] == [(1, 0), (2, 11)]  # nothing of the call before is waited for


class Slow:
    """A painter that takes a second, by a clock of its own."""

    now = 0.0

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        self.now += 1
        return job.canvas


def test_the_time_between_calls_is_idle_time() -> None:
    slow = Slow()
    painter = Timed(slow, clock=lambda: slow.now)
    slow.now = 100
    assert painter.idle() == 0
    assert np.array_equal(painter.paint(job(), ignore), job().canvas)
    assert painter.idle() == 0  # nothing could be done before there was a painter
    slow.now += 3
    painter.paint(job(), ignore)
    assert painter.idle() == 3 / 4
    painter.paint(job(), ignore)
    slow.now += 1
    painter.paint(job(), ignore)
    assert painter.idle() == 1 / 3
    assert painter.idle() == 0


def test_a_note_without_a_listener_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "renderer")
    lines: list[str] = []
    note("one")
    with listening(lines.append):
        note("two")
    note("three")
    assert caplog.messages == ["one", "three"]
    assert lines == ["two"]
