"""What can be wrong with a folder or a setting, each said in one line, and what is loaded."""

from __future__ import annotations

import json
import logging
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters.diffusion import create, describe_device
from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.families.stable_diffusion import SDXL
from renderer.painting.painters.diffusion.loading import _from_folder, load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.notices import listening
from renderer.settings.presets import PRESETS
from renderer.settings.render import RenderSettings
from tests.painting.jobs import ignore, ring_job
from tests.painting.tiny import tiny_sd, tiny_sdxl

# diffusers 0.42 hands torch tensors to numpy functions, which numpy 2 dislikes: theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "sd"
    tiny_sd().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "sd"))


def settings(model: Path | str, **more: Any) -> RenderSettings:
    return RenderSettings(prompt="a castle", model=str(model), **{"steps": 3, **more})


def refused(error: type[Exception], line: str) -> pytest.RaisesExc[Exception]:
    return pytest.raises(error, match=f"^{re.escape(line)}$")


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_the_pipeline_comes_back_with_checker_and_watermark_off(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the folder asks for a safety checker, as SD 1.5's does: it is not even read."""
    index = folder / "model_index.json"
    change(
        index,
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        requires_safety_checker=True,
    )
    caplog.set_level(logging.INFO, "renderer")
    loaded = load(settings(folder))
    assert loaded.pipeline.safety_checker is None
    assert loaded.pipeline.unet.dtype == torch.float32
    assert sum("no safety checker, no watermark" in text for text in caplog.messages) == 1

    tiny_sdxl().save_pretrained(tmp_path / "sdxl")
    assert load(settings(tmp_path / "sdxl")).pipeline.watermark is None


def test_weights_saved_in_half_precision_only_are_found(tmp_path: Path) -> None:
    tiny_sd().save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / "unet/diffusion_pytorch_model.fp16.safetensors").is_file()
    assert load(settings(tmp_path)).pipeline.unet.config.in_channels == 9


def test_weights_in_several_files_are_found_and_a_lost_one_is_noticed(tmp_path: Path) -> None:
    tiny_sd().save_pretrained(tmp_path, max_shard_size="1MB")
    shards = sorted((tmp_path / "unet").glob("*-of-*.safetensors"))
    assert len(shards) > 1
    load(settings(tmp_path))
    shards[0].unlink()
    with refused(PainterError, f"{tmp_path} is incomplete: no safetensors weights for its unet"):
        load(settings(tmp_path))


def test_a_model_not_made_for_inpainting_is_loaded_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_sd(channels=4).save_pretrained(tmp_path)
    load(settings(tmp_path))
    assert caplog.messages == [
        f"{tmp_path} was not trained for inpainting (4 channels); joins may show"
    ]


def test_nothing_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(settings(folder))
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    with refused(
        PainterError,
        f"{tmp_path} is no diffusers pipeline: it has no model_index.json; give the folder that "
        "save_pretrained wrote",
    ):
        create(settings(tmp_path))


def test_a_folder_that_does_not_exist_is_named() -> None:
    with refused(SettingsError, "model ./no/such: there is no such folder"):
        create(settings("./no/such"))


def test_a_damaged_index_is_named(folder: Path) -> None:
    (folder / "model_index.json").write_text("{")
    with pytest.raises(PainterError, match=f"^{folder}/model_index.json can't be read: "):
        create(settings(folder))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "StableDiffusionPipeline",
            "a text-to-image model (StableDiffusionPipeline); an inpainting one is needed, e.g. "
            "the model sd15",
        ),
        (
            "StableDiffusionXLImg2ImgPipeline",
            "an image-to-image model (StableDiffusionXLImg2ImgPipeline); an inpainting one is "
            "needed, e.g. the model sdxl",
        ),
        (
            "FluxPipeline",
            "a text-to-image model (FluxPipeline); an inpainting one is needed, e.g. the model "
            "flux-fill",
        ),
        (
            "QwenImageEditPipeline",
            "an image-editing model (QwenImageEditPipeline); an inpainting one is needed, e.g. the "
            "model qwen",
        ),
        (
            "StableDiffusion3InpaintPipeline",
            "an inpainting model of a kind that is not supported yet "
            "(StableDiffusion3InpaintPipeline); use one of the models "
            + ", ".join(preset.name for preset in PRESETS),
        ),
    ],
)
def test_a_model_of_another_kind_says_which_would_do(folder: Path, name: str, line: str) -> None:
    change(folder / "model_index.json", _class_name=name)
    with refused(PainterError, f"{folder} is {line}"):
        create(settings(folder))


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / UNET).unlink()
    with refused(PainterError, f"{folder} is incomplete: no safetensors weights for its unet"):
        create(settings(folder))


def test_pickled_weights_are_not_opened(folder: Path) -> None:
    (folder / UNET).rename(folder / "unet/diffusion_pytorch_model.bin")
    with refused(
        PainterError,
        f"{folder} has only pickled weights for its unet (unet/diffusion_pytorch_model.bin), "
        "which are not opened because they may run code; convert the model to safetensors, or "
        "give --trust-pickled-weights if you trust who made it",
    ):
        create(settings(folder))


def test_pickled_weights_are_opened_for_who_insists_and_that_is_said(folder: Path) -> None:
    expected = load(settings(folder)).pipeline.unet.state_dict()
    (folder / UNET).unlink()
    tiny_sd().unet.save_pretrained(folder / "unet", safe_serialization=False)
    assert (folder / "unet/diffusion_pytorch_model.bin").is_file()
    lines: list[str] = []
    with listening(lines.append):
        loaded = load(settings(folder, trust_pickled_weights=True))
    found = loaded.pipeline.unet.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert lines == [
        f"{folder} has pickled weights, which may run code; they are opened as you asked"
    ]


def test_a_trusted_folder_with_safetensors_is_loaded_from_these(folder: Path) -> None:
    lines: list[str] = []
    with listening(lines.append):
        load(settings(folder, trust_pickled_weights=True))
    assert lines == []


def test_trust_does_not_make_up_for_weights_that_are_missing(folder: Path) -> None:
    (folder / UNET).unlink()
    with refused(PainterError, f"{folder} is incomplete: no safetensors weights for its unet"):
        create(settings(folder, trust_pickled_weights=True))


@pytest.mark.parametrize("cut", [5, 1000, -1])
def test_a_weight_file_that_is_cut_short_is_named(folder: Path, cut: int) -> None:
    (folder / UNET).write_bytes((folder / UNET).read_bytes()[:cut])
    with pytest.raises(
        PainterError,
        match=rf"^{folder / UNET} is damaged \(.+\); delete it and download or save the model "
        "again$",
    ):
        create(settings(folder))


HOSTILE = {
    "a module of its own": ("unet", ["planted", "Planted"]),
    "another library": ("unet", ["os", "system"]),
    "another folder": ("../elsewhere", ["diffusers", "UNet2DConditionModel"]),
    "an absolute path": ("/etc", ["diffusers", "UNet2DConditionModel"]),
    "an attribute of an attribute": ("unet", ["diffusers", "utils.os"]),
    "no name": ("unet", ["diffusers", 3]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_index_that_names_code_from_elsewhere_is_refused_and_runs_nothing(
    folder: Path, tmp_path: Path, case: str
) -> None:
    name, value = HOSTILE[case]
    ran = tmp_path / "was run"
    for place in ("unet", "."):
        (folder / place / "planted.py").write_text(
            f"open({str(ran)!r}, 'w')\nclass Planted: pass\n"
        )
    change(folder / "model_index.json", **{name: value})
    with pytest.raises(PainterError, match=r"is no part of diffusers or transformers") as told:
        create(settings(folder))
    assert "\n" not in str(told.value)
    assert not ran.exists()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": 1' + " " * (2 << 20) + "}", "[]", "\0"])
def test_an_index_that_is_too_deep_too_long_or_no_table_is_one_line(
    folder: Path, text: str
) -> None:
    (folder / "model_index.json").write_text(text)
    with pytest.raises(PainterError, match=f"^{folder}/model_index.json can't be read: ") as told:
        create(settings(folder))
    assert "\n" not in str(told.value)


class _Planted:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.place), "w")


def test_weights_that_are_only_called_safetensors_are_not_opened(
    folder: Path, tmp_path: Path
) -> None:
    pickled = pickle.dumps(_Planted(tmp_path / "was run"))
    gigabytes = (1 << 40).to_bytes(8, "little") + b"{}"
    endless = b"\x02" + bytes(7) + b"{}" + bytes(64)
    for harm in (pickled, gigabytes, endless, b""):
        (folder / UNET).write_bytes(harm)
        with pytest.raises(PainterError, match=rf"^{folder / UNET} is damaged \(.+\); delete it"):
            create(settings(folder))
    assert not (tmp_path / "was run").exists()


def test_parts_that_do_not_fit_each_other_are_one_line(folder: Path) -> None:
    change(folder / "unet/config.json", block_out_channels=[32, 96])
    with pytest.raises(PainterError, match=f"^{folder} can't be loaded: [^\n]+$"):
        create(settings(folder))


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"scheduler": "dpm+++"}, "unknown scheduler 'dpm+++'; did you mean 'dpm++'?"),
        ({"steps": 2000}, "steps must be at most 1000 with this model, not 2000"),
        (
            {"steps": 10, "strength": 0.05},
            "strength 0.05 of 10 steps leaves no step to do; it must be at least 0.1",
        ),
    ],
)
def test_settings_that_the_model_cannot_use_are_refused(
    folder: Path, more: dict[str, Any], line: str
) -> None:
    with refused(SettingsError, line):
        create(settings(folder, **more))


def test_more_steps_than_a_sampler_can_do_are_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"^scheduler lcm can't do 60 steps: [^\n]+$"):
        create(settings(folder, scheduler="lcm", steps=60))


def test_an_empty_prompt_is_refused_before_anything_is_loaded() -> None:
    with refused(SettingsError, "the prompt is empty; me/nothing needs one"):
        create(RenderSettings(prompt="  ", painter="diffusion", model="me/nothing"))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"steps": 5000}, "steps must be at most 1000 with this model"),
        ({"scheduler": "lcm", "steps": 60}, "scheduler lcm can't do 60 steps"),
        ({"strength": 0.1}, "strength 0.1 of 3 steps leaves no step to do"),
        ({"scheduler": "eular"}, "did you mean 'euler'"),
    ],
)
def test_what_is_steered_is_checked_beforehand_and_the_painter_stays_as_it_is(
    folder: Path, changes: dict[str, Any], line: str
) -> None:
    painter = DiffusionPainter(load(settings(folder)), settings(folder))
    scheduler = painter.caller.pipeline.scheduler
    before = (dict(scheduler.config), getattr(scheduler, "timesteps", None))
    with pytest.raises(SettingsError, match=re.escape(line)):
        painter.check(settings(folder, **changes))
    painter.check(settings(folder, steps=7))
    assert painter.caller.pipeline.scheduler is scheduler
    assert dict(scheduler.config) == before[0]
    assert getattr(scheduler, "timesteps", None) is before[1]


@pytest.mark.parametrize(
    "more", [{"steps": 5}, {"guidance_scale": 1.0}, {"strength": 0.6, "steps": 6}]
)
def test_what_each_call_reads_is_steered_without_loading_the_model_again(
    folder: Path, more: dict[str, Any]
) -> None:
    before, after = settings(folder), settings(folder, **more)
    painter = DiffusionPainter(load(before), before)
    painter.paint(ring_job(), ignore)
    assert painter.adjust(after)
    expected = DiffusionPainter(load(after), after).paint(ring_job(), ignore)
    assert np.array_equal(painter.paint(ring_job(), ignore), expected)
    assert painter.adjust(before)


def test_other_settings_need_another_painter(folder: Path) -> None:
    before = settings(folder, speed="fast")
    painter = DiffusionPainter(load(before), before)
    others: list[dict[str, Any]] = [
        *({"scheduler": "lcm"}, {"model": "sd2"}, {"speed": "quality"}, {"steps": 12})
    ]
    for more in others:
        assert not painter.adjust(before.changed(more))
    with pytest.raises(SettingsError, match="at most 1000"):
        painter.adjust(before.changed({"steps": 2000}))


def test_the_device_is_described_in_one_line() -> None:
    assert re.fullmatch(r"[^\n]+ \((cuda|mps)\)|CPU, \d+ threads; slow", describe_device())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize(
    ("wanted", "present", "named"),
    [
        ("gpu", None, "a GPU"),
        ("gpu", "NVIDIA H100", "NVIDIA H100"),
        ("auto", "NVIDIA H100", "NVIDIA H100"),
    ],
)
def test_a_gpu_that_torch_cant_use_stops_the_film_with_the_reason(
    folder: Path, wanted: str, present: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found 11040).\nUpdate")

    monkeypatch.setattr(torch.cuda, "init", init)
    monkeypatch.setattr("renderer.painting.painters.diffusion.device.accelerator", lambda: present)
    reason = "The NVIDIA driver on your system is too old (found 11040)."
    with refused(
        PainterError,
        f"torch can't use {named}: {reason}; mend that, or paint on the CPU with --device cpu",
    ):
        load(settings(folder, device=wanted))
    assert load(settings(folder, device="cpu")).device.device.type == "cpu"


def test_a_cpu_computes_in_full_precision() -> None:
    cpu = Device(torch.device("cpu"), "CPU")
    assert not cpu.half
    assert cpu.dtype(prefers_bfloat16=True) == torch.float32
    assert Device(torch.device("mps"), "Apple").dtype(prefers_bfloat16=True) == torch.float16


@pytest.mark.parametrize(("overflows", "dtype"), [(False, torch.float16), (True, torch.bfloat16)])
def test_sdxl_is_loaded_in_what_its_own_vae_can_do(
    overflows: bool, dtype: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    pipeline = tiny_sdxl()
    pipeline.vae.register_to_config(force_upcast=overflows)
    pipeline.save_pretrained(tmp_path)
    gpu = Device(torch.device("cuda"), "a GPU")
    loaded = _from_folder(tmp_path, SDXL, gpu, settings(tmp_path))
    assert {part.dtype for part in (loaded.unet, loaded.vae, loaded.text_encoder)} == {dtype}
    assert not loaded.vae.config.force_upcast  # in bfloat16 as well: its range is float32's
