"""Budgets are kept, and what depends on progress follows from it alone."""

from __future__ import annotations

import itertools

import pytest

from training.clock import Clock, Phase, phase_at, rate


def test_a_run_ends_before_its_time_is_up_with_some_left_for_saving() -> None:
    now = [0.0]
    clock = Clock(minutes=5, now=lambda: now[0])
    step = 0
    while clock.goes_on(step):
        now[0] += 7.0
        step += 1
    assert 300 - 20 - 2 * 7 <= now[0] <= 300 - 20


def test_no_minutes_are_no_steps() -> None:
    assert not Clock(minutes=0).goes_on(0)


def test_progress_goes_on_where_the_last_part_stopped() -> None:
    now = [100.0]
    clock = Clock(minutes=1, part=(0.6, 1.0), now=lambda: now[0])
    assert clock.progress(12345) == pytest.approx(0.6)
    now[0] += 30
    assert clock.progress(12345) == pytest.approx(0.8)
    now[0] += 300
    assert clock.progress(12345) == 1


def test_with_steps_a_run_means_the_same_everywhere() -> None:
    clock = Clock(steps=40)
    assert clock.progress(10) == 0.25
    assert [clock.goes_on(step) for step in (0, 39, 40)] == [True, True, False]


def test_rates_rise_stay_and_fall() -> None:
    rates = [rate(step / 1000, step, 100) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[100] == rates[500] == 1
    assert rates[999] < 0.05
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[600:]))


def test_the_phase_is_the_last_that_has_begun() -> None:
    phases = (Phase(0.0, 384, 8), Phase(0.5, 512, 4), Phase(0.8, 768, 2))
    assert [phase_at(phases, share).size for share in (0, 0.49, 0.5, 0.9, 1)] == [
        384,
        384,
        512,
        768,
        768,
    ]


def test_a_share_of_a_batch_is_one_picture_at_least() -> None:
    phases = (Phase(0.0, 384, 9),)
    assert [phase_at(phases, 0, share).batch for share in (1, 0.5, 0.01)] == [9, 4, 1]
