"""Transformers whose weights are kept in 8 bits: where, when, and that they go on painting."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.memory import (
    OFFLOADED,
    QUANTISED,
    RUNGS,
    WORDS_OFFLOADED,
    Ladder,
)
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.diffusion.quantising import (
    can_quantise,
    quantise,
    stored_bytes,
)
from renderer.painting.painters.notices import listening
from renderer.planning.defaults import fill_in
from renderer.settings.render import RenderSettings
from tests.marks import slower
from tests.painting.jobs import ignore
from tests.painting.kinds import wide_job
from tests.painting.tiny_families import build, save_lora

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

KINDS = ["flux-fill", *slower(["klein", "z-image", "qwen"])]


@pytest.fixture
def make(families: dict[str, Path]) -> Callable[..., DiffusionPainter]:
    def made(kind: str = "flux-fill", **more: Any) -> DiffusionPainter:
        values = {"prompt": "a castle", "steps": 2, "model": str(families[kind]), **more}
        settings = RenderSettings(**values)
        return DiffusionPainter(load(settings), settings)

    return made


Make = Callable[..., DiffusionPainter]


def weight_kinds(part: torch.nn.Module) -> set[str]:
    linear = (each for each in part.modules() if isinstance(each, torch.nn.Linear))
    return {type(each.weight).__name__ for each in linear}


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantised_transformer_paints_nearly_the_same(make: Make, kind: str) -> None:
    whole = make(kind)
    small = make(kind, quantise="yes")
    pipeline = small.caller.pipeline
    assert weight_kinds(pipeline.transformer) == {"Int8Tensor"}
    assert weight_kinds(pipeline.vae) <= {"Parameter"}
    expected, picture = (each.paint(wide_job(), ignore).astype(int) for each in (whole, small))
    assert 0 < np.abs(picture - expected).mean() < 4
    again = make(kind, quantise="yes").paint(wide_job(), ignore)
    assert np.array_equal(again, picture)


def test_it_halves_what_16_bits_take() -> None:
    pipeline = build("flux-fill").to(torch.bfloat16)
    before = stored_bytes([pipeline.transformer])
    quantise(pipeline)
    assert 0.4 < stored_bytes([pipeline.transformer]) / before < 0.6
    assert not can_quantise(pipeline)  # a second time there is nothing left


def test_a_vocabulary_that_a_text_encoder_ends_in_is_left_alone() -> None:
    pipeline = build("klein")
    encoder = pipeline.text_encoder
    encoder.lm_head.weight = encoder.get_input_embeddings().weight
    quantise(pipeline)
    assert encoder.lm_head.weight is encoder.get_input_embeddings().weight
    assert "Int8Tensor" in weight_kinds(encoder)


def test_loras_are_merged_before(make: Make, tmp_path: Path) -> None:
    file = str(save_lora(tmp_path, "transformer.transformer_blocks.0.attn.to_k"))
    with_lora, without = (
        make(quantise="yes", loras=loras).caller.pipeline.transformer.transformer_blocks[0].attn
        for loras in ((file,), ())
    )
    one, other = (each.to_k.weight.dequantize() for each in (with_lora, without))
    assert not torch.allclose(one, other, atol=1e-3)
    assert torch.equal(with_lora.to_q.weight.qdata, without.to_q.weight.qdata)


@pytest.mark.parametrize(
    ("answers", "notes"),
    [
        ([True], []),  # nothing is done
        ([False, True], [WORDS_OFFLOADED]),  # all but the text encoders has room
        ([False, False, True], [OFFLOADED]),  # each part has
        ([False, False, False, True], [QUANTISED]),  # now all of it has
        ([False, False, False, False, True], [QUANTISED, WORDS_OFFLOADED]),
        ([False, False, False, False, False], [QUANTISED, OFFLOADED]),
    ],
)
def test_what_fits_no_device_is_quantised(
    make: Make, monkeypatch: pytest.MonkeyPatch, answers: list[bool], notes: list[str]
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Device, "has_room", lambda _, size: asked.append(size) or answers.pop(0))
    offloaded = stay_in_ram(monkeypatch)
    lines: list[str] = []
    with listening(lines.append):
        pipeline = make().caller.pipeline
    assert answers == []
    assert all(size < asked[0] for size in asked[1:])
    assert [next(words for words in notes if words in line) for line in lines] == notes
    assert len(offloaded) == (OFFLOADED in notes)
    assert weight_kinds(pipeline.transformer) == {"Int8Tensor" if len(asked) > 3 else "Parameter"}


def stay_in_ram(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Nothing is moved to a device that is none; the pipelines for which that was wanted."""
    offloaded: list[object] = []
    monkeypatch.setattr(
        "renderer.painting.painters.diffusion.loading.offload_models",
        lambda pipeline, _: offloaded.append(pipeline),
    )
    return offloaded


def test_quantise_no_is_obeyed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "has_room", lambda *_: False)
    stay_in_ram(monkeypatch)
    painter = make(quantise="no")
    assert weight_kinds(painter.caller.pipeline.transformer) == {"Parameter"}
    gpu = Device(torch.device("cuda"), "a GPU")
    ladders = [
        [rung.name for rung in Ladder(build("flux-fill"), gpu, but)._left]
        for but in ((), (QUANTISED,))
    ]
    assert QUANTISED in ladders[0]
    assert QUANTISED not in ladders[1]


def test_without_the_extra_a_line_says_what_would_help(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch)
    monkeypatch.setattr(Device, "has_room", lambda *_: False)
    stay_in_ram(monkeypatch)
    lines: list[str] = []
    with listening(lines.append):
        make()
    assert "pip install 'zoomtui[quantise]'" in lines[0]
    assert OFFLOADED in lines[1]
    with pytest.raises(PainterError, match=r"^torchao can't be loaded: .+zoomtui\[quantise\]'$"):
        make(quantise="yes")
    with pytest.raises(SettingsError, match=r"^quantise needs torchao: pip install 'zoomtui\["):
        fill_in({"prompt": "a castle", "painter": "diffusion", "quantise": "yes"})


def hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchao is not installed."""
    for module in (
        "renderer.painting.painters.diffusion.quantising",
        "renderer.planning.defaults",
    ):
        monkeypatch.setattr(f"{module}.find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "torchao.quantization", None)


def test_a_unet_is_not_quantised(folders: dict[str, Path]) -> None:
    settings = RenderSettings(prompt="a castle", model=str(folders["sd"]), quantise="yes")
    with pytest.raises(SettingsError, match="has a UNet, which is not kept in 8 bits"):
        load(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_rungs_below_it_go_on_with_it(make: Make, kind: str) -> None:
    """As for whole weights, with a CPU as the device; but not layer by layer."""
    painter = make(kind)
    pipeline = painter.caller.pipeline
    names = [rung.name for rung in RUNGS]
    first = names.index(QUANTISED)
    expected = None
    for rung in RUNGS[first:-1]:
        rung.take(pipeline, torch.device("cpu"))
        painter.caller._prompts._kept.clear()
        picture = painter.paint(wide_job(), ignore).astype(int)
        expected = picture if expected is None else expected
        assert np.abs(picture - expected).max() <= 1, rung.name
    assert weight_kinds(pipeline.transformer) == {"Int8Tensor"}


@pytest.mark.slow
def test_it_can_be_compiled(make: Make) -> None:
    painter = make(quantise="yes")
    expected = painter.paint(wide_job(), ignore).astype(int)
    painter.caller.compile("blocks", backend="aot_eager")
    lines: list[str] = []
    with listening(lines.append):
        picture = painter.paint(wide_job(), ignore).astype(int)
    assert not any("compiled here" in line for line in lines)
    assert np.abs(picture - expected).max() <= 1
