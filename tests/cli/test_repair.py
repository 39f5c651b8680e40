"""`zoomtui verify` and `repair`: what they say, their exit codes, and what they leave alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import zoomtui, zoomtui_here
from tests.project.damages import contents, crlf, emptied, older_journal


def test_a_project_that_is_whole_is_said_to_be(finished: Path) -> None:
    for more in ((), ("--deep",)):
        answer = zoomtui_here("verify", finished.name, *more, cwd=finished.parent)
        assert (answer.code, answer.out) == (0, "reef.zoom is as it was written\n")
    answer = zoomtui_here("repair", finished.name, cwd=finished.parent)
    assert (answer.code, answer.out) == (0, "film and journal of reef.zoom need no repair\n")


def test_a_damaged_keyframe_is_named_in_words_and_in_json(finished: Path) -> None:
    path = finished / "keyframes" / "000001.png"
    path.write_bytes(path.read_bytes()[:-1])
    answer = zoomtui_here("verify", finished.name, cwd=finished.parent)
    assert answer.code == 3
    assert answer.out.splitlines() == [
        "keyframes/000001.png is not the file that was written",
        "`zoomtui rewind reef.zoom 2` and `zoomtui resume reef.zoom` paint it anew",
    ]
    answer = zoomtui_here("verify", finished.name, "--json", cwd=finished.parent)
    assert answer.code == 3
    assert json.loads(answer.out)["problems"] == [
        "keyframes/000001.png is not the file that was written"
    ]


def test_what_verify_says_of_a_damaged_keyframe_helps(finished: Path) -> None:
    path = finished / "keyframes" / "000001.png"
    path.write_bytes(path.read_bytes()[:-1])
    for verb in (("rewind", "2", "--yes"), ("resume",)):
        answer = zoomtui(verb[0], finished.name, *verb[1:], cwd=finished.parent)
        assert answer.code == 0, answer.err
    told = zoomtui_here("verify", finished.name, cwd=finished.parent)
    assert told.lines[1:] == [
        "`zoomtui prune reef.zoom` deletes the takes that are not in the film"
    ]
    assert zoomtui_here("prune", finished.name, "--yes", cwd=finished.parent).code == 0
    assert zoomtui_here("verify", finished.name, cwd=finished.parent).code == 0


@pytest.mark.parametrize("harm", [emptied, older_journal])
def test_a_journal_that_is_not_the_films_is_found(
    finished: Path, harm: Callable[[Path], None]
) -> None:
    harm(finished)
    for more in ((), ("--deep",)):
        answer = zoomtui_here("verify", finished.name, *more, cwd=finished.parent)
        assert (answer.code, len(answer.lines)) == (3, 2)
        assert answer.lines[1] == "`zoomtui repair reef.zoom` shows what can be saved"


def test_a_repair_is_done_only_when_told(finished: Path) -> None:
    crlf(finished)
    before = contents(finished)
    refused = zoomtui_here("resume", finished.name, cwd=finished.parent)
    assert refused.code == 3
    assert "`zoomtui repair reef.zoom` shows what can be saved" in refused.err
    told = zoomtui_here("repair", finished.name, cwd=finished.parent)
    assert told.code == 3
    assert "nothing was changed; `zoomtui repair reef.zoom --yes` does it" in told.out
    assert contents(finished) == before
    done = zoomtui_here("repair", finished.name, "--yes", cwd=finished.parent)
    assert done.code == 0
    assert "go on      zoomtui resume reef.zoom" in done.out
    assert zoomtui_here("verify", finished.name, cwd=finished.parent).code == 0
    assert zoomtui_here("status", finished.name, cwd=finished.parent).code == 0


def test_what_is_no_project_is_named(tmp_path: Path) -> None:
    for verb in ("verify", "repair"):
        answer = zoomtui_here(verb, "nowhere.zoom", cwd=tmp_path)
        assert (answer.code, answer.err.count("\n")) == (3, 1)
        assert "nowhere.zoom" in answer.err
