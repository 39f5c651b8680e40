"""The verbs that find, watch and steer renders, on real engines that belong to no terminal."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import PainterError
from renderer.journal import read_journal
from renderer.project.create import create_project
from renderer.project.records import JOURNAL
from renderer.project.status import read_status
from renderer.settings.render import RenderSettings
from tests.cli.engines import engine, make_project, running, until
from tests.cli.processes import (
    QUICK,
    OnTerminal,
    Running,
    environment,
    painter,
    zoomtui,
    zoomtui_here,
)
from tests.marks import slower

MARKUP = "[red]night[/red] \x1b[31m"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose painter goes on for ever, a step at a time."""
    return make_project(tmp_path / "reef.zoom", "endless", since=2)


def prompts(folder: Path) -> list[str]:
    records = read_journal(folder / JOURNAL)
    return [r["changes"]["prompt"] for r in records if r["type"] == "steer"]


def test_a_render_is_listed_steered_paused_and_stopped_by_verbs(folder: Path) -> None:
    with engine(folder) as pid:
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        listed = zoomtui("ls", "--json", cwd=folder.parent)
        (row,) = [r for r in json.loads(listed.out) if r["project"] == str(folder)]
        assert (row["state"], row["keyframes"]) == ("running", 2)
        assert "● running" in zoomtui("ls", cwd=folder.parent).out

        assert "unpause" in zoomtui("pause", str(folder), cwd=folder.parent).out
        (row,) = [
            r
            for r in json.loads(zoomtui("ls", "--json", cwd=folder.parent).out)
            if r["project"] == str(folder)
        ]
        assert row["state"] == "paused"
        assert zoomtui("unpause", str(folder), cwd=folder.parent).code == 0

        said = zoomtui("prompt", str(folder), MARKUP, cwd=folder.parent)
        assert said.code == 0
        assert "[red]night[/red] \\x1b[31m" in said.out
        assert prompts(folder) == [MARKUP]

        said = zoomtui("prompt", str(folder), "sky", "--blend", "4", cwd=folder.parent)
        assert said.out == "from the next keyframe on, over 4 keyframes: sky\n"
        changes = [r["changes"] for r in read_journal(folder / JOURNAL) if r["type"] == "steer"]
        assert changes[-1] == {"prompt": "sky", "prompt_blend": 4}

        stopped = zoomtui("stop", str(folder), cwd=folder.parent)
        assert stopped.code == 0
        assert stopped.out.startswith("stopped after 2 keyframes")
        until(lambda: running(folder) != pid, "the engine has ended")


def test_a_stop_fails_as_the_render_does_that_it_ends(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "sore", since=2)
    with engine(folder):
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        stopped = zoomtui("stop", "--now", str(folder), cwd=tmp_path)
    assert (stopped.code, stopped.out) == (PainterError.exit_code, "")
    assert "the paint was spilt" in stopped.err
    assert stopped.err.count("\n") == 1


def test_a_running_render_is_followed_line_by_line_to_its_end(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", since=2)
    with engine(folder), Running("status", str(folder), "--watch", cwd=tmp_path) as watching:
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        watching.until("state      running")
        zoomtui("stop", str(folder), cwd=tmp_path)
        assert watching.end() == 0
        assert "stopped after 2 keyframes" in watching.said


@pytest.mark.slow
def test_a_headless_render_that_a_viewer_stops_says_how_it_goes_on(tmp_path: Path) -> None:
    endless = (*painter("endless", 2), "--out", "reef.zoom", "--headless")
    with Running("render", *endless, cwd=tmp_path) as rendering:
        rendering.until("segment 1 ")
        assert zoomtui("stop", "reef.zoom", cwd=tmp_path).code == 0
        assert rendering.end() == 0
    assert rendering.said.splitlines()[-1] == "go on      zoomtui resume reef.zoom"
    assert "mpv reef.zoom/live.m3u8" in rendering.said


def test_a_prompt_that_can_not_be_used_is_a_setting_that_can_not(folder: Path) -> None:
    answer = zoomtui("prompt", str(folder), "sky", "--blend", "-1", cwd=folder.parent)
    assert (answer.code, answer.err.count("\n")) == (2, 1)


def steering(folder: Path) -> list[dict[str, Any]]:
    return [r["changes"] for r in read_journal(folder / JOURNAL) if r["type"] == "steer"]


@pytest.mark.slow
def test_settings_are_steered_by_name_while_it_renders_and_while_it_does_not(folder: Path) -> None:
    line = ("steps=40", "candidates=2", "prompt=a = b\x1b[2J")
    wanted = {"steps": 40, "candidates": 2, "prompt": "a = b\x1b[2J"}
    with engine(folder):
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        said = zoomtui("steer", str(folder), *line, cwd=folder.parent)
        assert said.out == ("from the next keyframe on: steps 40, candidates 2, a = b\\x1b[2J\n")
        assert steering(folder) == [wanted]
        assert zoomtui("stop", "--now", str(folder), cwd=folder.parent).code == 0
    said = zoomtui("steer", str(folder), "prompt-blend=3", "keyframes=inf", cwd=folder.parent)
    assert (said.code, said.err) == (0, "")
    assert steering(folder) == [wanted, {"prompt_blend": 3}]  # the end is none already


def test_it_is_said_what_the_texture_painter_ignores(tmp_path: Path) -> None:
    few = {"keyframe_size": "64x64", "size": "64x64", "keyframes": 2, "frames_per_keyframe": 2}
    create_project(tmp_path / "a.zoom", RenderSettings().changed({**few, "preset": "ultrafast"}))
    for line, ignored in (
        (("steer", "a.zoom", "steps=40", "guidance-scale=5"), "steps and guidance scale"),
        (("resume", "a.zoom", "--prompt", "foo", "--model", "nope"), "prompt and model"),
        (("reroll", "a.zoom", "--yes", "--steps", "9"), "steps"),
        (("steer", "a.zoom", "keyframes=3"), ""),
    ):
        said = zoomtui(*line, cwd=tmp_path)
        note = f"note: the texture painter has no model; it ignores {ignored}\n" if ignored else ""
        assert (said.code, said.err) == (0, note)


def test_a_dive_is_told_where_to_go(folder: Path) -> None:
    said = zoomtui_here("focus", "reef.zoom", "0.3,0.6", cwd=folder.parent)
    assert (said.code, said.out) == (0, "from the next keyframe on: focus 0.3,0.6\n")
    assert steering(folder) == [{"focus": "0.3,0.6"}]
    said = zoomtui_here("focus", "reef.zoom", "2,0", cwd=folder.parent)
    assert said.code == 2
    assert "focus must lie in the picture" in said.err
    assert len(steering(folder)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("steps", "'steps' is not KEY=VALUE, such as steps=40"),
        ("stepz=3", "did you mean 'steps'"),
        ("trust_pickled_weights=yes", "trust_pickled_weights is no setting that can be changed"),
        ("steps=many", "steps=many is not a whole number"),
        ("steps=0", "steps must be at least 1"),
        ("colour-fit=maybe", "is not yes or no"),
        ("fps=25", "fps is no setting that can be changed"),
        ("keyframes=1", "keyframes must be at least 2"),
        ("focus=1.2,0", "focus must lie in the picture, 0 to 1 each way, not 1.2,0"),
        ("focus=here", "such as 0.3,0.6, not 'here'; or auto"),
        ("focus=nan,0.5", "focus must lie in the picture"),
    ],
)
@pytest.mark.parametrize("runs", [False, *slower([True])])
def test_what_can_not_be_steered_is_said_in_a_line_and_changes_nothing(
    folder: Path, change: str, words: str, runs: bool
) -> None:
    with engine(folder) if runs else contextlib.nullcontext():
        if runs:
            until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        said = zoomtui_here("steer", str(folder), change, cwd=folder.parent)
    assert said.code == 2
    assert words in said.err
    assert "--steps" not in said.err
    assert said.err.count("\n") == 1
    assert steering(folder) == []


def test_steering_what_is_no_project_says_so(tmp_path: Path) -> None:
    answer = zoomtui("pause", "nowhere", cwd=tmp_path)
    assert (answer.code, answer.err.count("\n")) == (3, 1)
    assert "nowhere does not exist" in answer.err


def test_steering_needs_an_engine(folder: Path) -> None:
    for verb in (["pause"], ["unpause"], ["stop"], ["prompt", "x"]):
        answer = zoomtui(verb[0], str(folder), *verb[1:], cwd=folder.parent)
        assert answer.code == 3
        assert answer.err.count("\n") == 1
        assert "zoomtui resume" in answer.err


@pytest.mark.slow
def test_the_log_is_shown_as_plain_text(folder: Path) -> None:
    assert "nothing was rendered" in zoomtui("logs", str(folder), cwd=folder.parent).err
    with engine(folder):
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        zoomtui("stop", str(folder), cwd=folder.parent)
    said = zoomtui("logs", str(folder), cwd=folder.parent).out
    assert said.splitlines()[-1].endswith(" stopped")
    assert "keyframe 1 painted in " in said  # as the monitor counts them
    assert "KeyframeReady" not in said
    assert len(zoomtui("logs", str(folder), "-n", "3", cwd=folder.parent).out.splitlines()) == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("logs", "reef.zoom", "-n", "-5"), "'--lines': -5 is not in the range"),
        (("status", "reef.zoom", "--json", "--format", "{state}"), "--json and --format don't go"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    folder: Path, line: tuple[str, ...], words: str
) -> None:
    answer = zoomtui_here(*line, cwd=folder.parent)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert words in answer.err


def test_without_a_terminal_the_interface_says_what_to_use_instead(folder: Path) -> None:
    answer = zoomtui("attach", str(folder), cwd=folder.parent)
    assert answer.code == 2
    assert answer.err == (
        "zoomtui: the interface needs a terminal; without one use `zoomtui status` and "
        "`--headless`\n"
    )
    assert zoomtui(cwd=folder.parent).out.startswith("Usage: zoomtui")


def test_attach_without_a_name_needs_one_running_render(folder: Path) -> None:
    answer = zoomtui("attach", cwd=folder.parent)
    assert answer.code == 3
    assert "no render is running" in answer.err


def test_on_a_terminal_a_render_gets_an_engine_of_its_own_and_the_monitor_opens(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "reef.zoom"
    options = (*painter("endless", 2), "--out", "reef.zoom")
    with OnTerminal("render", "a reef", *options, cwd=tmp_path) as monitor:
        monitor.until("RENDERING")
        pid = running(folder)
        until(lambda: detached(monitor), "the monitor has detached")
        assert monitor.end() == 0
        assert "zoomtui attach" in monitor.said
    assert running(folder) == pid > 0
    assert zoomtui("stop", "reef.zoom", "--now", cwd=tmp_path).code == 0
    until(lambda: not running(folder), "the engine has ended")


def detached(monitor: OnTerminal) -> bool:
    """``d`` was pressed, and was not one of the first keys, which count for nothing."""
    monitor.type(b"d")
    return monitor.ends_within(0.3)


DRY = ("--painter", "texture", "--dry-run")


@pytest.mark.parametrize(
    "verb",
    [
        ("status", "{}", "--json"),
        *slower(
            [
                *(("ls",), ("ls", "--json"), ("models",)),
                *(("verify", "{}"), ("verify", "{}", "--json")),
                *(("takes", "{}"), ("takes", "{}", "--json")),
                *(("mark", "{}"), ("mark", "{}", "--json")),
                *(("status", "{}", "--history"), ("status", "{}", "--history", "--json")),
                *(("render", *DRY), ("render", *DRY, "--json")),
                *(
                    ("export", "{}", "a.mp4", "--dry-run"),
                    ("export", "{}", "a.mp4", "--dry-run", "--json"),
                ),
            ]
        ),
    ],
)
def test_an_answer_that_can_not_be_written_is_an_error(
    finished: Path, verb: tuple[str, ...]
) -> None:
    words = [word.format(finished) for word in verb]
    command = [sys.executable, "-m", "zoomtui", *words]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=environment(), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 6
    assert done.stderr == b"zoomtui: standard output: No space left on device\n"


@pytest.mark.slow
def test_a_folder_that_begins_with_a_dash_is_a_folder(tmp_path: Path) -> None:
    answer = zoomtui("render", *QUICK, "--headless", "--out=-d.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert (tmp_path / "-d.zoom" / "film.mp4").exists()
    assert "./-d.zoom" in answer.out
    assert zoomtui("status", "./-d.zoom", cwd=tmp_path).code == 0
