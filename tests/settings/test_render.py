"""Settings: checked once, the same after a way through TOML; one clear line for what is wrong."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from renderer.errors import ProjectError, SettingsError
from renderer.settings.painting import MAX_SEED, PaintingSettings
from renderer.settings.plain_values import parse_size
from renderer.settings.render import OPTIONS, RenderSettings, nearest_multiple

text = some.text(some.characters(exclude_categories=("Cs",)), max_size=60)
even = some.integers(32, 4096).map(lambda half: 2 * half)
settings = some.builds(
    RenderSettings,
    prompt=text,
    negative_prompt=text,
    painter=text.filter(bool),
    model=text,
    exemplar=text,
    steps=some.integers(1, 1000),
    guidance_scale=some.floats(0, 100),
    strength=some.floats(0, 1, exclude_min=True),
    scheduler=text,
    seed=some.integers(0, MAX_SEED),
    method=some.sampled_from(["direct", "sequential"]),
    keyframe_size=some.tuples(*[some.integers(8, 1024).map(lambda n: 8 * n)] * 2),
    zoom_factor=some.floats(1, 4, exclude_min=True),
    keyframes=some.none() | some.integers(2, 10**6),
    size=some.tuples(even, even),
    fps=some.fractions(Fraction(1, 100), 1000, max_denominator=1001),
    frames_per_keyframe=some.integers(1, 10**6),
    crf=some.none() | some.integers(0, 63),
    preset=text,
    encoder_options=some.dictionaries(text, text, max_size=3),
    threads=some.integers(1, 64),
)


@given(settings)
def test_toml_gives_back_exactly_what_was_put_in(given: RenderSettings) -> None:
    assert RenderSettings.from_toml(given.to_toml()) == given


@given(settings)
def test_plain_values_give_back_exactly_what_was_put_in(given: RenderSettings) -> None:
    assert RenderSettings().changed(given.plain()) == given


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("steps", 0, "steps must be at least 1, not 0"),
        ("guidance_scale", -1.0, "guidance_scale must be 0 or more, not -1"),
        ("guidance_scale", math.nan, "guidance_scale must be 0 or more, not nan"),
        ("strength", 0.0, "strength must be above 0 and at most 1, not 0"),
        ("strength", 1.5, "strength must be above 0 and at most 1, not 1.5"),
        ("seed", -1, f"seed must be 0 to {MAX_SEED}, not -1"),
        ("seed", 2**63, f"seed must be 0 to {MAX_SEED}, not {2**63}"),
        ("keyframes", 1, "keyframes must be at least 2 (the first picture and one "),
        ("frames_per_keyframe", 0, "frames_per_keyframe must be at least 1, not 0"),
        ("fps", Fraction(0), "fps must be above 0 and at most 1000, not 0"),
        ("fps", Fraction(-30), "fps must be above 0 and at most 1000, not -30"),
        ("fps", Fraction(10**12 + 1, 10**11), "fps 1000000000001/100000000000 can't be written"),
        ("fps", Fraction(1, 100000), "fps 1/100000 is less than a frame in 100 seconds"),
        ("prompt", "é" * 40_000, "prompt is 80,000 bytes long; at most 65,536 are kept"),
        ("threads", 0, "threads must be 1 to 64, not 0"),
        ("size_multiple", 0, "size_multiple must be 1 to 128, not 0"),
        ("crf", 64, "crf must be 0 to 63, not 64"),
        ("painter", "", "painter is empty"),
        ("codec", "", "codec is empty"),
        ("method", "directly", "unknown method 'directly'; did you mean 'direct'?"),
        ("zoom_factor", 1.0, "zoom_factor must be above 1 (1.5 is usual), not 1"),
        ("zoom_factor", -2.0, "zoom_factor must be above 1 (1.5 is usual), not -2"),
        ("zoom_factor", math.inf, "zoom_factor must be above 1 (1.5 is usual), not inf"),
        ("zoom_factor", 4.5, "zoom_factor 4.5 is too large; at most 4"),
        ("size", (63, 64), "size 63x64 is out of range; each side 64 to 8192"),
        ("size", (64, 8194), "size 64x8194 is out of range; each side 64 to 8192"),
        ("size", (-640, -480), "size -640x-480 is out of range; each side 64 to 8192"),
        ("size", (101, 100), "size 101x100 has an odd side"),
        ("keyframe_size", (500, 512), "keyframe_size 500x512 must be in multiples of 8 "),
    ],
)  # fmt: skip
def test_a_value_that_can_not_be_used_is_named(field: str, value: Any, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        replace(RenderSettings(), **{field: value})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", 512),
        ("size", [512, 512]),
        ("size", "512"),
        ("size", "512x512x3"),
        ("steps", 2.5),
        ("steps", True),
        ("seed", "7"),
        ("keyframes", "many"),
        ("keyframes", 3.0),
        ("crf", "good"),
        ("guidance_scale", "7"),
        ("guidance_scale", True),
        ("guidance_scale", 10**400),
        ("prompt", 7),
        ("prompt", None),
        ("encoder_options", 3),
        ("encoder_options", "a=b"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(key: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{key} can't be "):
        RenderSettings().changed({key: value})


@pytest.mark.parametrize("value", ["1/0", "fast", float("nan")])
def test_a_rate_that_can_not_be_read_says_how_it_is_written(value: Any) -> None:
    how = f"^fps must be a number, or a fraction such as 24000/1001, not '{value}'$"
    with pytest.raises(SettingsError, match=how):
        RenderSettings().changed({"fps": value})


def test_a_whole_number_does_for_a_fraction() -> None:
    changed = RenderSettings().changed({"guidance_scale": 7, "fps": 25, "zoom_factor": 2})
    assert (changed.guidance_scale, changed.fps, changed.zoom_factor) == (7.0, 25, 2.0)
    assert RenderSettings().changed({"fps": "30000/1001"}).fps == Fraction(30000, 1001)
    assert RenderSettings().changed({"fps": 29.97}).fps == Fraction(2997, 100)


def test_an_unknown_key_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(SettingsError, match=r"^here: unknown key .*did you mean 'guidance_scale'"):
        RenderSettings().changed({"guidence": 3}, "here")
    with pytest.raises(SettingsError, match=r"^unknown key 'qqqqq'; known: bit_depth, cand"):
        RenderSettings().changed({"qqqqq": 3})


def test_a_prompt_that_is_no_text_is_refused() -> None:
    with pytest.raises(SettingsError, match="prompt"):
        RenderSettings(prompt="caf\udce9")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("", "^here has no schema number: it is not a zoomtui project$"),
        ("schema = 'new'", "^here has no schema number: it is not a zoomtui project$"),
        ("schema = 99", "^here was written by a newer zoomtui"),
        ("schema = 1\nsteps = ", "^here is not valid TOML: "),
        (f"schema = 1\nsteps = 1{'0' * 5000}", "^here is not valid TOML: a number is too long"),
        (f"schema = 1\nsteps = 0x1{'0' * 5000}", "^here is not valid TOML: a number is too long"),
        (f"schema = 1\nsteps = {'[' * 5000}", "^here is not valid TOML: .* lie too deep$"),
    ],
)
def test_what_is_no_project_is_said(toml: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        RenderSettings.from_toml(toml, "here")


def test_what_toml_leaves_out_is_the_default() -> None:
    assert RenderSettings.from_toml("schema = 1") == RenderSettings()


def test_frames_of_a_film_count_the_first_and_the_last_picture() -> None:
    assert RenderSettings(keyframes=6, frames_per_keyframe=60).film_frames == 301
    assert RenderSettings(keyframes=2, frames_per_keyframe=1).film_frames == 2
    assert RenderSettings(keyframes=None).film_frames is None


def test_advice_on_sizes_is_a_size_that_works() -> None:
    with pytest.raises(SettingsError, match=r"use 102x100$"):
        RenderSettings(size=(101, 100))
    with pytest.raises(SettingsError, match=r"nearest: 496x512$"):
        RenderSettings(keyframe_size=(500, 512))
    RenderSettings(size=(102, 100), keyframe_size=(496, 512))


def test_sizes_are_read_as_they_are_written() -> None:
    assert parse_size("1920x1080") == parse_size("1920X1080") == (1920, 1080)
    assert nearest_multiple(1000, 64) == 1024
    assert nearest_multiple(1, 64) == 64


def test_all_of_the_painting_but_its_exemplar_may_be_steered() -> None:
    painting = [each.name for each in fields(PaintingSettings)]
    assert [name for name in painting if not OPTIONS[name].steerable] == ["exemplar"]
