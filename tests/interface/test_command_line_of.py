"""The form and its command line say the same thing, whatever is typed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renderer.defaults import fill_in
from zoomtui.commands.options import wishes
from zoomtui.commands.render import render
from zoomtui.making import form

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
}


def parsed(line: str) -> dict[str, Any]:
    """What `zoomtui render` would take from a shell's words for ``line``."""
    words = shlex.split(line)
    assert words[:2] == ["zoomtui", "render"]
    context = render.make_context("render", words[2:])
    return dict(context.params)


def same(texts: dict[str, str]) -> None:
    options = parsed(form.command_line(texts))
    paths = {key: options.pop(key) for key in ("out", "image", "exemplar")}
    for switch in ("as_json", "dry_run"):
        assert options.pop(switch) is False
    options = {key: value for key, value in options.items() if key in _NAMES}
    assert fill_in(wishes(options)).settings == fill_in(form.wishes(texts)).settings
    assert paths == {
        "out": form.path(texts, "folder"),
        "image": form.path(texts, "image"),
        "exemplar": form.path(texts, "exemplar"),
    }


_NAMES = {"prompt", *form.wishes({**FULL, "painter": "texture"})} | {"encoder_options"}


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


@given(prompt=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@example(prompt="-x")
def test_every_text_survives_the_command_line(prompt: str) -> None:
    texts = {"prompt": f"{prompt}.", "negative_prompt": f"-{prompt}", "painter": "diffusion"}
    same({**texts, "seed": "3"})


def test_values_that_look_like_options_stay_values() -> None:
    line = form.command_line({"prompt": "x", "negative_prompt": "--steps", "folder": "-x.zoom"})
    options = parsed(line)
    assert options["negative_prompt"] == "--steps"
    assert options["out"] == Path("-x.zoom")


def test_a_home_folder_is_written_out_because_quotes_keep_the_shell_from_it() -> None:
    texts = {"image": "~/a b.jpg", "folder": "~/reef.zoom"}
    home = Path.home()
    assert shlex.split(form.command_line(texts))[2:] == [
        "--image", str(home / "a b.jpg"), "--out", str(home / "reef.zoom"),
    ]  # fmt: skip
    same({**texts, "seed": "1"})


def test_every_field_has_an_option_of_that_name() -> None:
    options = {name for option in render.params for name in option.opts if name.startswith("--")}
    assert {field.option for field in form.FIELDS if field.key != "prompt"} <= options
    assert isinstance(render, click.Command)


def test_the_fields_of_a_model_are_left_out_where_there_is_none() -> None:
    assert "--steps" not in form.command_line(form.relevant({**FULL, "painter": "texture"}))
    assert "--steps" in form.command_line(form.relevant(FULL))
