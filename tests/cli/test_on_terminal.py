"""A render on a real (pseudo-)terminal of 80 columns: the bar, Ctrl-C, and losing the terminal."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from PIL import Image

from renderer.painting.painters.accelerator import accelerator
from renderer.project.status import State, read_status
from tests.cli.engines import until
from tests.cli.processes import QUICK, OnTerminal, painter, zoomtui
from tests.marks import first_of

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"
"""The cursor."""
CTRL_C = b"\x03"


def cursor_is_shown(said: str) -> bool:
    return said.rfind(SHOW) >= said.rfind(HIDE)


def plain(said: str) -> list[str]:
    """The lines without what moves the cursor and colours."""
    return [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", said)]


def test_a_terminal_gets_a_bar_below_the_same_lines(tmp_path: Path) -> None:
    with OnTerminal("render", "--headless", *QUICK, "--out", "reef.zoom", cwd=tmp_path) as running:
        assert running.end() == 0
    lines = plain(running.said)
    assert "rendering reef.zoom: 9 frames" in lines
    assert any(line.startswith("keyframe 3/3  painted in") for line in lines)
    assert any(line.startswith("finished: 3 keyframes, 9 frames") for line in lines)
    assert any("━" in line and "%" in line for line in lines)
    assert all(len(line) <= 80 for line in lines if "━" in line)
    assert HIDE in running.said
    assert cursor_is_shown(running.said)


def test_ctrl_c_ends_a_render_with_the_cursor_shown(tmp_path: Path) -> None:
    with OnTerminal(
        "render", "--headless", *painter("endless", 2), "--out", "reef.zoom", cwd=tmp_path
    ) as running:
        running.until("segment 1")
        running.type(CTRL_C)
        assert running.end() == 130
    assert cursor_is_shown(running.said)
    assert any("stopped after 2 keyframes, 4 frames" in line for line in plain(running.said))
    assert read_status(tmp_path / "reef.zoom").frames == 4


@pytest.mark.slow
def test_ctrl_c_again_ends_it_at_once_with_the_cursor_shown(tmp_path: Path) -> None:
    with OnTerminal(
        "render", "--headless", *painter("deaf", 2), "--out", "reef.zoom", cwd=tmp_path
    ) as running:
        running.until("segment 1")
        running.type(CTRL_C)
        while not running.ends_within(0.3):  # two that come too close are one
            running.type(CTRL_C)
        assert running.end() == 130
    assert cursor_is_shown(running.said)
    assert "Traceback" not in running.said
    assert read_status(tmp_path / "reef.zoom").frames == 4


def test_a_lost_terminal_does_not_end_a_render(tmp_path: Path) -> None:
    endless = painter("endless", 2)
    with OnTerminal(
        "render", "--headless", *endless, "--out", "reef.zoom", cwd=tmp_path
    ) as running:
        running.until("keyframe 3/3, step")
        running.hang_up()  # the kernel sends SIGHUP, and every write fails from now on
        assert not running.ends_within(1.0)
        until(lambda: read_status(tmp_path / "reef.zoom").frames == 4, "it goes on filming")
        assert read_status(tmp_path / "reef.zoom").state is State.RUNNING
        running.signal(signal.SIGTERM)
        assert running.end() == 143
    assert read_status(tmp_path / "reef.zoom").frames == 4


@pytest.mark.slow
def test_an_error_is_one_line_below_the_bar(tmp_path: Path) -> None:
    options = (*painter("failing", 2), "--out", "reef.zoom")
    with OnTerminal("render", "--headless", *options, cwd=tmp_path) as running:
        assert running.end() == 5
    assert cursor_is_shown(running.said)
    assert sum("out of paint" in line for line in plain(running.said)) == 1


@pytest.mark.slow
def test_no_color_and_a_dumb_terminal_are_heeded(tmp_path: Path) -> None:
    with OnTerminal(
        "render", "--headless", *QUICK, "--out", "a.zoom", cwd=tmp_path, NO_COLOR="1"
    ) as running:
        assert running.end() == 0
    assert not re.search(r"\x1b\[[\d;]*3\d[;m]", running.said)
    with OnTerminal(
        "render", "--headless", *QUICK, "--out", "b.zoom", cwd=tmp_path, TERM="dumb"
    ) as running:
        assert running.end() == 0
    assert "\x1b" not in running.said


@pytest.mark.slow
def test_json_on_a_terminal_is_json_only(tmp_path: Path) -> None:
    with OnTerminal(
        "render", "--headless", *QUICK, "--json", "--out", "a.zoom", cwd=tmp_path
    ) as running:
        assert running.end() == 0
    assert "\x1b" not in running.said
    assert all(line.startswith("{") for line in running.said.splitlines())


no_gpu_here = pytest.mark.skipif(accelerator() is not None, reason="there is a GPU here")


@no_gpu_here
@pytest.mark.parametrize(
    "answers", first_of([(b"3\r", b"moss.png\r"), (b"1\r",), (b"7\r", b"2\r")])
)
def test_without_a_gpu_what_paints_is_asked_once(
    tmp_path: Path, answers: tuple[bytes, ...]
) -> None:
    Image.new("RGB", (96, 64), "green").save(tmp_path / "moss.png")
    with OnTerminal("render", "a reef", "--dry-run", cwd=tmp_path) as running:
        said = running.until("Ctrl-C leaves")
        assert "no GPU here; what shall paint a reef?" in said
        assert "min a keyframe by its arithmetic" in said
        for number, answer in enumerate(answers):
            running.type(answer)
            if number + 1 < len(answers):
                running.until(":" if answer == b"7\r" else "a picture of yours")
        assert running.end() == 0
    assert "canvas" in running.said
    assert not list(tmp_path.glob("*.zoom"))


@no_gpu_here
def test_ctrl_c_at_that_question_leaves_nothing(tmp_path: Path) -> None:
    with OnTerminal("render", "a reef", cwd=tmp_path) as running:
        running.until("Ctrl-C leaves: ")
        running.until_it_waits()  # else Python may get the signal just before it begins to read
        running.type(CTRL_C)
        assert running.end() == 130
    assert list(tmp_path.iterdir()) == []


@no_gpu_here
def test_a_script_is_told_what_there_is_to_choose(tmp_path: Path) -> None:
    answer = zoomtui("render", "a reef", cwd=tmp_path)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    for choice in ("--model cosmos", "--model sd2", "--painter texture --image FILE"):
        assert choice in answer.err
    assert list(tmp_path.iterdir()) == []
