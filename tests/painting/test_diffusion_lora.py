"""LoRA files in every common spelling, merged into tiny models, and what can be wrong with them."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.lora import merge_lora
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.settings.lora_names import Lora, check_lora, parse_lora, resolved
from renderer.settings.render import RenderSettings
from tests.painting.tiny import tiny_sd, tiny_sdxl

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

RANK = 4
ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"
QUERY, OUT = f"{ATTENTION}.to_q", f"{ATTENTION}.to_out.0"
CONV = "down_blocks.0.resnets.0.conv1"

Tensors = dict[str, torch.Tensor]


def pair(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(down, up)."""
    torch.manual_seed(7)
    return torch.randn(RANK, columns), torch.randn(rows, RANK)


def peft(path: str, rows: int = 64, columns: int = 64) -> Tensors:
    """As diffusers' own training scripts save it."""
    down, up = pair(rows, columns)
    return {f"{path}.lora_A.weight": down, f"{path}.lora_B.weight": up}


def kohya(path: str, alpha: float, rows: int = 64, columns: int = 64) -> Tensors:
    """As most LoRAs on the hub and on Civitai are saved."""
    down, up = pair(rows, columns)
    prefix = path.replace(".", "_")
    return {
        f"{prefix}.lora_down.weight": down,
        f"{prefix}.lora_up.weight": up,
        f"{prefix}.alpha": torch.tensor(alpha),
    }


def old_diffusers(path: str) -> Tensors:
    down, up = pair(64, 64)
    stem, _, name = path.replace(".to_out.0", ".to_out").rpartition(".")
    prefix = f"{stem}.processor.{name}_lora"
    return {f"{prefix}.down.weight": down, f"{prefix}.up.weight": up}


def saved(tensors: Tensors, folder: Path) -> Path:
    file = folder / "style.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, file)
    return file


@pytest.mark.parametrize("make", [tiny_sd, tiny_sdxl])
@pytest.mark.parametrize(
    ("tensors", "layer", "scale"),
    [
        (peft(f"unet.{QUERY}"), QUERY, 1.0),
        (peft(f"unet.{OUT}"), OUT, 1.0),
        (kohya(f"lora_unet.{QUERY}", alpha=2.0), QUERY, 2.0 / RANK),
        (kohya(f"lora_unet.{OUT}", alpha=4.0), OUT, 1.0),
        (old_diffusers(f"unet.{OUT}"), OUT, 1.0),
    ],
    ids=["peft", "peft out", "kohya", "kohya out", "old diffusers"],
)
def test_every_spelling_changes_the_layer_that_it_names(
    tmp_path: Path, make: Callable[[], Any], tensors: Tensors, layer: str, scale: float
) -> None:
    pipeline = make()
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    down, up = pair(64, 64)
    merge_lora(pipeline, saved(tensors, tmp_path), 0.5, "tiny")
    for name, value in pipeline.unet.state_dict().items():
        if name == f"{layer}.weight":
            expected = before[name] + 0.5 * scale * up @ down
            torch.testing.assert_close(value, expected)
        else:
            assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    "tensors",
    [
        peft("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", 32, 32),
        kohya("lora_te.text_model.encoder.layers.0.self_attn.q_proj", 4.0, 32, 32),
    ],
    ids=["peft", "kohya"],
)
def test_text_encoders_are_changed_too(tmp_path: Path, tensors: Tensors) -> None:
    pipeline = tiny_sd()
    before = {name: value.clone() for name, value in pipeline.text_encoder.state_dict().items()}
    merge_lora(pipeline, saved(tensors, tmp_path), 1.0, "tiny")
    down, up = pair(32, 32)
    changed = [
        name
        for name, value in pipeline.text_encoder.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert len(changed) == 1
    assert changed[0].endswith("encoder.layers.0.self_attn.q_proj.weight")
    value = pipeline.text_encoder.state_dict()[changed[0]]
    torch.testing.assert_close(value, before[changed[0]] + up @ down)


def test_convolutions_are_changed_too(tmp_path: Path) -> None:
    pipeline = tiny_sd()
    weights = pipeline.unet.get_submodule(CONV).weight
    before = weights.clone()
    down, up = torch.randn(RANK, 32, 3, 3), torch.randn(32, RANK, 1, 1)
    tensors = {f"unet.{CONV}.lora_A.weight": down, f"unet.{CONV}.lora_B.weight": up}
    merge_lora(pipeline, saved(tensors, tmp_path), 1.0, "tiny")
    change = torch.nn.functional.conv2d(down.transpose(0, 1), up).transpose(0, 1)
    torch.testing.assert_close(weights, before + change, rtol=1e-4, atol=1e-4)


def test_loras_of_the_settings_add_up_and_change_the_picture(tmp_path: Path) -> None:
    tiny_sd().save_pretrained(tmp_path / "sd")
    file = saved(peft(f"unet.{QUERY}"), tmp_path)
    mask = np.ones((64, 64), dtype=bool)
    mask[16:48, 16:48] = False
    canvas = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    job = PaintJob(canvas, mask, "a castle", "", seed=1, keyframe=1)

    def paint(*loras: str) -> Any:
        values: dict[str, Any] = {"prompt": "a castle", "steps": 2, "loras": loras}
        settings = RenderSettings(model=str(tmp_path / "sd"), **values)
        painter = DiffusionPainter(load(settings), settings)
        return painter.paint(job, lambda done, total: None).astype(int)

    plain, whole = paint(), paint(str(file))
    assert np.abs(whole - plain).max() > 0
    assert np.abs(paint(f"{file}:0.5", f"{file}:0.5") - whole).max() <= 1
    assert np.array_equal(paint(f"{file}:0"), plain)


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        (
            peft("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", 64, 768),
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k is 64x768 there and "
            "64x32 in the model",
        ),
        (
            peft("unet.down_blocks.7.attentions.0.transformer_blocks.0.attn1.to_q"),
            "the model has no unet.down_blocks.7.attentions.0.transformer_blocks.0.attn1.to_q",
        ),
        (
            peft("transformer.single_transformer_blocks.0.attn.to_q"),
            "the model has no transformer.single_transformer_blocks.0.attn.to_q",
        ),
    ],
    ids=["width", "depth", "flux"],
)
def test_a_lora_for_another_architecture_is_one_line_and_changes_nothing(
    tmp_path: Path, tensors: Tensors, why: str
) -> None:
    pipeline = tiny_sd()
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    file = saved({**peft(f"unet.{QUERY}"), **tensors}, tmp_path)
    line = f"lora {file} was made for another architecture than tiny: {why}"
    with pytest.raises(PainterError, match=f"^{re.escape(line)}$"):
        merge_lora(pipeline, file, 1.0, "tiny")
    for name, value in pipeline.unet.state_dict().items():
        assert torch.equal(value, before[name])


def test_files_that_are_no_plain_lora_are_refused(tmp_path: Path) -> None:
    pipeline = tiny_sd()
    with pytest.raises(PainterError, match=r"another architecture than tiny: [^\n]+$"):
        merge_lora(pipeline, saved({"weights": torch.ones(1)}, tmp_path), 1.0, "tiny")
    loha = {f"lora_unet_{QUERY.replace('.', '_')}.hada_w1_a": torch.ones(4, 4)}
    with pytest.raises(PainterError, match=r"is a LoHa, which is not supported; use a plain LoRA$"):
        merge_lora(pipeline, saved(loha, tmp_path), 1.0, "tiny")
    gigabytes = (1 << 40).to_bytes(8, "little") + b"{}"
    for harm in (b"\x08", gigabytes, pickle.dumps(set())):
        (tmp_path / "cut.safetensors").write_bytes(harm)
        with pytest.raises(PainterError, match=r"^lora \S+cut\.safetensors can't be read: [^\n]+$"):
            merge_lora(pipeline, tmp_path / "cut.safetensors", 1.0, "tiny")


def test_a_lora_is_a_file_and_a_weight() -> None:
    assert parse_lora("a/b.safetensors") == Lora("a/b.safetensors", 1.0)
    assert parse_lora("b.safetensors:0.8") == Lora("b.safetensors", 0.8)
    assert parse_lora("b:c.safetensors:-1") == Lora("b:c.safetensors", -1.0)
    assert parse_lora("./a/b/c.safetensors").on_hub is None
    assert parse_lora("me/style/c.safetensors").on_hub == ("me/style", "", "c.safetensors")
    deeper = ("me/style", "", "sub/c.safetensors")
    assert parse_lora("me/style/sub/c.safetensors:2").on_hub == deeper
    pinned = ("me/style", "0123abc", "sub/c.safetensors")
    assert parse_lora("me/style@0123abc/sub/c.safetensors:2").on_hub == pinned


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("style.pt", "lora style.pt is no .safetensors file; other formats may run code when "),
        ("style.safetensors:9", "lora style.safetensors:9: its weight must be -4 to 4"),
        ("style.safetensors:1.2.3", "lora style.safetensors:1.2.3: 1.2.3 is no weight; write FILE"),
        ("style.safetensors:nine", "lora style.safetensors:nine: nine is no weight; write FILE"),
        ("none.safetensors", "lora none.safetensors: there is no such file"),
        (f"{'n' * 300}.safetensors", f"lora {'n' * 300}.safetensors: there is no such file"),
        ("./me/style/none.safetensors", "lora ./me/style/none.safetensors: there is no such file"),
    ],
)
def test_a_lora_that_can_be_nothing_is_refused_in_one_line(text: str, line: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}"):
        check_lora(text)


def test_a_lora_is_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(peft(f"unet.{QUERY}"), tmp_path)
    assert resolved("style.safetensors:0.8") == f"{tmp_path}/style.safetensors:0.8"
    check_lora("style.safetensors")
    assert resolved("me/style/c.safetensors:0.8") == "me/style/c.safetensors:0.8"


def test_loras_pass_through_project_toml() -> None:
    settings = RenderSettings(loras=("a.safetensors:0.8", "b.safetensors"))
    assert RenderSettings.from_toml(settings.to_toml()) == settings
    assert settings.plain()["loras"] == ["a.safetensors:0.8", "b.safetensors"]
    with pytest.raises(SettingsError, match=r"loras can't be 'a.safetensors'"):
        settings.changed({"loras": "a.safetensors"})
