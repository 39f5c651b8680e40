"""What the UNet is told of its errors: broad ones weigh more than as many small ones."""

from __future__ import annotations

import pytest
import torch

from training.unet import _counts, _errors

EVERYWHERE = torch.ones(3, 1, 16, 16)


def test_noise_and_a_wrong_colour_of_one_size_differ_in_what_is_broad() -> None:
    noise = torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    colour = torch.full((3, 4, 16, 16), float(noise.square().mean().sqrt()))
    fine_noise, broad_noise = _errors(noise, EVERYWHERE)
    fine_colour, broad_colour = _errors(colour, EVERYWHERE)
    assert fine_noise.mean().item() == pytest.approx(fine_colour.mean().item(), rel=1e-4)
    assert (broad_colour > 10 * broad_noise).all()


def test_of_each_picture_and_nothing_where_nothing_is_off() -> None:
    off = torch.zeros(3, 4, 16, 16)
    off[1] = 0.5
    for errors in _errors(off, EVERYWHERE):
        assert errors.shape == (3,)
        assert errors[0] == errors[2] == 0
        assert errors[1] > 0


def test_what_counts_nothing_is_not_looked_at() -> None:
    counts = EVERYWHERE.clone()
    counts[:, :, :8] = 0
    off = torch.zeros(3, 4, 16, 16)
    off[:, :, :8] = 100
    assert all((errors == 0).all() for errors in _errors(off, counts))


def test_what_is_painted_counts_most_and_the_rim_more() -> None:
    mask = torch.ones(2, 1, 8, 8)
    mask[:, :, 2:6, 2:6] = 0
    counts = _counts(mask)
    inside, border, rim = (counts[1, 0, n, 4].item() for n in (3, 1, 0))
    assert inside < border < rim
    assert counts[1, 0, 4, -1] == rim
    assert mask.max() == 1
