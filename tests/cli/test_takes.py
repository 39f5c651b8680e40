"""The verbs that take keyframes back and choose between takes, by real commands."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from renderer.project.project import Project
from renderer.project.records import path_of, read_history
from renderer.project.status import State, read_status
from renderer.service.glance import glance
from tests.cli.engines import engine, make_project, until
from tests.cli.processes import QUICK, OnTerminal, Running, zoomtui, zoomtui_here
from tests.cli.refusals import assert_one_line, assert_refused
from tests.engine.runs import digest, render
from tests.project.damages import contents

MARKUP = "[red]night[/red] \x1b[31m"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished film of 6 keyframes."""
    folder = make_project(tmp_path_factory.mktemp("whole") / "reef.zoom", "gradient", keyframes=6)
    render(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "reef.zoom")


def takes(folder: Path) -> list[int]:
    return [stored.take for stored in read_history(folder).keyframes]


def test_a_rewind_says_what_goes_and_can_be_undone(folder: Path, whole: Path) -> None:
    said = zoomtui_here("rewind", "reef.zoom", "4", "--yes", cwd=folder.parent)
    assert said.code == 0
    assert said.out.splitlines() == [
        "keyframes 4 to 6 will be taken back: 19 frames, 0.6 s of film",
        "the film ends with keyframe 3; `zoomtui resume reef.zoom` goes on",
    ]
    assert takes(folder) == [1, 1, 1]
    said = zoomtui_here("rewind", "reef.zoom", "--undo", cwd=folder.parent)
    assert said.out.startswith("what was taken back is in the film again")
    render(folder)
    assert digest(folder) == digest(whole)


def test_a_reroll_takes_what_can_be_steered_along(folder: Path) -> None:
    line = ("--prompt", MARKUP, "--seed", "7", "--candidates", "2", "--yes")
    said = zoomtui_here("reroll", "reef.zoom", "5", *line, cwd=folder.parent)
    assert said.out.splitlines() == [
        "keyframes 5 to 6 will be painted anew: 13 frames, 0.4 s of film",
        "keyframe 5 gets another take; `zoomtui resume reef.zoom` goes on",
    ]
    render(folder)
    listed = zoomtui_here("takes", "reef.zoom", "5", cwd=folder.parent)
    first, second = listed.out.splitlines()
    assert first.startswith("  keyframe    5  take  1")
    assert first.endswith("  a reef")
    assert second.startswith("* keyframe    5  take  2")
    assert second.endswith(r"  [red]night[/red] \x1b[31m")
    rows = json.loads(zoomtui_here("takes", "reef.zoom", "--json", cwd=folder.parent).out)
    assert [(row["keyframe"], row["take"], row["chosen"]) for row in rows] == [
        *((keyframe, 1, True) for keyframe in range(1, 5)),
        *((5, 1, False), (5, 2, True), (6, 1, False), (6, 2, True)),
    ]
    assert rows[5]["prompt"] == MARKUP
    assert all(Path(folder.parent, row["file"]).stat().st_size == row["length"] for row in rows)


def test_a_take_without_a_prompt_says_so(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", keyframes=2, prompt="")
    render(folder)
    said = zoomtui_here("takes", "a.zoom", "2", cwd=tmp_path)
    assert said.out.endswith("  (none)\n")


def test_it_says_what_was_steered_for_later_keyframes(folder: Path) -> None:
    with Project.open(folder) as opened:
        opened.steer({"prompt": "the castle", "keyframes": 12}, 8)
    answer = zoomtui_here("rewind", "reef.zoom", "4", "--yes", cwd=folder.parent)
    assert answer.out.splitlines()[0] == "still steered from keyframe 9 on: prompt"


def test_the_newest_keyframe_is_rerolled_by_default_and_a_take_chosen_again(
    folder: Path, whole: Path
) -> None:
    said = zoomtui_here("reroll", "reef.zoom", "--yes", cwd=folder.parent)
    assert "keyframe 6 will be painted anew: 7 frames" in said.out
    render(folder)
    said = zoomtui_here("choose", "reef.zoom", "6", "1", "--yes", cwd=folder.parent)
    assert "the film has take 1 of keyframe 6; " in said.out
    render(folder)
    assert digest(folder) == digest(whole)
    said = zoomtui_here("prune", "reef.zoom", "--yes", cwd=folder.parent)
    assert said.out.startswith("1 take will be deleted, for good: ")
    assert said.out.splitlines()[1].startswith("freed ")
    said = zoomtui_here("prune", "reef.zoom", cwd=folder.parent)
    assert said.out == "reef.zoom has no takes but those in its film\n"


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        (("rewind", "reef.zoom", "0"), 2, "keyframes are counted from 1"),
        (("rewind", "--yes", "--", "reef.zoom", "-3"), 2, "keyframes are counted from 1"),
        (("rewind", "reef.zoom", "1"), 3, "keyframe 1 is the first picture"),
        (("rewind", "reef.zoom", "7"), 3, "7 is not painted; the film has keyframes 1 to 6"),
        (("rewind", "reef.zoom", "x"), 2, "'x' is not a valid int"),
        (("rewind", "reef.zoom"), 2, "say which keyframe to take back first"),
        (("rewind", "reef.zoom", "3", "--undo"), 2, "a keyframe or --undo, not both"),
        (("rewind", "reef.zoom", "--undo"), 3, "nothing to undo"),
        (("reroll", "reef.zoom", "9"), 3, "keyframe 9 is not painted"),
        (("reroll", "reef.zoom", "3", "--steps", "0"), 2, "--steps must be"),
        (("reroll", "reef.zoom", "3", "--fps", "25"), 3, "fps is fixed at 30"),
        (("takes", "reef.zoom", "9"), 3, "keyframe 9 is not painted"),
        (("takes", "nothing.zoom"), 3, "nothing.zoom does not exist"),
        (("choose", "reef.zoom", "3", "2"), 3, "keyframe 3 has no take 2; its takes: 1"),
        (("choose", "reef.zoom", "3", "1"), 3, "take 1 of keyframe 3 is in the film already"),
        (("prune", "nothing.zoom", "--yes"), 3, "nothing.zoom does not exist"),
        (("rewind", "nothing.zoom", "3"), 3, "nothing.zoom does not exist"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_one_line(
    folder: Path, line: tuple[str, ...], code: int, complaint: str
) -> None:
    before = contents(folder)
    assert_refused(zoomtui_here(*line, *ask_not(line), cwd=folder.parent), code, complaint)
    assert contents(folder) == before
    assert not (folder.parent / "nothing.zoom").exists()


def ask_not(line: tuple[str, ...]) -> tuple[str, ...]:
    return ("--yes",) if line[0] == "reroll" else ()


@pytest.mark.parametrize("line", [("rewind", "4"), ("reroll", "4")])
def test_without_a_terminal_nothing_is_taken_back_unasked(
    folder: Path, line: tuple[str, str]
) -> None:
    before = contents(folder)
    answer = zoomtui_here(line[0], "reef.zoom", line[1], cwd=folder.parent)
    assert_one_line(answer, 2, "nothing was changed", "say --yes")
    assert "19 frames, 0.6 s of film" in answer.out
    assert contents(folder) == before


def test_where_standard_input_is_closed_it_can_not_ask_either(folder: Path) -> None:
    shut = partial(os.close, 0)
    answer = zoomtui("rewind", "reef.zoom", "4", cwd=folder.parent, preexec_fn=shut)
    assert_one_line(answer, 2, "nothing was changed", "say --yes")


@pytest.mark.slow
@pytest.mark.parametrize(("key", "left"), [(b"n\n", 6), (b"y\n", 3), (b"\x03", 6)])
def test_on_a_terminal_it_asks(folder: Path, key: bytes, left: int) -> None:
    with OnTerminal("rewind", "reef.zoom", "4", cwd=folder.parent) as asking:
        asking.until("Go on? [y/N]")
        asking.until_it_waits()  # a Ctrl-C between asking and reading is not seen
        asking.type(key)
        assert asking.end() == (0 if left == 3 else 130)
    assert "Traceback" not in asking.said
    assert len(takes(folder)) == left


def test_a_running_render_is_rewound_and_goes_on_by_itself(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", since=4)
    with engine(folder):
        until(lambda: read_status(folder).keyframes == 4, "four keyframes are painted")
        said = zoomtui_here("rewind", str(folder), "3", "--yes", cwd=tmp_path)
        assert said.out.endswith("the film ends with keyframe 2; its engine paints on\n")
        until(lambda: takes(folder) == [1, 1, 2, 2], "they are painted again")
        said = zoomtui_here("reroll", str(folder), "4", "--yes", cwd=tmp_path)
        assert said.code == 0, said.err
        until(lambda: takes(folder) == [1, 1, 2, 3], "and once more")
        answer = zoomtui_here("choose", str(folder), "4", "7", cwd=tmp_path)
        assert_refused(answer, 3, "keyframe 4 has no take 7; its takes: 1, 2, 3")
        assert zoomtui_here("choose", str(folder), "4", "2", "--yes", cwd=tmp_path).code == 0
        until(lambda: takes(folder) == [1, 1, 2, 2], "the second is chosen")
        assert zoomtui_here("prune", str(folder), "--yes", cwd=tmp_path).code == 0
        assert len(list((folder / "keyframes").iterdir())) == 4


def test_a_branch_goes_on_with_its_own_prompt(folder: Path) -> None:
    line = ("branch", "reef.zoom", "night.zoom", "--at", "4", "--prompt", "night")
    said = zoomtui_here(*line, "--keyframes", "5", cwd=folder.parent)
    assert said.out.splitlines()[-1] == (
        "night.zoom has keyframes 1 to 4 of reef.zoom; `zoomtui resume night.zoom` goes on"
    )
    new = folder.parent / "night.zoom"
    render(new)
    status = read_status(new)
    assert (status.keyframes, status.frames, status.prompt) == (5, 25, "night")
    listed = zoomtui_here("ls", cwd=folder.parent).out
    assert f"(a branch of {folder})" in listed


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        (("branch", "reef.zoom", "new.zoom", "--at", "0"), 2, "keyframes are counted from 1"),
        (("branch", "reef.zoom", "new.zoom", "--at", "7"), 3, "keyframe 7 is not painted"),
        (("branch", "reef.zoom", "new.zoom", "--fps", "25"), 3, "fps is fixed at 30"),
        (("branch", "reef.zoom", "new.zoom", "--steps", "0"), 2, "--steps must be"),
        (("branch", "reef.zoom", "reef.zoom"), 3, "reef.zoom is a project already"),
        (("branch", "nothing.zoom", "new.zoom"), 3, "nothing.zoom does not exist"),
    ],
)
def test_what_can_not_be_branched_is_one_line(
    folder: Path, line: tuple[str, ...], code: int, complaint: str
) -> None:
    before = contents(folder)
    assert_refused(zoomtui_here(*line, cwd=folder.parent), code, complaint)
    assert contents(folder) == before
    assert not (folder.parent / "new.zoom").exists()


def test_keyframes_are_marked_and_the_marks_listed(folder: Path) -> None:
    said = zoomtui_here("mark", "reef.zoom", "3", MARKUP, cwd=folder.parent)
    assert said.out == "keyframe 3 is marked: [red]night[/red] \\x1b[31m\n"
    assert zoomtui_here("mark", "reef.zoom", "5", "the castle", cwd=folder.parent).code == 0
    listed = zoomtui_here("mark", "reef.zoom", cwd=folder.parent)
    assert listed.out == "     3  [red]night[/red] \\x1b[31m\n     5  the castle\n"
    assert zoomtui_here("mark", "reef.zoom", "3", "--remove", cwd=folder.parent).code == 0
    listed = zoomtui_here("mark", "reef.zoom", "--json", cwd=folder.parent)
    assert json.loads(listed.out) == [{"keyframe": 5, "note": "the castle"}]
    for line, code, complaint in (
        (("mark", "reef.zoom", "9", "x"), 3, "keyframe 9 is not painted"),
        (("mark", "reef.zoom", "0", "x"), 2, "keyframes are counted from 1"),
        (("mark", "reef.zoom", "3"), 2, "give a note, or --remove"),
        (("mark", "reef.zoom", "3", "x" * 201), 2, "at most 200 characters"),
        (("mark", "nothing.zoom"), 3, "nothing.zoom does not exist"),
    ):
        assert_refused(zoomtui_here(*line, cwd=folder.parent), code, complaint)


def test_a_held_render_goes_on_by_a_verb(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "gradient", keyframes=3, review=1)
    with Running("status", str(folder), "--watch", cwd=tmp_path), engine(folder):
        for keyframe, take in ((1, "1"), (2, "2"), (3, "1")):
            until(partial(is_held, folder, keyframe), f"keyframe {keyframe} is held")
            assert states_of(folder) == {"review"}
            if keyframe == 2:
                assert zoomtui_here("reroll", str(folder), cwd=tmp_path).code == 0
                until(lambda: takes(folder) == [1, 2] and is_held(folder, 2), "it is held")
            said = zoomtui_here("choose", str(folder), str(keyframe), take, cwd=tmp_path)
            assert said.code == 0, said.err
        until(lambda: read_status(folder).state is State.FINISHED, "it is finished")
    assert takes(folder) == [1, 2, 1]


def states_of(folder: Path) -> set[str]:
    """What all forms of ``status`` and ``ls`` call it."""
    plain = zoomtui_here("status", folder.name, cwd=folder.parent).lines[1].split()[1]
    line = zoomtui_here("status", folder.name, "--format", "{state}", cwd=folder.parent).out.strip()
    told = json.loads(zoomtui_here("status", folder.name, "--json", cwd=folder.parent).out)
    listed = json.loads(zoomtui_here("ls", "--json", cwd=folder.parent).out)
    (row,) = (row for row in listed if row["project"] == str(folder))
    return {plain, line, told["state"], row["state"]}


def is_held(folder: Path, keyframe: int) -> bool:
    state = glance(folder)
    return state is not None and state.held == keyframe - 1


def test_a_review_that_nothing_can_answer_is_refused(tmp_path: Path) -> None:
    line = ("render", *QUICK, "--review", "--out", "reef.zoom")
    assert_refused(
        zoomtui_here(*line, cwd=tmp_path), 2, "needs a terminal", "--review-wait", "--review 0"
    )
    assert not (tmp_path / "reef.zoom").exists()
    assert_refused(zoomtui_here(*line, "--headless", cwd=tmp_path), 2, "needs a terminal")
    assert_refused(zoomtui_here(*line, "--review-wait", "soon", cwd=tmp_path), 2, "90s or 2m")
    folder = make_project(tmp_path / "b.zoom", "gradient", keyframes=3)
    before = contents(folder)
    assert_refused(zoomtui_here("resume", "b.zoom", "--review", cwd=tmp_path), 2, "a terminal")
    assert contents(folder) == before


@pytest.mark.slow
def test_a_review_goes_on_by_itself_after_its_wait(tmp_path: Path) -> None:
    line = ("--review", "2", "--review-wait", "0.1s", "--out", "reef.zoom", "--headless")
    said = zoomtui("render", *QUICK, *line, cwd=tmp_path)
    assert said.code == 0, said.err
    assert (
        "keyframe 2 is held for review, with 2 takes; `zoomtui choose reef.zoom 2 TAKE`" in said.out
    )
    assert len(list((tmp_path / "reef.zoom" / "keyframes").iterdir())) == 6


# ----------------------------------------------------------------------------------- places


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    Image.new("RGB", (200, 160), (200, 30, 10)).save(tmp_path / "castle.png")
    return tmp_path / "castle.png"


def rim_of(folder: Path, keyframe: int) -> tuple[int, ...]:
    """The colour of a corner of a canvas."""
    path = path_of(folder, read_history(folder).keyframes[keyframe])
    with Image.open(path) as canvas:
        return canvas.convert("RGB").getpixel((0, 0))  # type: ignore[return-value]


def test_a_film_is_made_through_pictures_of_ones_own(castle: Path, tmp_path: Path) -> None:
    line = ("--place", "2=castle.png", "--place", "3=castle.png", "--out", "reef.zoom")
    assert zoomtui("render", *QUICK, *line, cwd=tmp_path).code == 0
    folder = tmp_path / "reef.zoom"
    assert rim_of(folder, 1) == rim_of(folder, 2) == (200, 30, 10)
    plan = '[prompts]\n0 = "a reef"\n[1]\npicture = "castle.png"\n'
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    line = ("--prompts", "plan.toml", "--out", "planned.zoom")
    assert zoomtui("render", *QUICK, *line, cwd=tmp_path).code == 0
    assert rim_of(tmp_path / "planned.zoom", 1) == (200, 30, 10)
    assert rim_of(tmp_path / "planned.zoom", 2) != (200, 30, 10)


def test_a_picture_is_placed_in_a_render_that_runs(castle: Path, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "gradient", keyframes=3, review=1)
    with engine(folder):
        until(partial(is_held, folder, 1), "the first is held")
        said = zoomtui_here("place", str(folder), "3", str(castle), cwd=tmp_path)
        assert said.out == f"keyframe 3 will show {castle}\n"
        answer = zoomtui_here("place", str(folder), "1", str(castle), cwd=tmp_path)
        assert_refused(answer, 3, "keyframe 1 is the first picture")
        for keyframe in (1, 2, 3):
            until(partial(is_held, folder, keyframe), "it is held")
            zoomtui_here("choose", str(folder), str(keyframe), "1", cwd=tmp_path)
        until(lambda: read_status(folder).state is State.FINISHED, "it is finished")
    assert rim_of(folder, 2) == (200, 30, 10)
    assert len(list((folder / "placed").iterdir())) == 1


def test_a_picture_that_is_placed_again_too_late_stays_placed(castle: Path, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 2, keyframes=4)
    place = "place", str(folder), "3", str(castle)
    assert zoomtui_here(*place, cwd=tmp_path).code == 0
    with engine(folder):
        until(lambda: getattr(glance(folder), "painting", None) == 2, "it is begun")
        assert_refused(zoomtui_here(*place, cwd=tmp_path), 3, "keyframe 3 is begun already")
    assert len(list((folder / "placed").iterdir())) == 1


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        (("place", "reef.zoom", "0", "castle.png"), 2, "keyframes are counted from 1"),
        (("place", "reef.zoom", "1", "castle.png"), 3, "--image"),
        (("place", "reef.zoom", "4", "castle.png"), 3, "keyframe 4 is painted already"),
        (("place", "reef.zoom", "9", "castle.png"), 2, "beyond the film's end: it has 6"),
        (("place", "reef.zoom", "9"), 2, "give a picture, or --remove"),
        (("place", "reef.zoom", "9", "castle.png", "--remove"), 2, "give a picture, or --remove"),
        (("place", "nothing.zoom", "9", "castle.png"), 3, "nothing.zoom does not exist"),
        (("render", *QUICK, "--place", "1=castle.png"), 2, "'1' is no keyframe"),
        (("render", *QUICK, "--place", "x=castle.png"), 2, "'x' is no keyframe"),
        (("render", "--place", "castle.png"), 2, "is not KEY=VALUE"),
        (("render", *QUICK, "--place", "2=no.png"), 2, "no.png can't be read: it does not exist"),
        (("render", *QUICK, "--place", "2=tiny.png"), 2, "tiny.png is 64x64, too small"),
        (("render", *QUICK, "--place", "9=castle.png"), 2, "beyond the film's end: it has 3"),
        (("render", *QUICK, *("--place", "2=castle.png") * 2), 2, "keyframe 2 has two pictures"),
    ],
)  # fmt: skip
def test_what_can_not_be_placed_is_one_line(
    folder: Path, castle: Path, line: tuple[str, ...], code: int, complaint: str
) -> None:
    Image.new("RGB", (64, 64)).save(castle.with_name("tiny.png"))
    before = contents(folder)
    if line[0] == "render":
        line = (*line, "--out", "new.zoom", "--keyframe-size", "128x128")
    assert_refused(zoomtui_here(*line, cwd=castle.parent), code, complaint)
    assert contents(folder) == before
    assert not castle.with_name("new.zoom").exists()
