"""Checkpoints give back what was put in, whole or slim, and say so when they can't."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training import checkpoint
from training.averages import Average


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.Conv2d(8, 4, 1))


def trained(seed: int) -> tuple[nn.Sequential, torch.optim.AdamW, Average]:
    torch.manual_seed(seed)
    net = model()
    optimizer = torch.optim.AdamW(net.parameters(), 0.01)
    average = Average(net)
    for step in range(3):
        optimizer.zero_grad()
        torch.autograd.backward(net(torch.randn(2, 3, 8, 8)).square().mean())
        optimizer.step()
        average.update(step)
    return net, optimizer, average


def parts(net: nn.Module, optimizer: torch.optim.Optimizer, average: Average) -> dict[str, object]:
    return {"unet": net, "optimizer": optimizer, "average-unet": average}


def step(net: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
    optimizer.zero_grad()
    torch.autograd.backward(net(torch.ones(1, 3, 8, 8)).square().mean())
    optimizer.step()
    return next(net.parameters()).detach().clone()


def test_training_goes_on_exactly_from_a_checkpoint(tmp_path: Path) -> None:
    net, optimizer, average = trained(0)
    file = tmp_path / "unet.safetensors"
    checkpoint.write(file, parts(net, optimizer, average), {"step": 3})
    other, its_optimizer, its_average = trained(1)
    state = checkpoint.read(file, parts(other, its_optimizer, its_average))
    assert state["step"] == 3
    assert torch.equal(step(net, optimizer), step(other, its_optimizer))
    for own, read in zip(average.model.parameters(), its_average.model.parameters(), strict=True):
        assert torch.equal(own, read)


def test_a_checkpoint_of_another_shape_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "unet.safetensors"
    checkpoint.write(file, {"unet": model()}, {})
    with pytest.raises(ValueError, match=r"unet\.safetensors is of another model: unet"):
        checkpoint.read(file, {"unet": nn.Conv2d(3, 8, 3)})


def test_no_unfinished_file_is_taken_for_a_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "unet.safetensors"
    checkpoint.write(file, {"unet": model()}, {"step": 1})
    checkpoint.write(file, {"unet": model()}, {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_slim_form_carries_averages_and_a_run_goes_on_from_them(tmp_path: Path) -> None:
    run, slim, new = tmp_path / "run", tmp_path / "slim", tmp_path / "new"
    net, optimizer, average = trained(0)
    for name in ("autoencoder", "decoder", "unet"):
        held = {name: net, "optimizer": optimizer, f"average-{name}": average}
        checkpoint.write(run / f"{name}.safetensors", held, {"step": 7, "fresh_since": 0})
    assert checkpoint.export(run, slim)
    checkpoint.restore(slim, new)
    for name, tolerance in (("autoencoder", 1e-3), ("decoder", 1e-3), ("unet", 1e-2)):
        other, its_average = model(), Average(model())
        state = checkpoint.read(
            new / f"{name}.safetensors", {name: other, f"average-{name}": its_average}
        )
        assert state["step"] == state["fresh_since"] == 7, "the optimizer begins anew"
        assert "optimizer" not in state["parts"]
        for own, read, made in zip(
            average.model.parameters(),
            other.parameters(),
            its_average.model.parameters(),
            strict=True,
        ):
            assert torch.equal(read, made)
            assert torch.allclose(read, own, atol=tolerance * float(own.abs().max()))


def test_slim_files_are_small_enough_to_travel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SHARD", 2**18 + 300)
    checkpoint.write(
        tmp_path / "run" / "unet.safetensors",
        {"average-unet": Average(model())},
        {"step": 1, "fresh_since": 0},
    )
    files = checkpoint.export(tmp_path / "run", tmp_path / "slim")
    assert len(files) > 1
    assert all(file.stat().st_size <= checkpoint.SHARD for file in files)
    checkpoint.restore(tmp_path / "slim", tmp_path / "new")
    checkpoint.read(tmp_path / "new" / "unet.safetensors", {"unet": model()})
