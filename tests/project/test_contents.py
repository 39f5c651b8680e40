"""A journal that grows is read on, and read anew where it is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer import journal
from renderer.errors import ProjectError
from renderer.film.records import committed
from renderer.journal import Journal, read_journal
from renderer.project.contents import Contents
from renderer.project.history import History
from renderer.project.records import JOURNAL
from tests.benchmarks.long_project import make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "a.zoom", 300, steered=30, takes=5)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The records that are decoded from now on."""
    bodies: list[bytes] = []
    decode = journal._decode

    def counted(body: bytes) -> object:
        bodies.append(body)
        return decode(body)

    monkeypatch.setattr(journal, "_decode", counted)
    return bodies


def told(contents: Contents) -> tuple[object, ...]:
    history, film = contents.history, contents.film
    return history.keyframes, history.steering, history.marks, film.segments, contents.made


def assert_right(contents: Contents, folder: Path) -> None:
    records = read_journal(folder / JOURNAL)
    history = History(records)
    expected = (history.keyframes, history.steering, history.marks, committed(records))
    assert told(contents)[:4] == expected
    assert told(contents) == told(Contents(folder).look())


def test_only_what_is_new_is_read(folder: Path, decoded: list[bytes]) -> None:
    contents = Contents(folder).look()
    opened = Journal.open(folder / JOURNAL)
    for note in ("one", "two"):
        opened.append({"type": "mark", "keyframe": 7, "take": 1, "note": note})
        decoded.clear()
        assert contents.look().history.marks == ((7, note),)
        assert len(decoded) == 1
    decoded.clear()
    contents.look()
    assert decoded == []
    opened.close()
    assert_right(contents, folder)


def test_half_a_record_is_read_once_it_is_whole(folder: Path) -> None:
    contents, path = Contents(folder).look(), folder / JOURNAL
    before, count = told(contents), path.stat().st_size
    opened = Journal.open(path)
    opened.append({"type": "mark", "keyframe": 7, "take": 1, "note": "here"})
    opened.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: count + 20])
    assert told(contents.look()) == before
    with path.open("ab") as file:
        file.write(whole[count + 20 :])
    assert contents.look().history.marks == ((7, "here"),)


@pytest.mark.parametrize("keep", [5, -1])
def test_what_is_cut_off_or_taken_out_is_noticed(folder: Path, keep: int) -> None:
    contents = Contents(folder).look()
    opened = Journal.open(folder / JOURNAL)
    last = opened.records[-1]
    opened.remove([len(opened.records) - 1 if keep < 0 else len(opened.records) - 3])
    contents.look()
    assert_right(contents, folder)
    opened.remove(range(len(opened.records) - 4, len(opened.records)))
    opened.append({"type": "mark", "keyframe": 2, "take": 1, "note": "x" * len(str(last))})
    contents.look()
    assert_right(contents, folder)
    opened.close()


def test_after_damage_it_is_read_anew(folder: Path) -> None:
    contents, path = Contents(folder).look(), folder / JOURNAL
    whole = path.read_bytes()
    path.write_bytes(whole + b'["00000000",{}]\n' * 3)
    with pytest.raises(ProjectError, match="damaged"):
        contents.look()
    path.write_bytes(whole)
    contents.look()
    assert_right(contents, folder)
