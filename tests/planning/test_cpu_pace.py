"""The least that Stable Diffusion takes on a CPU: by arithmetic, with the machine's speed given."""

from __future__ import annotations

import pytest

from renderer.planning import cpu_pace
from renderer.planning.defaults import fill_in


def test_it_grows_with_canvas_steps_and_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_pace, "operations_a_second", lambda: 2 * 339e9)
    settings = fill_in({"prompt": "a reef", "model": "sd2", "steps": 10}).settings
    calls_at_512 = 10 * 2 * (768 / 512) ** 2  # canvas 768x768, with and without the prompt
    assert cpu_pace.seconds_on_cpu(settings) == pytest.approx(calls_at_512)
    alone = settings.changed({"guidance_scale": 1.0})
    assert cpu_pace.seconds_on_cpu(alone) == pytest.approx(calls_at_512 / 2)
    assert cpu_pace.seconds_on_cpu(settings.changed({"model": "sdxl"})) is None


def test_a_dive_takes_as_many_calls_as_it_has_tiles_and_fewer_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu_pace, "operations_a_second", lambda: 2 * 339e9)
    dive = fill_in({"model": "sd2", "method": "refine", "keyframe_size": "768x768"}).settings
    assert (dive.steps, dive.strength, dive.tile, dive.zoom_factor) == (25, 0.4, 768, 2)
    tiles = 3 * 3  # of 1536 pixels each way, as tiles overlap by a quarter
    expected = tiles * 10 * 2 * (768 / 512) ** 2
    assert cpu_pace.seconds_on_cpu(dive) == pytest.approx(expected)


def test_this_machine_can_multiply() -> None:
    assert cpu_pace.operations_a_second() > 0
