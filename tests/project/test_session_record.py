"""What a session leaves word of, where a disk is full, and where what is there can't be read."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from renderer.files import Place
from renderer.project.records import SESSION
from renderer.project.session_record import SessionRecord, begin, fail, read_session, record

CRASHED = SessionRecord(
    "the engine was killed", at=5.0, restarts=2, recent=1, restarting=True, began=4.0
)


def test_a_session_begins_with_nothing(tmp_path: Path) -> None:
    fail(tmp_path, "no space left", 6)
    with closing(Place(tmp_path)) as place:
        begin(tmp_path, at=place)
    found = read_session(tmp_path)
    assert found == SessionRecord(began=found.began)
    assert found.began > 0


def test_a_session_that_is_restarted_still_knows_of_its_crashes(tmp_path: Path) -> None:
    record(tmp_path, CRASHED)
    with closing(Place(tmp_path)) as place:
        begin(tmp_path, at=place)
    known = read_session(tmp_path)
    assert known == replace(CRASHED, restarting=False)


def test_a_failure_keeps_the_crashes_before_it(tmp_path: Path) -> None:
    record(tmp_path, CRASHED)
    fail(tmp_path, "no space left", 6)
    known = read_session(tmp_path)
    assert (known.restarts, known.restarting) == (2, False)
    assert (known.failure, known.exit_code) == ("no space left", 6)
    assert known.at > CRASHED.at


def test_a_failure_follows_a_folder_that_was_moved(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    folder.mkdir()
    with closing(Place(folder)) as place:
        moved = folder.rename(tmp_path / "b.zoom")
        fail(folder, "it was moved away", 6, at=place)
    assert read_session(moved).failure == "it was moved away"


def test_what_no_file_can_be_made_for_is_written_into_the_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, SessionRecord())
    size = (tmp_path / SESSION).stat().st_size

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    fail(tmp_path, "no space left", 6)
    assert read_session(tmp_path).failure == "no space left"
    assert [path.name for path in tmp_path.iterdir()] == [SESSION]
    assert (tmp_path / SESSION).stat().st_size == size


def test_a_reason_that_names_a_file_of_any_bytes_is_kept(tmp_path: Path) -> None:
    why = "no space left for caf\udce9.zoom, \u202e and \x1b[2J"
    fail(tmp_path, why, 6)
    assert read_session(tmp_path).failure == why


@pytest.mark.parametrize("text", ["", "{", "[]", '"tea"', "null"])
def test_what_can_not_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / SESSION).write_text(text)
    assert read_session(tmp_path) == SessionRecord()


@pytest.mark.parametrize("wrong", [{"failure": 7}, {"at": "now"}, {"at": 1e300}, {"restarts": 1.5}])
def test_wrong_values_say_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    (tmp_path / SESSION).write_text(json.dumps(wrong))
    assert read_session(tmp_path) == SessionRecord()
