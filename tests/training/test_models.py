"""What is ours in the models and their steps: lean norms, and gradients that may be broken."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.latents import plain
from training.models import TINY, Norm, build_autoencoder, build_unet
from training.running import follow


def test_group_norms_keep_the_precision_that_they_are_given() -> None:
    draws = torch.Generator().manual_seed(0)
    values = torch.randn(2, 16, 8, 8, generator=draws) * 3 + 1
    theirs, ours = nn.GroupNorm(4, 16), Norm(4, 16)
    exact = theirs(values)
    assert torch.equal(ours(values), exact)
    with torch.autocast("cpu", torch.bfloat16):
        half = ours(values.bfloat16().requires_grad_())
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), exact, atol=0.05)
    half.sum().backward()
    assert ours.weight.grad is not None
    assert ours.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("build", [build_autoencoder, build_unet])
def test_all_group_norms_are_such_ones(build: object) -> None:
    assert callable(build)
    norms = [part for part in build(TINY).modules() if isinstance(part, nn.GroupNorm)]
    assert norms
    assert all(isinstance(norm, Norm) for norm in norms)


def test_a_broken_gradient_is_not_followed() -> None:
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(layer.parameters(), 0.1)
    before = layer.weight.detach().clone()
    layer(torch.tensor([[torch.nan, 1.0]])).sum().backward()
    assert not torch.isfinite(follow(optimizer))
    assert torch.equal(layer.weight, before)
    optimizer.zero_grad()
    layer(torch.ones(1, 2)).sum().backward()
    assert torch.isfinite(follow(optimizer))
    assert not torch.equal(layer.weight, before)


def test_plain_latents_tell_light_and_two_tints() -> None:
    grey = torch.full((1, 3, 16, 16), -0.75)
    red = torch.tensor([0.5, -0.5, -0.5]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    assert plain(grey).shape == (1, 3, 2, 2)
    assert torch.allclose(plain(grey), torch.zeros(1, 3, 2, 2), atol=1e-6)
    light, redder, bluer = plain(red)[0, :, 0, 0].tolist()
    assert light > 1
    assert redder == pytest.approx(8)
    assert bluer == pytest.approx(-4)
