"""Prompts by a plan: its three forms, and bad files."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from renderer.errors import SettingsError
from renderer.planning.prompt_file import with_plan
from renderer.planning.prompt_schedule import Schedule, read_schedule


def read(text: str, name: str = "plan.txt") -> Schedule:
    return read_schedule(text, name, seconds_per_keyframe=2.0)


def test_plain_lines_are_read_in_any_order() -> None:
    plan = read("# a film\n\n 12 : a coral reef: at night \n0: a castle, 4:3\n")
    assert plan == Schedule(((0, "a castle, 4:3"), (12, "a coral reef: at night")))


def test_toml_says_also_what_to_keep_out() -> None:
    text = 'negative_prompt = "text"\n[prompts]\n12 = "a reef"\n0 = "a castle"\n'
    assert read(text, "plan.toml") == Schedule(((0, "a castle"), (12, "a reef")), "text")


def test_lines_and_toml_say_how_many_keyframes_a_prompt_takes() -> None:
    starts = ((0, "a castle"), (12, "a reef"))
    assert read("blend: 4\n0: a castle\n12: a reef") == Schedule(starts, blend=4)
    text = 'blend = 4\n[prompts]\n12 = "a reef"\n0 = "a castle"\n'
    assert read(text, "plan.toml") == Schedule(starts, blend=4)


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
            "blends = 3",
            "a.toml: unknown key 'blends'; known: blend, negative_prompt, prompts",
        ),
        (
            "a.toml",
            "blend = -1\n[prompts]\n0 = 'a'",
            "a.toml: blend must be a number of keyframes, not -1",
        ),
        (
            "a.txt",
            "0: a\nblend: four",
            "a.txt, line 2: blend must be a number of keyframes, not 'four'",
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


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", f"blend = 0x1{'0' * 5000}", "a.toml is not valid TOML: a number is too long"),
        ("a.toml", f"blend = {'[' * 5000}", "a.toml is not valid TOML: .* lie too deep"),
        ("a.json", "[" * 100_000, "a.json is no export of"),
        ("a.json", f'{{"prompts": {"1" * 5000}}}', "a.json is no export of"),
    ],
)
def test_what_is_too_long_or_too_deep_is_one_line(name: str, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^{words}[^\n]*$"):
        read(text, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "0: a cat\n"),
        ("a.toml", '[prompts]\n0 = "a cat"\n'),
        ("a.json", '{"prompts": {"data": [[0, "a cat"]]}}'),
    ],
)
def test_a_plan_may_begin_with_a_mark_of_utf_8(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert with_plan(tmp_path / name, {})[0] == {"prompt": "a cat"}


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 0.0])
def test_a_pace_that_can_not_be_is_refused_before_a_plan_is_reckoned_by_it(
    tmp_path: Path, seconds: float
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"prompts": {"headers": ["second"], "data": [[0, "Cat"], [6, "Dog"]]}}')
    with pytest.raises(SettingsError, match="must be above 0"):
        with_plan(plan, {"seconds_per_keyframe": seconds})


def test_a_plan_says_where_a_film_goes() -> None:
    lines = "0: sea\n4: focus on the tree\n6: focus 0.3,0.6\n 9 : method refine\n12: focus auto"
    toml = """[prompts]
0 = "sea"
4 = "focus on the tree"
[6]
focus = "0.3,0.6"
[12]
focus = "auto"
[9]
method = "refine"
"""
    for text, name in ((lines, "plan.txt"), (toml, "plan.toml")):
        plan = read_schedule(text, name, seconds_per_keyframe=2)
        assert plan.starts == ((0, "sea"), (4, "focus on the tree"))
        assert plan.steered == (
            (6, {"focus": "0.3,0.6"}),
            (9, {"method": "refine"}),
            (12, {"focus": "auto"}),
        )


def test_a_plan_names_pictures_of_ones_own() -> None:
    toml = (
        '[prompts]\n0 = "sea"\n4 = "sky"\n[12]\npicture = "castle.png"\n[3]\npicture = "a b.jpg"\n'
    )
    plan = read_schedule(toml, "plan.toml", seconds_per_keyframe=2)
    assert plan.pictures == ((3, "a b.jpg"), (12, "castle.png"))
    assert plan.starts == ((0, "sea"), (4, "sky"))
    rows = [[0, "sea", "", "", True], [4, "sky", "sky.png", "", True], [6, "end", "end.png"]]
    export = json.dumps({"prompts": {"headers": ["outpaint steps", "prompt"], "data": rows}})
    plan = read_schedule(export, "plan.json", seconds_per_keyframe=2)
    assert plan.pictures == ((4, "sky.png"), (6, "end.png"))
    assert read_schedule("0: sea", "plan.txt", seconds_per_keyframe=2).pictures == ()


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ('[0]\npicture = "a.png"', "keyframe 0 is the first picture: --image gives it"),
        ("[3]\npicture = 5", "the table [3] may hold picture"),
        ('[3]\nimage = "a.png"', "the table [3] may hold picture"),
        ('[3]\npicture = "a.png"\n[03]\npicture = "b.png"', "two pictures for keyframe 3"),
    ],
)
def test_a_plan_whose_pictures_can_not_be_used_says_where(lines: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(complaint)):
        read_schedule('[prompts]\n0 = "sea"\n' + lines, "plan.toml", seconds_per_keyframe=2)
