"""Complaints come up at the field that is to blame; presets and defaults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from renderer.painting.painters.models import PRESETS
from tests.interface.processes import environment
from zoomtui.making import form
from zoomtui.making.form import FieldError

HEAVY = ("torch", "diffusers", "transformers", "av", "numba", "renderer.engine.session")
GOOD = {"prompt": "a reef", "painter": "diffusion", "seed": "1"}


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("painter", "textur", "did you mean 'texture'"),
        ("model", "sdx", "did you mean 'sdxl'"),
        ("steps", "0", "at least 1"),
        ("steps", "many", "'many' is not a whole number"),
        ("guidance_scale", "-1", "0 or more"),
        ("guidance_scale", "nan", "0 or more"),
        ("strength", "1.5", "at most 1"),
        ("scheduler", "eulr", "did you mean 'euler'"),
        ("seed", "-1", "seed must be 0"),
        ("method", "all", "direct"),
        ("keyframes", "1", "at least 2"),
        ("keyframes", "some", "a whole number or inf"),
        ("zoom_factor", "1", "above 1"),
        ("zoom_factor", "5", "too large"),
        ("seconds_per_keyframe", "0", "above 0"),
        ("size", "big", "WIDTHxHEIGHT"),
        ("size", "641x360", "odd side"),
        ("fps", "fast", "fraction"),
        ("codec", "h266", "did you mean"),
        ("crf", "60", "must be 0 to 51"),
        ("preset", "quick", "preset 'quick'"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(key: str, text: str, words: str) -> None:
    with pytest.raises(FieldError) as caught:
        form.check({**GOOD, key: text})
    assert caught.value.key == key
    assert words in str(caught.value)


def test_a_missing_prompt_is_the_prompts_fault() -> None:
    with pytest.raises(FieldError) as caught:
        form.check({**GOOD, "prompt": " "})
    assert caught.value.key == "prompt"


def test_a_picture_that_cannot_be_read_is_the_fault_of_its_field() -> None:
    texts = {"image": "/no/such.png", "exemplar": "/no/other.png"}
    assert form.field_of("/no/other.png can't be read: No such file", texts) == "exemplar"
    assert form.field_of("/no/such.png can't be read: No such file", texts) == "image"
    assert form.field_of("the moon is in the way", texts) == ""


@pytest.mark.parametrize("preset", form.FILM_PRESETS)
def test_every_film_preset_can_be_used_and_is_recognised(preset: str) -> None:
    texts = form.filled(GOOD, preset)
    assert form.film_preset(texts) == preset
    form.check(texts)


@pytest.mark.parametrize("model", [preset.name for preset in PRESETS])
def test_every_model_on_offer_can_be_used(model: str) -> None:
    assert form.check({**GOOD, "model": model}).settings.model == model


@pytest.mark.parametrize(
    ("key", "choice"),
    [
        (field.key, choice)
        for field in form.FIELDS
        if field.key not in ("preset",)
        for choice in field.choices
    ],
)
def test_every_text_on_offer_is_one_that_can_be_used(key: str, choice: str) -> None:
    form.check({**GOOD, key: choice})


def test_defaults_that_are_typed_in_change_nothing() -> None:
    plan = form.check(GOOD)
    shown = form.defaults(plan.settings, Path("reef.zoom"))
    words = ("scheduler", "image", "exemplar", "keyframes", "folder")
    typed = {key: text for key, text in shown.items() if key not in words}
    again = form.check({**GOOD, **typed}).settings
    assert again.changed({"crf": None, "preset": ""}) == plan.settings


def test_without_an_accelerator_the_texture_painter_is_what_the_form_comes_to() -> None:
    assert form.painter_of({"painter": "texture"}) == "texture"
    assert form.painter_of({"model": "sdxl"}) == "diffusion"


def test_the_screens_and_a_checked_form_load_nothing_that_renders() -> None:
    program = (
        "import sys; from zoomtui.making import form, forecast; import zoomtui.screens.renders\n"
        "form.check({'prompt': 'a reef', 'painter': 'diffusion'}); forecast.look_around()\n"
        f"print([module for module in {HEAVY!r} if module in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, check=True
    )
    assert answer.stdout.strip() == b"[]"
