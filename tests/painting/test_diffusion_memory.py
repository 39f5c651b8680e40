"""A full memory: the ladder of the diffusion painter, and that long loops leak nothing."""

from __future__ import annotations

import gc
import logging
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from renderer.errors import PainterError
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import (
    OFFLOADED,
    RUNGS,
    WORDS_OFFLOADED,
    Ladder,
    is_full,
    modules,
)
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.diffusion.quantising import stored_bytes
from renderer.painting.painters.notices import listening
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore, ring, ring_job
from tests.painting.tiny import tiny_sd

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

TILES = "the VAE works in slices and tiles"


Make = Callable[..., DiffusionPainter]


@pytest.fixture
def make(folders: dict[str, Path]) -> Make:
    def made(kind: str = "sd", **more: Any) -> DiffusionPainter:
        values = {"prompt": "a castle", "steps": 2, "model": str(folders[kind]), **more}
        settings = RenderSettings(**values)
        return DiffusionPainter(load(settings), settings)

    return made


def job(keyframe: int = 3, side: int = 64) -> PaintJob:
    return ring_job(ring(side, side), seed=keyframe, keyframe=keyframe, picture=keyframe)


class Full:
    """A hook that finds the memory full for its first ``times`` calls, holding much of it."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.left = times
        self.calls = 0
        self.error = error
        self.held: list[weakref.ref[torch.Tensor]] = []
        self.pinned: list[int] = []

    def __call__(self, *_: Any) -> None:
        self.calls += 1
        self.pinned.append(sum(ref() is not None for ref in self.held))
        if self.left:
            self.left -= 1
            large = torch.zeros(1 << 20)
            self.held.append(weakref.ref(large))
            raise self.error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")


def test_a_full_memory_steps_down_and_paints_the_same_keyframe(make: Make) -> None:
    painter = make()
    expected = painter.paint(job(), ignore)
    lines: list[str] = []
    full = Full(1)
    with listening(lines.append):
        handle = painter.caller.pipeline.unet.register_forward_hook(full)
        picture = painter.paint(job(), ignore)
        handle.remove()
    assert painter.caller.rungs == (TILES,)
    assert painter.caller.pipeline.vae.use_tiling
    # Tiles are no smaller than this picture, so it is the very same.
    assert np.array_equal(picture, expected)
    assert len(lines) == 1
    assert re.fullmatch(
        rf".+ has too little memory for 64x64: from now on {TILES}; tones may vary a little",
        lines[0],
    )


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_the_rung_is_remembered_for_later_keyframes(make: Make, part: str) -> None:
    painter = make()
    full = Full(1)
    module = getattr(painter.caller.pipeline, part)
    module = module.decoder if part == "vae" else module
    handle = module.register_forward_hook(full)
    painter.paint(job(), ignore)
    assert painter.caller.rungs == (TILES,)
    lines: list[str] = []
    with listening(lines.append):
        painter.paint(job(4), ignore)
    handle.remove()
    assert painter.caller.rungs == (TILES,)
    assert lines == []


def test_what_the_failed_call_held_is_gone_before_the_next_one(make: Make) -> None:
    """A traceback keeps its frames and their tensors: it must not outlive the handler."""
    painter = make()
    full = Full(1)
    handle = painter.caller.pipeline.unet.register_forward_hook(full)
    painter.paint(job(), ignore)
    handle.remove()
    assert len(full.held) == 1
    assert full.pinned == [0] * full.calls


def test_an_exhausted_ladder_is_one_line_and_the_painter_can_go_on(make: Make) -> None:
    painter = make()
    handle = painter.caller.pipeline.unet.register_forward_hook(Full(99))
    with pytest.raises(
        PainterError,
        match=r"^CPU.+ has too little memory for 64x64, whatever is done to need less; use a "
        r"smaller keyframe size, or resume when the device is free$",
    ):
        painter.paint(job(), ignore)
    handle.remove()
    assert painter.paint(job(), ignore).std() > 5


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("Unable to find an engine to execute this computation"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_full_memory_is_known_in_all_its_wordings(error: Exception, full: bool) -> None:
    assert is_full(error) is full


def test_other_errors_of_the_model_are_not_taken_for_a_full_memory(make: Make) -> None:
    painter = make()
    full = Full(1, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    handle = painter.caller.pipeline.unet.register_forward_hook(full)
    with pytest.raises(RuntimeError, match="shapes"):
        painter.paint(job(), ignore)
    handle.remove()
    assert painter.caller.rungs == ()


def test_tiles_change_the_picture_little(make: Make) -> None:
    """On a picture larger than a tile."""
    painter = make("sdxl")
    expected = painter.paint(job(side=128), ignore).astype(float)
    handle = painter.caller.pipeline.unet.register_forward_hook(Full(1))
    picture = painter.paint(job(side=128), ignore).astype(float)
    handle.remove()
    assert painter.caller.rungs == (TILES,)
    assert 0 < np.abs(picture - expected).mean() < 10


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_what_is_moved_paints_the_same(make: Make, kind: str) -> None:
    """Rung after rung, with a CPU as the device to which weights are moved, but for the last.

    Layers one by one are moved by a library that knows no CPU as a device.
    """
    painter = make(kind)
    expected = [painter.paint(job(seed), ignore).astype(int) for seed in (3, 4)]
    pipeline = painter.caller.pipeline
    for rung in [rung for rung in RUNGS if rung.moves and rung.helps(pipeline)][:-1]:
        rung.take(pipeline, torch.device("cpu"))
        for seed, picture in zip((3, 4), expected, strict=True):
            painter.caller._prompts._kept.clear()
            assert np.abs(painter.paint(job(seed), ignore) - picture).max() <= 1, rung.name


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_a_device_with_room_for_all_but_the_text_encoders_keeps_only_these_in_ram(
    make: Make, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    expected = make(kind).paint(job(), ignore)
    sizes: list[int] = []

    def has_room(_: Device, size: int) -> bool:
        sizes.append(size)
        return len(sizes) == 2

    monkeypatch.setattr(Device, "has_room", has_room)
    lines: list[str] = []
    with listening(lines.append):
        painter = make(kind)
    parts = modules(painter.caller.pipeline)
    waiting = {name: part for name, part in parts.items() if "text_encoder" in name}
    assert sizes[0] - sizes[1] == stored_bytes(waiting.values())
    assert painter._loaded.offloaded == (WORDS_OFFLOADED,)
    assert len(lines) == 1
    assert lines[0].endswith(f": {WORDS_OFFLOADED}; each new prompt takes a moment longer")
    for name, part in parts.items():
        assert any(hasattr(each, "_diffusers_hook") for each in part.modules()) == (name in waiting)
    assert np.abs(painter.paint(job(), ignore).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "offloaded", [(), (WORDS_OFFLOADED,), (WORDS_OFFLOADED, OFFLOADED)], ids=len
)
def test_each_rung_is_taken_once_and_in_order(offloaded: tuple[str, ...]) -> None:
    pipeline = tiny_sd()
    ladder = Ladder(pipeline, Device(torch.device("cpu"), "a CPU"), offloaded)
    while ladder.step_down():
        pass
    assert ladder.taken == (TILES,)
    on_gpu = Ladder(pipeline, Device(torch.device("cuda"), "a GPU"), offloaded)
    names = [rung.name for rung in RUNGS if rung.helps(pipeline) and rung.name not in offloaded]
    assert [rung.name for rung in on_gpu._left] == names
    assert on_gpu.taken == ()


def paint_many(painter: DiffusionPainter, count: int) -> None:
    for keyframe in range(count):
        words = f"a castle, {keyframe % 12}"
        each = job(keyframe)
        painter.paint(PaintJob(each.canvas, each.mask, words, "", each.seed, each.keyframe), ignore)


def census() -> tuple[int, int, int]:
    """(objects, tensors, resident bytes)."""
    gc.collect()
    things = gc.get_objects()
    tensors = sum(issubclass(type(thing), torch.Tensor) for thing in things)
    return len(things), tensors, psutil.Process(os.getpid()).memory_info().rss


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Pytest keeps every record that is logged, and SDXL's VAE has some logged at each call."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def assert_flat(painter: DiffusionPainter, warm_up: int, count: int) -> None:
    paint_many(painter, warm_up)
    before = census()
    paint_many(painter, count)
    after = census()
    assert after[1] == before[1]
    assert after[0] - before[0] < 200
    assert after[2] - before[2] < 16 * 2**20


@pytest.mark.slow
@pytest.mark.usefixtures("unlogged")
def test_many_keyframes_leave_nothing_behind(make: Make) -> None:
    assert_flat(make(), 14, 36)


@pytest.mark.soak
@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_two_hundred_keyframes_leave_nothing_behind(make: Make, kind: str) -> None:
    assert_flat(make(kind), 30, 200)
