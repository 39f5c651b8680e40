"""`zoomtui verify` and `repair`: what they say, their exit codes, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.processes import zoomtui_here
from tests.project.damages import contents, crlf


def test_a_project_that_is_whole_is_said_to_be(finished: Path) -> None:
    for more in ((), ("--deep",)):
        answer = zoomtui_here("verify", finished.name, *more, cwd=finished.parent)
        assert (answer.code, answer.out) == (0, "reef.zoom is as it was written\n")
    answer = zoomtui_here("repair", finished.name, cwd=finished.parent)
    assert (answer.code, answer.out) == (0, "reef.zoom needs no repair\n")


def test_a_damaged_keyframe_is_named_in_words_and_in_json(finished: Path) -> None:
    path = finished / "keyframes" / "000001.png"
    path.write_bytes(path.read_bytes()[:-1])
    answer = zoomtui_here("verify", finished.name, cwd=finished.parent)
    assert answer.code == 3
    assert answer.out.splitlines() == [
        "keyframes/000001.png is not the file that was written",
        "`zoomtui repair reef.zoom` shows what can be saved",
    ]
    answer = zoomtui_here("verify", finished.name, "--json", cwd=finished.parent)
    assert answer.code == 3
    assert json.loads(answer.out)["problems"] == [
        "keyframes/000001.png is not the file that was written"
    ]


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
