"""The form and its command line say the same thing, whatever is typed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renderer.planning.defaults import fill_in
from zoomtui.cli.options import wishes
from zoomtui.cli.render import render
from zoomtui.tui.new_render import form

FULL = {
    "prompt": "a coral reef",
    "negative_prompt": "text, frames",
    "painter": "diffusion",
    "model": "sdxl",
    "steps": "30",
    "guidance_scale": "6.5",
    "strength": "0.9",
    "scheduler": "dpm++-karras",
    "seed": "7",
    "method": "sequential",
    "keyframes": "12",
    "zoom_factor": "2",
    "seconds_per_keyframe": "1.5",
    "size": "640x360",
    "fps": "24000/1001",
    "codec": "hevc",
    "crf": "22",
    "preset": "fast",
    "encoder_options": "aq-mode=3 'params=a b'",
    "direction": "in",
    "speed": "balanced",
    "candidates": "4",
    "prompt_blend": "3",
    "keyframe_size": "640x384",
    "overmask": "8",
    "feather": "64",
    "colour_fit": "no",
    "drift_guard": "0.3",
    "seam_pass": "0.25",
}


def parsed(line: str) -> dict[str, Any]:
    """What `zoomtui render` would take from a shell's words for ``line``."""
    words = shlex.split(line)
    assert words[:2] == ["zoomtui", "render"]
    context = render.make_context("render", words[2:])
    return dict(context.params)


def same(texts: dict[str, str]) -> None:
    options = parsed(form.command_line(texts))
    named = {key: options.pop(key) for key in ("out", "image", "exemplar", "prompts")}
    for switch in ("as_json", "dry_run", "farm", "headless"):
        assert options.pop(switch) is False
    assert options.pop("address") == "auto"
    assert fill_in(wishes(options)).settings == fill_in(form.wishes(texts)).settings
    assert named == {
        "out": form.path(texts, "out"),
        "image": form.path(texts, "image"),
        "exemplar": form.path(texts, "exemplar"),
        "prompts": form.path(texts, "prompts"),
    }


def test_a_form_with_every_field_filled_in_comes_to_the_settings_of_its_command_line() -> None:
    same(FULL)


def test_an_empty_form_is_the_bare_command() -> None:
    assert form.command_line({}) == "zoomtui render"
    same({"seed": "1"})


@pytest.mark.parametrize(
    "prompt",
    [
        "-rf /",
        "--help",
        "--",
        "-",
        'it\'s "quoted" $HOME `date` !! \\ * ~',
        "two\nlines\n\n",
        "  spaces kept  ",
        "[red]x[/red] [@click=app.quit]x[/]",
        "\x1b]0;gone\x07 \x1b[2J",
        "مدينة \u202eabc e\u0301 🜁",
        "x" * 10_000,
    ],
)
def test_any_prompt_survives_the_command_line(prompt: str) -> None:
    texts = {"prompt": prompt, "negative_prompt": prompt, "painter": "diffusion", "seed": "1"}
    same(texts)
    assert form.wishes(texts)["prompt"] == prompt


@pytest.mark.slow
@given(prompt=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@example(prompt="-x")
def test_every_text_survives_the_command_line(prompt: str) -> None:
    texts = {"prompt": f"{prompt}.", "negative_prompt": f"-{prompt}", "painter": "diffusion"}
    same({**texts, "seed": "3"})


def test_values_that_look_like_options_stay_values() -> None:
    line = form.command_line({"prompt": "x", "negative_prompt": "--steps", "out": "-x.zoom"})
    options = parsed(line)
    assert options["negative_prompt"] == "--steps"
    assert options["out"] == Path("-x.zoom")


def test_a_home_folder_is_written_out_because_quotes_keep_the_shell_from_it() -> None:
    texts = {"image": "~/a b.jpg", "out": "~/reef.zoom"}
    home = Path.home()
    assert shlex.split(form.command_line(texts))[2:] == [
        "--image", str(home / "a b.jpg"), "--out", str(home / "reef.zoom"),
    ]  # fmt: skip
    same({**texts, "seed": "1"})


def test_loras_and_encoder_options_are_given_one_by_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "the other.safetensors"
    one.touch()
    other.touch()
    texts = {**FULL, "loras": f"{one} '{other}:0.5'"}
    words = shlex.split(form.command_line(texts))
    assert words.count("--lora") == words.count("--encoder-option") == 2
    assert parsed(form.command_line(texts))["loras"] == (str(one), f"{other}:0.5")
    same(texts)


def test_a_plan_stands_where_the_prompt_would() -> None:
    line = form.command_line({"prompts": "~/plan.txt", "seed": "1"})
    assert line == f"zoomtui render --seed 1 --prompts {Path.home() / 'plan.txt'}"


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_switch_has_an_option_for_either_way(answer: str) -> None:
    same({"colour_fit": answer, "seed": "1"})
    assert ("--no-colour-fit" in form.command_line({"colour_fit": answer})) == (answer == "no")


def test_what_is_not_complete_yet_is_still_a_command_line() -> None:
    line = form.command_line({"loras": "'my style", "colour_fit": "may"})
    assert shlex.split(line)[2:] == ["--lora", "'my style", "--colour-fit", "may"]


def test_every_option_has_a_field_but_those_that_belong_to_no_form() -> None:
    options = {name for option in render.params for name in option.opts if name.startswith("--")}
    otherwise_said = {"--outpaint-size", "--frames-per-keyframe", "--place"}  # the last: in a plan
    of_the_command = {"--headless", "--json", "--dry-run", "--farm", "--address"}
    risky = {"--trust-pickled-weights"}
    of_the_machine = {"--device", "--quantise"}
    of_the_user = {"--on-event", "--notify", "--metrics"}  # who is told, not what is made
    typed = {field.option for field in form.FIELDS.values() if field.key != "prompt"}
    assert typed | otherwise_said | of_the_command | risky | of_the_machine | of_the_user == options
    assert isinstance(render, click.Command)


def test_the_fields_of_a_model_are_left_out_where_there_is_none() -> None:
    assert "--steps" not in form.command_line(form.relevant({**FULL, "painter": "texture"}))
    assert "--steps" in form.command_line(form.relevant(FULL))
