"""`status --format`: one line for tmux and prompts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from renderer.engine.facts import facts_of_project
from renderer.errors import SettingsError
from renderer.project import registry
from renderer.project.status import State, read_status
from tests.cli.engines import engine, make_project, until
from tests.cli.processes import Answer, environment, zoomtui_here
from zoomtui.cli.status_line import FIELDS, parsed, status_line

HEAVY = (
    *("asyncio", "numpy", "textual", "rich", "psutil"),
    *("renderer.service.client", "renderer.service.supervisor", "renderer.settings.export_rows"),
)


def test_a_finished_render_in_the_words_of_the_user(rendered: tuple[Path, Answer]) -> None:
    folder, _ = rendered
    words = "#[bold]{name} {state} {keyframes}/{total} {percent} {left} {{}} {film} {seam}"
    answer = zoomtui_here("status", folder.name, "--format", words, cwd=folder.parent)
    seam = read_status(folder).figures.seam  # type: ignore[union-attr]
    line = f"#[bold]reef finished 3/3 100 % 0.0 s {{}} 0.3 s {seam:.2f}\n"
    assert (answer.code, answer.out) == (0, line)


def test_what_is_not_known_is_a_question_mark_and_no_end_is_inf(tmp_path: Path) -> None:
    make_project(tmp_path / "a.zoom", keyframes=None)
    words = "{total} {percent} {left} {pace} {seam}"
    answer = zoomtui_here("status", "a.zoom", "--format", words, cwd=tmp_path)
    assert answer.out == "inf ? ? ? ?\n"


def test_a_running_one_is_found_and_asked(tmp_path: Path, empty_state: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3)
    other = make_project(tmp_path / "b.zoom")
    registry.remember(other)
    line = ("status", "--format", "{name} {state} {keyframes}")
    none = zoomtui_here(*line, cwd=tmp_path)
    assert (none.code, "no render is running" in none.err) == (3, True)
    with engine(folder):
        until(lambda: zoomtui_here(*line, cwd=tmp_path).out == "a running 3\n", "it has three")
        assert zoomtui_here("pause", "a.zoom", cwd=tmp_path).code == 0
        until(lambda: zoomtui_here(*line, cwd=tmp_path).out == "a paused 3\n", "it is paused")
        assert "\nstate      paused (process " in zoomtui_here("status", "a.zoom", cwd=tmp_path).out


@pytest.mark.parametrize(
    "words",
    ["{size.__class__}", "{prompt[0]}", "{nothing}", "{}", "{0}", "{left!r}", "{left:>{total}}"],
)
def test_a_field_is_a_plain_name_and_all_are_listed(
    tmp_path: Path, words: str, finished: Path
) -> None:
    answer = zoomtui_here("status", finished.name, "--format", words, cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    assert line.startswith("zoomtui: --format knows no {")
    assert line.endswith(f"the fields are {', '.join(FIELDS)}")


@pytest.mark.parametrize("words", ["{", "}", "a {state"])
def test_a_brace_that_stands_alone_is_refused_in_a_line(words: str) -> None:
    with pytest.raises(SettingsError, match="--format: "):
        parsed(words)


def test_nothing_that_a_field_holds_is_obeyed(finished: Path) -> None:
    facts = facts_of_project(read_status(finished))
    hostile = replace(facts, prompt="\x1b[2J\n{state}", project="/a/\x07.zoom", state=State.RUNNING)
    assert status_line(parsed("{prompt}|{name}|{state}"), hostile) == (
        "\\x1b[2J\\n{state}|\\x07|running"
    )


def test_it_loads_little(finished: Path) -> None:
    program = (
        "import sys\n"
        "sys.argv[0] = 'zoomtui'\n"
        "from zoomtui.cli.main import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    line = [sys.executable, "-c", program, "status", str(finished), "--format", "{state}"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == "finished\n[]\n"
