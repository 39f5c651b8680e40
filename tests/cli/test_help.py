"""What the verbs say about themselves."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from renderer import errors
from tests.cli.processes import zoomtui
from zoomtui.cli.main import EXIT_CODES, cli
from zoomtui.cli.render import resume

VERBS = (
    *("render", "resume", "demo", "ls", "attach", "status", "logs"),
    *("pause", "unpause", "prompt", "stop", "export", "import", "models", "doctor"),
    *("rewind", "reroll", "takes", "choose", "prune", "branch", "mark", "place", "warm", "notify"),
)
OPTIONS = {
    "render": """
        --out --painter --model --image --exemplar --negative-prompt --steps --guidance-scale
        --strength --scheduler --seed --method --outpaint-size --zoom-factor --size --keyframe-size
        --fps --keyframes --frames-per-keyframe --seconds-per-keyframe --codec --crf --preset
        --encoder-option --headless --json --dry-run --on-event --notify --metrics
    """,
    "resume": "--headless --keyframes --prompt --painter --model --seed --method --json",
    "status": "--json --watch --format",
    "notify": "--on-event --notify",
    "demo": "--out",
}


def help_of(*verb: str) -> str:
    result = CliRunner().invoke(cli, [*verb, "--help"], terminal_width=80)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_examples_that_name_it_and_fits_80_columns(verb: str) -> None:
    text = help_of(verb)
    examples = text.partition("Examples:\n")[2]
    assert re.search(rf"^    zoomtui {verb}", examples, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("verb", OPTIONS)
def test_every_option_is_there_and_explained(verb: str) -> None:
    text = help_of(verb)
    for option in OPTIONS[verb].split():
        assert re.search(rf"^  {option}( \S+)?  +\S", text, re.MULTILINE), option


def test_the_first_page_names_every_verb_whole_and_fits_80_columns() -> None:
    text = help_of()
    for verb in VERBS:
        (line,) = re.findall(rf"^  {verb}  +(.*)$", text, re.MULTILINE)
        assert line.endswith(".")
        assert not line.endswith("...")
    assert max(map(len, text.splitlines())) <= 80


def test_every_exit_code_is_documented() -> None:
    listed = {int(code) for code in re.findall(r"^  (\d+) ", EXIT_CODES, re.MULTILINE)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.RendererError)}
    assert codes | {0, 130} == listed
    assert "143" in EXIT_CODES


def test_every_example_can_be_parsed() -> None:
    for verb in VERBS:
        examples = help_of(verb).partition("Examples:\n")[2].partition("\n\n")[0]
        for line in examples.splitlines():
            words = shlex.split(line.partition("|")[0])
            assert words[0] == "zoomtui"
            command = cli.get_command(click.Context(cli), words[1])
            assert command is not None
            command.make_context(words[1], words[2:])


def test_resume_takes_what_it_would_refuse_without_advertising_it() -> None:
    assert "--fps" not in help_of("resume")
    (fps,) = [p for p in resume.params if p.name == "fps"]
    assert isinstance(fps, click.Option)


def test_without_a_verb_the_help_is_shown_and_it_counts_as_a_mistake(tmp_path: Path) -> None:
    answer = zoomtui(cwd=tmp_path)
    assert answer.code == 2
    assert "Usage: zoomtui" in answer.out + answer.err


def test_the_version_is_said(tmp_path: Path) -> None:
    assert re.fullmatch(r"zoomtui, version \d+\.\d+\.\d+\n", zoomtui("--version", cwd=tmp_path).out)


def test_an_unknown_verb_is_one_line(tmp_path: Path) -> None:
    answer = zoomtui("frobnicate", cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "zoomtui: No such command 'frobnicate'; see `zoomtui --help`\n"


def test_options_say_how_their_values_are_written() -> None:
    said = help_of("render")
    for option in (
        "--encoder-option KEY=VALUE",
        "--size WxH",
        "--fps RATE",
        "--steps N",
        "--seconds-per-keyframe S",
        "--workers N|auto",
        "--keyframes N|inf",
        "--focus X,Y|auto",
    ):
        assert option in said
