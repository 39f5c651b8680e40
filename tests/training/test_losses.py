"""What counts in the autoencoder's pictures: stars, rims and tints more than their pixels do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training import losses
from training.losses import pyramid_loss


def sky() -> Tensor:
    return torch.full((1, 3, 64, 64), -0.9)


def test_a_picture_that_is_right_costs_nothing() -> None:
    assert pyramid_loss(sky(), sky()) == 0


def test_a_star_that_is_missing_costs_more_than_as_much_light_spread_out() -> None:
    true, spread = sky(), sky()
    true[..., 32, 32] += 1.8
    spread += 1.8 / (64 * 64)
    assert pyramid_loss(sky(), true) > 5 * pyramid_loss(sky(), spread)


def test_a_rim_costs_more_than_its_pixels_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rim, inside = sky(), sky()
    rim[..., 0] += 0.1
    inside[..., 24:32] += 0.1
    before = [pyramid_loss(made, sky()) for made in (rim, inside)]
    monkeypatch.setattr(losses, "_RIM", 1.0)
    after = [pyramid_loss(made, sky()) for made in (rim, inside)]
    assert before[0] > 1.3 * after[0]
    assert before[1] < 1.1 * after[1]


def test_a_wrong_tint_costs_more_than_as_wrong_a_light() -> None:
    shift = torch.tensor([0.1, 0.0, -0.1]).view(1, 3, 1, 1)
    tinted, lighter = sky() + shift, sky() + shift.abs()
    assert pyramid_loss(tinted, sky()) > 1.2 * pyramid_loss(lighter, sky())
