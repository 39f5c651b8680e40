"""All stages on real pictures at a tiny size, and what they make, painted by the real painter."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import first_picture, outpaint
from renderer.painting.painters import find
from renderer.planning.defaults import fill_in
from training import autoencoder, bank, decoder, distill, unet
from training.clock import Clock
from training.latents import whitened
from training.models import TINY, build_autoencoder
from training.pack import pack
from training.pictures import catalogue
from training.running import Options
from training.save import save
from training.source import Source, open_pack

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the one picture that the repository ships, to train on and held out."""
    ours = [p for p in catalogue.catalogue() if p.source == catalogue.REPOSITORY][:1]
    held = [replace(picture, name="held", held_out=True) for picture in ours]
    folder = tmp_path_factory.mktemp("training")
    pack([*ours, *held], folder, folder / "pack")
    return folder / "pack"


@pytest.fixture(scope="module")
def run(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few steps of every stage."""
    folder = tmp_path_factory.mktemp("run")
    for stage, steps in ((autoencoder, 12), (decoder, 3), (unet, 6), (distill, 3)):
        assert not stage.train(options(packed, folder, steps))
    return folder


def options(pack: Path, folder: Path, steps: int) -> Options:
    return Options(pack=pack, run=folder, clock=Clock(steps=steps), sizes=TINY, every=1)


def figures(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


class OnePicture:
    """The same batch again and again: what a model must be able to learn by heart."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def batch(self, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
        return self._source.batch(count, size, torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_from_a_pack_to_a_keyframe(run: Path, tmp_path: Path) -> None:
    folder = save(run, tmp_path / "cosmos", TINY)
    card = json.loads((folder / "zoomtui.json").read_text(encoding="utf-8"))
    assert (card["steps"], card["guidance_scale"]) == (distill.STEPS, 1.0)
    settings = fill_in(
        {
            "painter": "diffusion",
            "model": str(folder),
            "prompt": "blue spiral galaxy, many stars",
            "steps": card["steps"],
            "guidance_scale": card["guidance_scale"],
            "scheduler": "",
            "size": "64x64",
            "keyframe_size": "64x64",
        }
    ).settings
    painter = find("diffusion")(settings)
    steps: list[tuple[int, int]] = []
    picture = first_picture(painter, settings, lambda *step: steps.append(step))
    assert steps[-1] == (distill.STEPS, distill.STEPS)
    done = outpaint(
        painter,
        picture,
        settings,
        keyframe=1,
        reference=Reference.of(picture),
        on_step=lambda *_: None,
    )
    assert done.canvas.shape == (96, 96, 3)
    assert np.array_equal(done.canvas[16:80, 16:80], picture)
    assert done.canvas[:16].std() > 0


def test_without_the_last_stage_the_card_asks_for_guidance(run: Path, tmp_path: Path) -> None:
    folder = save(run, tmp_path / "cosmos", TINY, distilled=False)
    card = json.loads((folder / "zoomtui.json").read_text(encoding="utf-8"))
    assert (card["steps"], card["guidance_scale"]) == (unet.STEPS, unet.GUIDANCE)


def test_nothing_but_a_model_is_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(ValueError, match="holds something else than a model"):
        save(run, tmp_path, TINY)
    assert (tmp_path / "letters").read_text() == "dear"


def test_every_stage_leaves_figures_and_a_sheet(run: Path) -> None:
    for name in (autoencoder.NAME, decoder.NAME, unet.NAME, distill.NAME):
        assert (run / f"{name}.png").stat().st_size > 1000
        assert all("step" in line for line in figures(run / f"{name}.jsonl"))
        if name in (autoencoder.NAME, decoder.NAME):
            assert figures(run / f"{name}.jsonl")[-1]["held_out_psnr"] > 0


@pytest.mark.soak
def test_the_autoencoder_learns(packed: Path, tmp_path: Path) -> None:
    pictures = OnePicture(open_pack(packed, CPU)[0])
    stage = autoencoder.AutoencoderStage(pictures, pictures, options(packed, tmp_path, 70))
    losses = [float(stage.advance()["pyramid"].detach()) for _ in range(45)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


@pytest.mark.soak
def test_the_decoder_learns_and_the_encoder_stays(run: Path, packed: Path, tmp_path: Path) -> None:
    _taken(run, tmp_path, autoencoder.NAME)
    before = decoder.finished(tmp_path, TINY)
    pictures = OnePicture(open_pack(packed, CPU)[0])
    stage = decoder.DecoderStage(pictures, pictures, options(packed, tmp_path, 100))
    losses = [float(stage.advance()["pyramid"].detach()) for _ in range(45)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    stage.save()
    after = decoder.finished(tmp_path, TINY)
    for name, value in before.state_dict().items():
        stays = name.startswith(("encoder", "quant_conv"))
        assert torch.equal(value, after.state_dict()[name]) == stays, name


@pytest.mark.slow
def test_a_decoder_for_other_latents_is_refused(run: Path, packed: Path, tmp_path: Path) -> None:
    _taken(run, tmp_path, decoder.NAME)
    autoencoder.train(options(packed, tmp_path, 1))
    for use in (decoder.train, lambda given: decoder.finished(given.run, TINY)):
        with pytest.raises(ValueError, match=r"decoder\.safetensors is of another autoencoder"):
            use(options(packed, tmp_path, 5))


@pytest.mark.soak
def test_the_unet_learns(run: Path, packed: Path, tmp_path: Path) -> None:
    _taken(run, tmp_path, autoencoder.NAME)
    pictures = OnePicture(open_pack(packed, CPU)[0])
    stage = unet.UNetStage(pictures, options(packed, tmp_path, 100))
    losses = [float(stage.advance()["loss"].detach()) for _ in range(60)]
    assert np.mean(losses[-12:]) < 0.85 * np.mean(losses[:12])


@pytest.mark.soak
@pytest.mark.parametrize("stage", [autoencoder, decoder, unet, distill])
def test_a_run_in_two_goes_gives_the_weights_of_a_run_in_one(
    stage: Any, run: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank, "ROUND", 3)  # so that a new bank is made, and one is made again
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    for folder in (whole, halves):
        folder.mkdir()
        for before in _needs(stage):
            _taken(run, folder, before)
    assert not stage.train(options(packed, whole, 5))
    _stopped_after(stage, 2, lambda: options(packed, halves, 5), monkeypatch)
    assert not stage.train(options(packed, halves, 5))
    assert figures(halves / f"{stage.NAME}.jsonl")[-2]["step"] == 5
    ours, theirs = (load_file(folder / f"{stage.NAME}.safetensors") for folder in (whole, halves))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def _taken(run: Path, folder: Path, name: str) -> None:
    """A stage's checkpoint into another run."""
    shutil.copy(run / f"{name}.safetensors", folder)


def _needs(stage: Any) -> list[str]:
    order = [autoencoder.NAME, decoder.NAME, unet.NAME, distill.NAME]
    return order[: order.index(stage.NAME)]


def _stopped_after(
    stage: Any, steps: int, given: Callable[[], Options], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run a stage and press Ctrl-C in its step number ``steps``."""
    kind = next(
        value for name, value in vars(stage).items() if name.endswith("Stage") and name != "Stage"
    )
    advance = kind.advance

    def interrupted(self: Any) -> Mapping[str, Tensor]:
        if self.step + 1 == steps:
            signal.raise_signal(signal.SIGINT)
        return advance(self)  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(kind, "advance", interrupted)
        assert stage.train(given())


@pytest.mark.soak
def test_a_run_without_time_saves_at_once(packed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.autoencoder", packed, tmp_path, "--minutes", "0"]
    done = subprocess.run(
        [*command, "--sizes", "tiny"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "autoencoder.safetensors").exists()
    assert figures(tmp_path / "autoencoder.jsonl")[-1]["step"] == 0


def test_stages_out_of_order_are_refused_in_one_line(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"run training\.autoencoder first"):
        unet.train(options(packed, tmp_path, 1))
    small = replace(TINY, name="small")
    autoencoder.train(options(packed, tmp_path, 0))
    with pytest.raises(ValueError, match="was trained with --sizes tiny, not small"):
        autoencoder.finished(tmp_path, small)


@torch.no_grad()
def test_finished_latents_have_mean_0_and_covariance_1_and_mean_the_same_pictures() -> None:
    torch.manual_seed(0)
    model = build_autoencoder(TINY).eval()
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    before = model.encode(pictures).latent_dist
    flat = before.mean.transpose(0, 1).flatten(1)
    finished = whitened(model, flat.mean(1), torch.cov(flat), before.var.mean((0, 2, 3)))
    after = finished.encode(pictures).latent_dist
    assert torch.allclose(after.mean.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(torch.cov(after.mean.transpose(0, 1).flatten(1)), torch.eye(4), atol=1e-3)
    assert torch.equal(after.var.amax((0, 2, 3)), after.var.amin((0, 2, 3)))
    made, same = model.decode(before.mean).sample, finished.decode(after.mean).sample
    assert torch.allclose(made, same, atol=1e-4)


def test_a_direction_without_spread_is_not_made_larger_than_rounding_allows() -> None:
    torch.manual_seed(0)
    model = build_autoencoder(TINY)
    alike = torch.ones(4, 4) + 1e-6 * torch.eye(4)
    finished = whitened(model, torch.zeros(4), alike, torch.full((4,), 1e-3))
    assert finished.quant_conv.weight.abs().max() < 30 * model.quant_conv.weight.abs().max()
    assert all(value.isfinite().all() for value in finished.parameters())
