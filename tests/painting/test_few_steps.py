"""``--speed fast``: which LoRA and which settings it brings along, and how one gets rid of them."""

from __future__ import annotations

from typing import Any

import pytest

from renderer.planning.defaults import changes, fill_in
from renderer.planning.painter_choice import DIVING
from renderer.settings.lora_names import parse_lora
from renderer.settings.presets import PRESETS, FewSteps, find_preset
from renderer.settings.render import RenderSettings
from renderer.settings.samplers import SCHEDULERS
from renderer.settings.speed_levels import LEAST_STEPS

NAMES = [preset.name for preset in PRESETS if preset.few_steps]
OTHERS = [preset.name for preset in PRESETS if not preset.few_steps]


def test_a_dive_keeps_its_strength() -> None:
    dive = plan(model="sdxl", speed="fast", method="refine")
    assert (dive.strength, dive.steps) == (DIVING, few_steps("sdxl").steps)
    now = plan(model="sdxl", method="refine")
    assert now.changed(changes(now, {"speed": "fast"})).strength == DIVING


def plan(**more: Any) -> RenderSettings:
    return fill_in({"prompt": "a castle", "painter": "diffusion", **more}).settings


def few_steps(model: str) -> FewSteps:
    preset = find_preset(model)
    assert preset is not None
    assert preset.few_steps is not None
    return preset.few_steps


@pytest.mark.parametrize("model", NAMES)
def test_fast_takes_the_presets_lora_and_what_suits_it(model: str) -> None:
    few = few_steps(model)
    assert few.scheduler in SCHEDULERS
    assert parse_lora(few.lora).on_hub is not None
    fast = plan(model=model, speed="fast")
    assert fast.loras == (few.lora,)
    assert (fast.steps, fast.guidance_scale) == (few.steps, few.guidance_scale)
    assert (fast.scheduler, fast.strength) == (few.scheduler, few.strength)
    for slower in ("quality", "balanced"):
        assert plan(model=model, speed=slower).loras == ()


def test_who_says_how_many_steps_gets_them_without_a_lora() -> None:
    fast = fill_in({"prompt": "x", "model": "sd15", "speed": "fast", "steps": 30})
    assert fast.settings.loras == ()
    assert fast.settings.steps == 30
    assert any("no LoRA for few steps" in note for note in fast.notes)


DEEP = "runs its UNet's inner blocks at one step in 3 only (DeepCache)"


@pytest.mark.parametrize("model", [*OTHERS, "me/model"])
def test_a_model_without_a_known_lora_says_so(model: str) -> None:
    fast = fill_in({"prompt": "x", "model": model, "speed": "fast"})
    assert fast.settings.loras == ()
    does = (
        DEEP if model in {"sd-x4", "kandinsky", "cosmos", "me/model"} else "does what balanced does"
    )
    line = f"no LoRA for few steps is used with {model}, so --speed fast {does}"
    assert line in fast.notes


@pytest.mark.parametrize(("steps", "deep"), [(LEAST_STEPS - 1, False), (LEAST_STEPS, True)])
def test_with_steps_of_ones_own_it_says_whether_they_are_enough_for_shallow_ones(
    steps: int, deep: bool
) -> None:
    fast = fill_in({"prompt": "x", "model": "sd15", "speed": "fast", "steps": steps})
    assert [note.endswith(DEEP) for note in fast.notes if "LoRA" in note] == [deep]


def test_speed_can_be_steered_to_fast_and_back() -> None:
    before = plan(model="sd15", seed=1)
    fast = before.changed(changes(before, {"speed": "fast"}))
    assert fast == plan(model="sd15", seed=1, speed="fast")
    back = fast.changed(changes(fast, {"speed": "quality"}))
    assert back == before


def test_other_speeds_leave_the_users_own_settings_alone() -> None:
    before = plan(model="sd15", steps=40, guidance_scale=5.0)
    assert changes(before, {"speed": "balanced"}) == {"speed": "balanced"}
    assert changes(before, {"seed": 3}) == {"seed": 3}


def test_another_model_brings_its_own_lora_for_few_steps() -> None:
    fast = plan(model="sd15", speed="fast")
    other = fast.changed(changes(fast, {"model": "sd2"}))
    assert other.loras == (few_steps("sd2").lora,)
    assert other.steps == few_steps("sd2").steps
