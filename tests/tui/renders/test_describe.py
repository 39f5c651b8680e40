"""The words of the Renders screen: sorted, filtered, fitted into whatever width there is."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from renderer.project.status import State
from tests.tui.scans import AURORA, CORAL, INK, KOI, MARS, MOSS, SCAN, render
from tests.tui.scripted import NOW
from zoomtui.tui.renders import describe
from zoomtui.tui.shared.styled_text import Line
from zoomtui.viewing.scan import Render
from zoomtui.viewing.words import state_word


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def names(renders: list[Render]) -> list[str]:
    return [render.name for render in renders]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("newest", [AURORA, CORAL, INK, MOSS, MARS, KOI]),
        ("name", [AURORA, CORAL, INK, MARS, MOSS, KOI]),
        ("state", [AURORA, CORAL, INK, MOSS, KOI, MARS]),
        ("size", [INK, MOSS, AURORA, CORAL, MARS, KOI]),
    ],
)
def test_renders_are_sorted_as_asked(order: describe.Order, expected: list[Render]) -> None:
    assert names(describe.arranged(SCAN.renders, order, "")) == names(expected)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("coral", [AURORA, CORAL, MOSS]),  # the prompt counts as well
        ("CITY paused", [CORAL]),
        ("ink DRAGONS", [INK]),
        ("missing", [KOI]),
        ("/films", list(SCAN.renders)),
        ("coral finished", []),
    ],
)
def test_a_filter_fits_when_each_of_its_words_is_somewhere(
    wanted: str, expected: list[Render]
) -> None:
    assert names(describe.arranged(SCAN.renders, "name", wanted)) == names(expected)


@pytest.mark.parametrize("width", [30, 38, 46, 60, 76, 79, 120, 200])
def test_rows_and_their_heading_are_exactly_as_wide_as_there_is_room(width: int) -> None:
    long = render("m" * 300, keyframes=1_000_000, total_keyframes=1_000_000, film_size=1 << 60)
    wide = render("極光の大聖堂" * 20)
    for shown in (*SCAN.renders, long, wide):
        assert cell_len(text(describe.row_line(shown, width, NOW))) == width
    assert cell_len(text(describe.heading_line(width))) == width


def test_a_state_is_told_by_word_and_sign_whatever_the_width() -> None:
    for width in (30, 80):
        line = text(describe.row_line(CORAL, width, NOW))
        assert line.startswith("‖ ")
        assert "paused" in line


def test_names_and_prompts_that_look_like_markup_or_escapes_are_shown_as_typed() -> None:
    hostile = render("[red]x[red]\x1b[2J", prompt="[@click=app.quit]x[/] \u202e\x07")
    assert "[red]x[red]\\x1b[2J" in text(describe.row_line(hostile, 100, NOW))
    details = "\n".join(text(line) for line in describe.detail_lines(hostile, 80, NOW))
    assert "[@click=app.quit]x[/] \\u202e\\x07" in details


@pytest.mark.parametrize("width", [24, 40, 90])
@pytest.mark.parametrize("shown", SCAN.renders, ids=lambda render: render.name)
def test_details_fit_their_pane(shown: Render, width: int) -> None:
    for line in describe.detail_lines(shown, width, NOW):
        assert cell_len(text(line)) <= width


def test_details_of_a_long_prompt_stay_short() -> None:
    lines = describe.detail_lines(render("x", prompt="word " * 4000), 60, NOW)
    assert len(lines) < 12
    assert any("…" in text(line) for line in lines)


def test_an_unfinished_render_says_how_to_go_on_with_it() -> None:
    details = "\n".join(text(line) for line in describe.detail_lines(MOSS, 90, NOW))
    assert f"zoomtui resume {MOSS.folder}" in details
    assert "zoomtui resume" not in text(describe.detail_lines(INK, 90, NOW)[3])


def test_a_failed_render_says_why_and_how_to_go_on_with_it() -> None:
    failed = replace(render("full", State.FAILED), why="no space left for film.mp4")
    details = "\n".join(text(line) for line in describe.detail_lines(failed, 90, NOW))
    assert "✗ failed" in details
    assert "no space left for film.mp4" in details
    assert f"zoomtui resume {failed.folder}" in details


def test_a_missing_render_says_why() -> None:
    details = "\n".join(text(line) for line in describe.detail_lines(KOI, 60, NOW))
    assert "? missing" in details
    assert "moved or deleted" in details


def test_the_header_counts_what_is_shown_and_what_there_is() -> None:
    header = text(describe.header_line(SCAN, 6, "newest", "", 100))
    assert "6 renders · " in header
    assert "1.3 TiB free" in header
    assert "2 of 6 renders" in text(describe.header_line(SCAN, 2, "newest", "coral", 100))
    assert cell_len(text(describe.header_line(SCAN, 6, "newest", "x" * 200, 80))) <= 80


def test_each_gpu_has_a_column_in_the_header() -> None:
    busy = replace(SCAN, gpus=(0.0, 100.0, 50.0, 98.0))
    assert "GPUs ▁█▅█ 62 %" in text(describe.header_line(busy, 6, "newest", "", 120))
    assert cell_len(text(describe.header_line(busy, 6, "newest", "", 60))) <= 60
    assert "GPU" not in text(describe.header_line(SCAN, 6, "newest", "", 120))


def test_the_copied_command_survives_a_shell() -> None:
    odd = replace(AURORA, folder=Path("/films/it's a $film.zoom"))
    words = shlex.split(describe.copy_command(odd))
    assert words[0] == "scp"
    assert words[1].endswith(":/films/it's a $film.zoom/film.mp4")
    assert words[2] == "it's a $film.mp4"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_a_user_without_a_name_is_called_by_its_number() -> None:
    """As in a container that is run for any user."""
    code = (
        "import os, pathlib; from zoomtui.tui.shared.fetch import fetch_command; os.setuid(54321);"
        "print(fetch_command(pathlib.Path('/films/reef.mp4')))"
    )
    named = {"LOGNAME", "USER", "LNAME", "USERNAME"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={key: text for key, text in os.environ.items() if key not in named},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("scp 54321@"), done.stderr


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (6.1 * 2**30, "6.1 GiB"), (1023 * 2**20, "1023 MiB")]
)
def test_sizes_are_brief(size: float, expected: str) -> None:
    assert describe.brief_size(size) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.171, "0.17 s"), (6.83, "6.8 s"), (200, "3.3 min"), (4321, "72.0 min"), (7200, "2.0 h")],
)
def test_paces_are_brief(seconds: float, expected: str) -> None:
    assert describe.brief_seconds(seconds) == expected


def test_every_state_is_a_sign_and_a_word() -> None:
    assert {str(state) for state in State} == {
        "running", "paused", "review", "finished", "failed", "stopped", "missing", "damaged",
    }  # fmt: skip
    assert all(state_word(state)[0][1:] == f" {state}" for state in State)


def test_branches_stand_below_their_film_whatever_the_order() -> None:
    def branch_of(parent: Render, name: str) -> Render:
        made = render(name, parent=str(parent.folder), branched_at=11)
        return replace(made, changed=NOW + 1e6)

    night = branch_of(INK, "night")
    deep = branch_of(night, "deep")
    astray = replace(branch_of(KOI, "astray"), changed=0.0)
    shown = [*SCAN.renders, deep, night]
    for order in describe.ORDERS:
        arranged = describe.arranged(shown, order, "")
        at = arranged.index(INK)
        assert arranged[at : at + 3] == [INK, night, deep]
    assert text(describe.row_line(night, 80, NOW)).lstrip(" ○●✔✗■").startswith("└ night")
    (line,) = [
        text(line)
        for line in describe.detail_lines(night, 60, NOW)
        if text(line).startswith("branch")
    ]
    assert line.split(maxsplit=1)[1] == f"of {INK.folder.name}, at keyframe 12"
    assert astray in describe.arranged([astray, deep, night], "name", "")
