"""The journal: what is appended is there after any crash, and damage is told from a torn tail."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from renderer.errors import ProjectError, StorageError
from renderer.journal import Journal, read_journal
from tests.marks import first_of

RECORDS = [
    {"type": "keyframe", "index": 0, "prompt": "Über den Wölken, 雲の上 🌌 \u2028 \n \t"},
    {"type": "header", "offset": 0, "length": 818},
    {"type": "segment", "frames": 60, "share": 0.1, "last": None, "closing": True},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    journal = Journal.create(path)
    for record in RECORDS:
        journal.append(record)
    journal.close()
    return path


def reopened(path: Path) -> list[object]:
    journal = Journal.open(path)
    journal.close()
    return list(journal.records)


def test_records_come_back_as_they_were(path: Path) -> None:
    assert reopened(path) == RECORDS
    assert read_journal(path) == RECORDS


def test_a_lone_surrogate_from_a_broken_terminal_comes_back(path: Path) -> None:
    journal = Journal.open(path)
    journal.append({"prompt": "caf\udce9"})
    journal.close()
    assert reopened(path)[-1] == {"prompt": "caf\udce9"}


def test_every_line_is_json_with_sorted_keys_and_no_spaces(path: Path) -> None:
    lines = path.read_text().split("\n")
    assert [json.loads(line)[1] for line in lines[:-1]] == RECORDS
    assert lines[1].endswith(',{"length":818,"offset":0,"type":"header"}]')


def test_creating_where_one_exists_is_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="exists already"):
        Journal.create(path)
    assert path.read_bytes() == before


def test_a_missing_or_unreadable_journal_is_a_project_error(tmp_path: Path) -> None:
    for path in (tmp_path / "journal.jsonl", tmp_path):
        with pytest.raises(ProjectError, match="can't read the journal"):
            Journal.open(path)


def test_cut_short_at_any_byte_the_whole_lines_remain(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]
    short = tmp_path / "short.jsonl"
    for length in range(len(whole)):
        short.write_bytes(whole[:length])
        kept = sum(end <= length for end in ends)
        assert read_journal(short) == RECORDS[:kept]
        assert short.stat().st_size == length
        assert reopened(short) == RECORDS[:kept]
        assert short.stat().st_size == ([0, *ends])[kept]


@pytest.mark.parametrize(
    "tail",
    [
        b'["12',
        b"\0" * 4096,
        b"\n\n\n",
        b'["00000000",{}]\n',
        b"[]\n",
        random.Random(5).randbytes(5000),
    ],
)
def test_a_torn_tail_of_any_kind_is_cut_and_the_next_record_follows(
    path: Path, tail: bytes
) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert read_journal(path) == RECORDS
    journal = Journal.open(path)
    assert path.read_bytes() == whole
    journal.append({"type": "note"})
    journal.close()
    assert reopened(path) == [*RECORDS, {"type": "note"}]


def test_a_bad_line_before_good_ones_is_damage_and_nothing_is_changed(path: Path) -> None:
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(b"818")] ^= 1
    path.write_bytes(damaged)
    for read in (Journal.open, read_journal):
        with pytest.raises(ProjectError, match=r"line 2 can't be read, but line 3 can"):
            read(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("filler", first_of([b"\0", b"\n", b"x", b"tea\n"]), ids=repr)
def test_a_gigabyte_of_something_else_is_refused_with_bounded_memory(
    path: Path, filler: bytes
) -> None:
    with path.open("ab") as file:
        file.write(filler * ((8 << 20) // len(filler)))
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        for read in (Journal.open, read_journal):
            with pytest.raises(ProjectError, match="line 4 and all that follows is no record"):
                read(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_journal_that_is_a_pipe_is_refused(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ProjectError, match="is no file"):
        read_journal(path)


def test_any_flipped_bit_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            assert read_journal(path) == RECORDS[: len(read_journal(path))]
            assert len(read_journal(path)) < len(RECORDS)
        except ProjectError:
            pass


def test_removing_the_last_records_keeps_the_first(path: Path) -> None:
    journal = Journal.open(path)
    journal.remove(range(1, len(journal)))
    assert list(journal.records) == RECORDS[:1]
    journal.append({"type": "after"})
    journal.close()
    assert reopened(path) == [RECORDS[0], {"type": "after"}]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_remove_takes_one_record_out(path: Path, index: int) -> None:
    journal = Journal.open(path)
    journal.remove([index])
    journal.append({"type": "after"})
    journal.close()
    assert reopened(path) == [*RECORDS[:index], *RECORDS[index + 1 :], {"type": "after"}]


def test_appends_from_many_threads_all_arrive_whole(path: Path) -> None:
    journal = Journal.open(path)
    threads = [
        threading.Thread(
            target=lambda who=who: [journal.append({"w": who, "n": n}) for n in range(20)]
        )
        for who in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    added = reopened(path)[len(RECORDS) :]
    for who in range(8):
        assert [r["n"] for r in added if r["w"] == who] == list(range(20))


FILLER = """
import resource, sys
from pathlib import Path
from renderer.errors import StorageError
from renderer.journal import Journal
from tests.marks import first_of
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
journal = Journal.open(Path(sys.argv[1]))
try:
    while True:
        journal.append({"text": "x" * 100})
except StorageError as error:
    sys.stdout.write(f"{len(journal.records)} {error}")
"""


def test_a_full_disk_leaves_the_journal_as_it_was(path: Path) -> None:
    command = [sys.executable, "-c", FILLER, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, message = done.stdout.split(" ", 1)
    assert "no space left" in message
    assert "\n" not in message
    assert len(read_journal(path)) == int(count) > len(RECORDS)
    assert path.read_bytes().endswith(b"}]\n")


def test_a_failed_removal_changes_nothing(path: Path) -> None:
    journal = Journal.open(path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StorageError):
            journal.remove([0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(journal.records) == RECORDS
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    journal.close()
