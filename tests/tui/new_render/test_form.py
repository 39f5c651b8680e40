"""Complaints come up at the field that is to blame; presets and defaults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from renderer.errors import SettingsError
from renderer.planning.prepare import prepare
from renderer.settings.film import BESIDES
from renderer.settings.presets import PRESETS
from renderer.settings.render import OPTIONS
from renderer.settings.sources import SOURCES
from tests.cli.processes import environment
from tests.cli.refusals import LONG
from zoomtui.tui.new_render import form
from zoomtui.tui.shared.form_fields import FieldError

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
        ("model", "~no-such-user", "there is no such folder"),
        ("model", LONG, "unknown model"),
        ("model", f"/{LONG}/x.safetensors", "there is no such file"),
        ("seed", "-1", "Seed must be 0"),
        ("method", "all", "direct"),
        ("keyframes", "1", "at least 2"),
        ("keyframes", "some", "a whole number or inf"),
        ("zoom_factor", "1", "above 1"),
        ("zoom_factor", "5", "too large"),
        ("seconds_per_keyframe", "0", "above 0"),
        ("size", "big", "WIDTHxHEIGHT"),
        ("size", "641x360", "odd side"),
        ("fps", "fast", "fraction"),
        ("keyframes_kept", "9" * 5000, "2 and more of the newest"),
        ("codec", "h266", "did you mean"),
        ("crf", "60", "must be 0 to 51"),
        ("preset", "quick", "preset 'quick'"),
        ("encoder_options", "tune", "KEY=VALUE"),
        ("encoder_options", "preset='slow", "KEY=VALUE"),
        ("direction", "up", "unknown direction 'up'"),
        ("speed", "quick", "unknown speed 'quick'"),
        ("loras", "style.bin", "no .safetensors file"),
        ("loras", "style.safetensors", "there is no such file"),
        ("loras", "~no-such-user/style.safetensors", "there is no such file"),
        ("loras", f"{LONG}/style.safetensors", "there is no such file"),
        ("loras", "style.safetensors:loud", "loud is no weight"),
        ("loras", "'my style.safetensors", "a quote is not closed"),
        ("stop_when", "drift>60 mood>3", "'mood>3' is not a condition"),
        ("pause_when", "disk>5GiB", "disk is written with <"),
        ("candidates", "0", "Candidates must be 1 to 64"),
        ("prompt_blend", "-1", "Prompt blend must be 0 to 10000"),
        ("keyframe_size", "100x100", "multiples of 8"),
        ("overmask", "999", "Overmask must be 0 to 256"),
        ("feather", "soft", "a whole number"),
        ("colour_fit", "maybe", "yes or no"),
        ("drift_guard", "2", "Drift guard must be 0 to 1"),
        ("seam_pass", "nan", "Seam pass must be 0"),
        ("prompts", "/no/such/plan", "plan /no/such/plan can't be read: No such file"),
        ("prompts", "x" * 5000, "File name too long"),
        ("prompts", "/dev/zero", "it is no plain file"),
        ("prompts", "/", "Is a directory"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(key: str, text: str, words: str) -> None:
    with pytest.raises(FieldError) as caught:
        form.check({**GOOD, **({"prompt": ""} if key == "prompts" else {}), key: text})
    assert caught.value.key == key
    assert words in str(caught.value)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "a plan.toml"
    file.write_text(
        'negative_prompt = "fog"\n[prompts]\n0 = "a reef"\n5 = "a wreck"\n9 = "a cave"\n'
    )
    return file


def test_a_plan_stands_for_the_prompt_and_brings_the_later_ones_along(plan: Path) -> None:
    texts = {"painter": "diffusion", "prompts": f" {plan} "}
    draft = form.check(texts)
    assert (draft.settings.prompt, draft.settings.negative_prompt) == ("a reef", "fog")
    assert draft.prompts == ((5, {"prompt": "a wreck"}), (9, {"prompt": "a cave"}))
    assert form.check({**texts, "negative_prompt": "text"}).settings.negative_prompt == "text"


def test_a_prompt_and_a_plan_contradict_each_other_at_the_plan(plan: Path) -> None:
    with pytest.raises(FieldError, match="one prompt or a plan") as caught:
        form.check({**GOOD, "prompts": str(plan)})
    assert caught.value.key == "prompts"


def test_what_is_wrong_in_a_plan_is_said_with_its_line_at_its_field(plan: Path) -> None:
    plan = plan.with_suffix(".txt")
    plan.write_text("0: a reef\nfive: a wreck\n")
    with pytest.raises(FieldError, match="line 2") as caught:
        form.check({"prompts": str(plan)})
    assert caught.value.key == "prompts"


def test_a_size_that_suits_no_painter_is_the_fault_of_what_was_typed() -> None:
    error = SettingsError("keyframe_size 9000x9000 is out of range", "keyframe_size")
    assert form.complaint(error, {"size": "9000x9000"}).key == "size"
    assert form.complaint(error, {"keyframe_size": "9000x9000"}).key == "keyframe_size"


def test_every_setting_that_has_a_row_is_a_field() -> None:
    options = {**OPTIONS, **BESIDES, **SOURCES}
    assert set(form.FIELDS) == {key for key, option in options.items() if option.row}


def test_a_missing_prompt_is_the_prompts_fault() -> None:
    with pytest.raises(FieldError) as caught:
        form.check({**GOOD, "prompt": " "})
    assert caught.value.key == "prompt"


def test_a_picture_that_cannot_be_read_is_the_fault_of_its_field(tmp_path: Path) -> None:
    settings = form.check(GOOD).settings
    for key, pictures in {"image": ["/no/a.png"], "exemplar": [None, "/no/b.png"]}.items():
        paths = [picture and Path(picture) for picture in pictures]
        with pytest.raises(SettingsError) as caught:
            prepare(tmp_path / "a.zoom", settings, *paths)
        assert form.complaint(caught.value, {}).key == key


def test_an_error_that_blames_no_field_stands_below() -> None:
    assert form.complaint(OSError("the moon is in the way"), {}).key == ""
    assert form.complaint(SettingsError("no thread is left", "threads"), {}).key == ""


@pytest.mark.parametrize("preset", form.FILM_PRESETS)
def test_every_film_preset_can_be_used_and_is_recognised(preset: str) -> None:
    texts = {**GOOD, **form.FILM_PRESETS[preset]}
    assert form.film_preset(texts) == preset
    form.check(texts)


@pytest.mark.parametrize("model", [preset.name for preset in PRESETS])
def test_every_model_on_offer_can_be_used(model: str) -> None:
    assert form.check({**GOOD, "model": model}).settings.model == model


def test_a_folder_that_is_no_model_is_said_at_its_field(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"no model_index\.json") as wrong:
        form.check({**GOOD, "model": str(tmp_path)})
    assert wrong.value.key == "model"


@pytest.mark.parametrize(
    ("key", "choice"),
    [
        (field.key, choice)
        for field in form.FIELDS.values()
        if field.key not in ("preset",)
        for choice in field.choices
    ],
)
def test_every_text_on_offer_is_one_that_can_be_used(key: str, choice: str, tmp_path: Path) -> None:
    texts = {**GOOD, key: choice}
    if key == "upscale" and choice != "1":
        (tmp_path / "a.safetensors").touch()
        texts["upscaler"] = str(tmp_path / "a.safetensors")
    form.check(texts)


def test_defaults_that_are_typed_in_change_nothing() -> None:
    plan = form.check(GOOD)
    shown = form.defaults(plan.settings, Path("reef.zoom"))
    words = {"scheduler", "keyframes", *SOURCES}
    typed = {key: text for key, text in shown.items() if key not in words}
    again = form.check({**GOOD, **typed}).settings
    assert again.changed({"crf": None, "preset": ""}) == plan.settings


def test_without_an_accelerator_the_texture_painter_is_what_the_form_comes_to() -> None:
    assert form.painter_of({"painter": "texture"}) == "texture"
    assert form.painter_of({"model": "sdxl"}) == "diffusion"


def test_the_screens_and_a_checked_form_load_nothing_that_renders() -> None:
    program = (
        "import sys; from zoomtui.tui.new_render import form, forecast\n"
        "import zoomtui.tui.renders.screen\n"
        "form.check({'prompt': 'a reef', 'painter': 'diffusion'}); forecast.look_around()\n"
        f"print([module for module in {HEAVY!r} if module in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, check=True
    )
    assert answer.stdout.strip() == b"[]"
