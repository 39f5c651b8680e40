"""The whole interface as a process on a terminal: fast to start, and never able to end a render."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from renderer.journal import read_journal
from renderer.project.records import JOURNAL
from renderer.project.status import read_status
from renderer.service.client import ask
from tests.cli.engines import OnMonitor, engine, kill_engine, make_project, running, until
from tests.cli.processes import PATIENCE, ROOT, environment
from tests.marks import first_of

HEAVY = ("torch", "diffusers", "transformers", "av", "numba", "renderer.engine.session")
COLOUR = re.compile(r"\x1b\[(?:[\d;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][\d;:]*)?m")
"""A sequence that sets a colour of text or ground."""
BACK = "\x1b[?1049l"
"""The screen from before is given back."""


def test_importing_the_interface_loads_nothing_that_renders() -> None:
    program = f"import sys, zoomtui.tui.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("how", first_of(["SIGHUP", "SIGTERM", "SIGKILL", "a closed terminal"]))
def test_however_the_interface_ends_the_render_goes_on_and_can_be_attached_again(
    tmp_path: Path, how: str
) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid:
        with OnMonitor(folder) as monitor:
            monitor.until("RENDERING")
            if how == "a closed terminal":
                monitor.hang_up()
            else:
                monitor.signal(signal.Signals[how])
                assert monitor.end() == (-signal.SIGKILL if how == "SIGKILL" else 0)
            assert monitor.ends_within(PATIENCE)
            assert "Traceback" not in monitor.said
            if how in {"SIGHUP", "SIGTERM"}:
                assert BACK in monitor.said
        assert running(folder) == pid
        with OnMonitor(folder) as again:
            again.until("RENDERING")
            again.until("3 of")
            again.until("a reef")


@pytest.mark.slow
def test_keys_that_are_typed_as_fast_as_they_go_pass_through_every_screen(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid, OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        monitor.until("3 of")
        monitor.type(b"?qlqvqcqfqsq" * 3)  # help, log, picture, comparison, film, the stop dialog
        monitor.type(b"p, at night: ?qlvcfs\rlqd")
        assert monitor.end() == 0
        assert "goes on rendering" in monitor.said.split(BACK)[-1]
        assert "Traceback" not in monitor.said
        assert running(folder) == pid
    steered = [r["changes"] for r in read_journal(folder / JOURNAL) if r["type"] == "steer"]
    assert steered == [{"prompt": "a reef, at night: ?qlvcfs"}]


@pytest.mark.slow
def test_detaching_says_that_the_render_goes_on_and_how_to_come_back(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid, OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        monitor.type(b"d")
        assert monitor.end() == 0
        after = monitor.said.split(BACK)[-1]
        assert "reef goes on rendering" in after
        assert "zoomtui attach" in after
        assert running(folder) == pid


@pytest.mark.slow
def test_ctrl_c_ends_neither_the_interface_nor_the_render(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid, OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        monitor.type(b"\x03")
        monitor.until("d detaches")
        assert not monitor.ends_within(0.3)
        assert running(folder) == pid


def test_a_killed_engine_is_said_and_enter_goes_on(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder) as pid, OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        kill_engine(folder)
        monitor.until("The engine is gone")
        monitor.until("Go on rendering")
        monitor.type(b"\r")
        until(lambda: running(folder) not in (0, pid), "another engine renders")


@pytest.mark.slow
def test_a_key_steers_the_real_engine(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder), OnMonitor(folder) as monitor:
        monitor.until("RENDERING")
        monitor.type(b" ")
        monitor.until("PAUSED")
        monitor.type(b" ")
        monitor.until("go on")
        monitor.type(b"p")
        monitor.until("Takes effect at keyframe 5")
        monitor.type(b" at night\r")
        monitor.until("a reef at night")
        monitor.type(b"s")
        monitor.until("Stop the render?")
        monitor.type(b"\r")
        monitor.until("STOPPED")
        until(lambda: not running(folder), "no engine runs")


@pytest.mark.slow
def test_a_slow_line_does_not_freeze_the_interface(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3, keyframe_size="256x256")
    with engine(folder), OnMonitor(folder) as monitor:
        monitor.drain(6.0, bytes_a_second=20_000)
        monitor.type(b"?")
        count = 0
        while "Esc closes" not in monitor.said:
            count += monitor.drain(0.1, bytes_a_second=20_000)
            assert count < 5 * 20_000, "what was to be seen earlier is still being sent"
        monitor.type(b"q")
        monitor.drain(1.0, bytes_a_second=20_000)
        monitor.type(b"d")
        assert monitor.end() == 0


@pytest.mark.slow
def test_attaching_again_shows_the_right_state_at_once(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder):
        until(lambda: read_status(folder).frames == 12, "two segments")
        asyncio.run(ask(folder, "pause"))
        with OnMonitor(folder) as monitor:
            monitor.until("PAUSED")
            monitor.until("3 of")
            monitor.until("a reef")
            assert "RENDERING" not in monitor.said


@pytest.mark.slow
def test_without_colours_everything_is_said_by_words_and_signs(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder), OnMonitor(folder, NO_COLOR="1") as monitor:
        monitor.until("● RENDERING")
        monitor.type(b" ")
        monitor.until("‖ PAUSED")
        monitor.type(b"s")
        monitor.until("> Stop after")
        monitor.type(b"\x1b")
        monitor.until("[3]")
        monitor.falls_silent(0.5)
        assert COLOUR.findall(monitor.said) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", first_of([(120, 36), (80, 24)]))
def test_the_size_is_the_terminals_own_whatever_the_environment_says(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    folder = make_project(tmp_path / "reef.zoom", "endless", 3)
    with engine(folder), OnMonitor(folder, size, COLUMNS="100", LINES="30") as monitor:
        monitor.until("RENDERING")
        monitor.until(lambda said: lowest_row(said) >= size[1] and longest_rule(said))
        monitor.type(b"d")
        assert monitor.end() == 0
        assert lowest_row(monitor.said) == size[1]
        assert size[0] - 6 <= longest_rule(monitor.said) <= size[0]


def lowest_row(said: str) -> int:
    """The lowest that the cursor was put to."""
    places = re.findall(r"\x1b\[(\d+);(\d+)H", said)
    return max((int(row) for row, _ in places), default=0)


def longest_rule(said: str) -> int:
    """Columns of the longest line that was drawn."""
    rules = re.findall("─{30,}", re.sub(r"\x1b\[[\d;]*m", "", said))
    return max(map(len, rules), default=0)
