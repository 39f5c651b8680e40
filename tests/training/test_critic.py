"""What the critic can see, and what its word counts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.critic import Critic, Discriminator, balanced


def hatched(period: int) -> Tensor:
    """(1, 3, 32, 32): squares of half a period, light and dark in turns."""
    places = torch.arange(32) // (period // 2)
    return 0.5 * (1 - 2 * ((places[:, None] + places) % 2)).expand(1, 3, 32, 32).float()


def test_of_two_gradients_the_second_gets_its_share_of_the_firsts_length() -> None:
    first, second = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1000.0])
    assert torch.allclose(balanced(first, second, 0.5), torch.tensor([3.0, 1.5]))
    assert torch.equal(balanced(first, torch.zeros(2), 0.5), first)


@torch.no_grad()
def test_the_critic_sees_no_single_pixels_and_squares_wherever_they_begin() -> None:
    torch.manual_seed(0)
    model = Discriminator(8).eval()
    _, grey = model(torch.zeros(1, 3, 32, 32))
    _, pixels = model(hatched(2))
    assert all(torch.allclose(own, none) for own, none in zip(pixels, grey, strict=True))
    (_, squares), (_, moved) = model(hatched(4)), model(-hatched(4))
    inside = (..., slice(2, -2), slice(2, -2))
    assert (squares[0] - grey[0])[inside].abs().max() > 0.01
    assert torch.allclose(squares[0][inside], moved[0][inside], atol=1e-6)


def test_the_critic_asks_for_no_hatching() -> None:
    """What it wants of a picture is the same for all four pixels of a square."""
    torch.manual_seed(0)
    critic = Critic(8, torch.device("cpu"))
    true, made = torch.rand(2, 1, 3, 32, 32).mul(2).sub(1).unbind(0)
    made.requires_grad_()
    alone, _ = critic.gradient(made, true, 0.0)
    both, figures = critic.gradient(made, true, 0.5)
    wish = (both - alone).unflatten(2, (16, 2)).unflatten(4, (16, 2))
    assert figures.keys() == {"pyramid", "squared", "criticism"}
    assert wish.abs().max() > 0
    assert torch.allclose(wish, wish.mean((3, 5), keepdim=True).expand_as(wish), atol=1e-7)


@pytest.mark.slow
def test_the_critic_learns_to_tell_them_apart() -> None:
    torch.manual_seed(0)
    critic = Critic(8, torch.device("cpu"))
    true, made = hatched(8), torch.zeros(1, 3, 32, 32)
    lessons = [float(critic.learn(made, true)["lesson"].detach()) for _ in range(150)]
    assert lessons[-1] < 0.8 * lessons[0]
