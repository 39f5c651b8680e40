"""Prompts by a plan: its three forms, and bad files."""

from __future__ import annotations

import json
import re

import pytest

from renderer.errors import SettingsError
from renderer.painting.schedule import Schedule, read_schedule


def read(text: str, name: str = "plan.txt") -> Schedule:
    return read_schedule(text, name, seconds_per_keyframe=2.0)


def test_plain_lines_are_read_in_any_order() -> None:
    plan = read("# a film\n\n 12 : a coral reef: at night \n0: a castle, 4:3\n")
    assert plan == Schedule(((0, "a castle, 4:3"), (12, "a coral reef: at night")))


def test_toml_says_also_what_to_keep_out() -> None:
    text = 'negative_prompt = "text"\n[prompts]\n12 = "a reef"\n0 = "a castle"\n'
    assert read(text, "plan.toml") == Schedule(((0, "a castle"), (12, "a reef")), "text")


def test_the_extensions_export_is_read_with_all_its_affixes() -> None:
    table = {
        "headers": ["outpaint steps", "prompt", "image location", "blend mask", "is keyframe"],
        "data": [[0, "a forest", "", "", False], ["3", "a canopy,", "", "", False]],
    }
    text = json.dumps({"prePrompt": "epic, ", "prompts": table, "negPrompt": "frames"})
    assert read(text, "plan.json") == Schedule(
        ((0, "epic, a forest"), (3, "epic, a canopy")), "frames"
    )
    older = {"commonPromptSuffix": "oil", "prompts": {"data": [[0, "Cat"], [2.0, "Dog"]]}}
    assert read(json.dumps(older), "old.JSON") == Schedule(((0, "Cat, oil"), (2, "Dog, oil")))


def test_seconds_of_the_newer_export_become_keyframes() -> None:
    table = {"headers": ["Start at second [0,1,...]", "prompt"], "data": [[0, "Cat"], [6, "Dog"]]}
    assert read(json.dumps({"prompts": table}), "plan.json").starts == ((0, "Cat"), (3, "Dog"))


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.txt", "", "a.txt holds no prompt; write lines such as 12: a coral reef"),
        (
            "a.txt",
            "0: a\ncoral reef",
            "a.txt, line 2: expected a keyframe's number and a prompt, such as 12: a coral reef",
        ),
        (
            "a.txt",
            "0:",
            "a.txt, line 1: expected a keyframe's number and a prompt, such as 12: a coral reef",
        ),
        ("a.txt", "3: a", "a.txt has no prompt for keyframe 0, the first picture"),
        ("a.txt", "0: a\n3: b\n3: c", "a.txt has two prompts for keyframe 3"),
        (
            "a.toml",
            "negative_prompt = 'x'",
            'a.toml needs a table [prompts] with lines such as 12 = "a reef"',
        ),
        ("a.toml", "[prompts]\nx = 'a'", "a.toml: 'x' is no keyframe's number; the first one is 0"),
        ("a.toml", "[prompts]\n0 = 3", "a.toml: 3 is no prompt"),
        (
            "a.toml",
            "blend = 3",
            "a.toml: unknown key 'blend'; known: negative_prompt, prompts",
        ),
        (
            "a.json",
            "[]",
            "a.json is no export of the infinite-zoom extension: no prompts with data in it",
        ),
        (
            "a.json",
            '{"prompts": {"data": [[0.5, "a"]]}}',
            "a.json: 0.5 is no keyframe's number; the first one is 0",
        ),
    ],
)
def test_bad_files_are_one_line_with_the_place(name: str, text: str, line: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}$"):
        read(text, name)


def test_broken_toml_names_its_place() -> None:
    with pytest.raises(SettingsError, match=r"^a\.toml is not valid TOML: [^\n]+$"):
        read("prompts = [\n", "a.toml")
