"""Training's noise schedule is the one that the saved scheduler samples with."""

from __future__ import annotations

import pytest
import torch

from training.models import build_scheduler
from training.noise import Schedule, draw_times
from training.painting import trailing


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return Schedule(torch.device("cpu"))


def test_it_is_the_schedulers_own_and_ends_in_pure_noise(schedule: Schedule) -> None:
    theirs = build_scheduler().alphas_cumprod.sqrt()
    assert torch.allclose(schedule.alpha[:-1], theirs, atol=1e-5)
    assert schedule.alpha[999] == 0
    assert schedule.alpha[-1] == 1


@pytest.mark.parametrize("steps", [4, 8, 10])
def test_a_run_of_steps_is_the_schedulers(schedule: Schedule, steps: int) -> None:
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    assert [time for time, _ in trailing(steps)] == scheduler.timesteps.tolist()
    draws = torch.Generator().manual_seed(0)
    ours = theirs = torch.randn(1, 4, 8, 8, generator=draws)
    for time, after in trailing(steps):
        v = torch.randn(1, 4, 8, 8, generator=draws)
        start, end = torch.tensor([time]), torch.tensor([after])
        ours = schedule.turned(ours, v, start, end)
        theirs = scheduler.step(v, time, theirs).prev_sample
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_v_between_is_the_step_backwards(schedule: Schedule) -> None:
    draws = torch.Generator().manual_seed(0)
    noisy, v = torch.randn(2, 3, 4, 8, 8, generator=draws)
    start, end = torch.tensor([999, 624, 124]), torch.tensor([874, 499, -1])
    result = schedule.turned(noisy, v, start, end)
    assert torch.allclose(schedule.v_between(noisy, result, start, end), v, atol=1e-4)


def test_v_and_noisy_latents_give_the_clean_ones_back(schedule: Schedule) -> None:
    draws = torch.Generator().manual_seed(0)
    latents, noise = torch.randn(2, 5, 4, 8, 8, generator=draws)
    times = torch.tensor([0, 200, 500, 800, 999])
    noisy, v = schedule.noised(latents, noise, times)
    clean = schedule.turned(noisy, v, times, torch.full((5,), -1))
    assert torch.allclose(clean, latents, atol=1e-4)


def test_every_batch_holds_all_noise_levels_and_weights_are_bounded(schedule: Schedule) -> None:
    times = draw_times(100, torch.Generator().manual_seed(0))
    assert times.min() < 30
    assert times.unique().diff().max() < 60
    assert int((times == 999).sum()) >= 5
    assert int((times >= 500).sum()) > 55, "they lean towards noise"
    weights = schedule.weights(torch.arange(1000)).flatten()
    assert weights.max() == 1
    assert weights[999] == 1, "pure noise counts: colours are settled there"
    assert torch.all(weights[1:] >= weights[:-1] - 1e-6)
    assert weights.min() > 0
