"""The store: a film that is killed, torn, starved of disk and resumed is the film of one go."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from renderer.errors import ProjectError, StorageError
from renderer.film.encode import encode_segment
from renderer.film.records import committed
from renderer.film.store import FilmStore
from renderer.journal import Journal, Record, read_journal
from tests.export.barcode import decode, encoding, exact, frames
from tests.film.writer import LENGTHS, write
from tests.marks import slower

ROOT = Path(__file__).parents[2]


class Film:
    """A journal and a store in one folder."""

    def __init__(self, folder: Path) -> None:
        self.path, self.log = folder / "film.mp4", folder / "journal.jsonl"
        self.journal = (Journal.open if self.log.exists() else Journal.create)(self.log)
        self.store = FilmStore.open(self.path, self.journal)

    def add(self, length: int = 5, *, closing: bool = False) -> None:
        index, first = self.store.next_segment, self.store.frames
        pictures = frames(first, length)
        encoded = encode_segment(pictures, encoding(), first_frame=first, index=index)
        self.store.append(encoded, closing=closing)

    def close(self) -> None:
        self.store.close()
        self.journal.close()

    def bytes(self) -> tuple[bytes, bytes]:
        return self.path.read_bytes(), self.log.read_bytes()


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """Four segments, the journal holding foreign records too; closed again."""
    film = Film(tmp_path)
    for index in range(4):
        film.journal.append({"type": "keyframe", "index": index})
        film.add()
    film.journal.append({"type": "steer", "prompt": "雲"})
    film.close()
    return film


def hashes(folder: Path) -> list[str]:
    names = ("film.mp4", "journal.jsonl", "live.m3u8", "watch.m3u8")
    return [sha256((folder / name).read_bytes()).hexdigest() for name in names]


def start(folder: Path, segments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.film.writer", folder, segments],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    film = Film(tmp_path)
    assert (film.store.frames, film.store.size, film.store.next_segment) == (0, 0, 0)
    assert (film.store.intervals, film.store.finished) == (0, False)
    assert list(film.store.segments) == []
    film.store.drop_closing()
    film.close()


def test_segments_lie_one_behind_the_other_and_reopening_finds_them(film: Film) -> None:
    again = Film(film.path.parent)
    segments = again.store.segments
    assert [segment.index for segment in segments] == [0, 1, 2, 3]
    assert [segment.first_frame for segment in segments] == [0, 5, 10, 15]
    assert segments[0].offset == again.store.header_length
    for before, after in pairwise(segments):
        assert after.offset == before.offset + before.length
    assert again.store.size == again.path.stat().st_size
    assert again.store.frames == 20
    assert committed(read_journal(film.log)) == segments
    assert decode(film.path) == exact(0, 20, Fraction(30))
    again.close()


# killed


@pytest.mark.parametrize("kills", [9, pytest.param(90, marks=pytest.mark.soak)])
def test_killed_at_random_moments_and_torn_the_film_and_its_journal_are_those_of_one_go(
    tmp_path: Path, kills: int
) -> None:
    chance = random.Random(3)
    folder = tmp_path / "killed"
    folder.mkdir()
    torn = 0
    for _ in range(kills):
        with start(folder, "inf") as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            try:
                writer.wait(chance.uniform(0, 0.1))
            except subprocess.TimeoutExpired:
                writer.kill()
        assert writer.returncode == -9
        torn += tear(folder, chance)
    assert torn >= kills / 3
    finished = len(committed(read_journal(folder / "journal.jsonl"))) + 2
    with start(folder, str(finished)) as writer:
        assert writer.wait() == 0

    one_go = tmp_path / "one go"
    one_go.mkdir()
    write(one_go, finished)
    assert hashes(folder) == hashes(one_go)
    total = sum(LENGTHS[index % len(LENGTHS)] for index in range(finished - 1)) + 1
    assert decode(folder / "film.mp4") == exact(0, total, Fraction(30))


def tear(folder: Path, chance: random.Random) -> bool:
    """What a power cut may leave, now and then; True where it left something."""
    film, journal = folder / "film.mp4", folder / "journal.jsonl"
    segments = committed(read_journal(journal))
    kind = chance.choice(["garbage", "line", "nul", "lost", "zeroed", "", ""])
    if kind == "garbage":
        with film.open("ab") as file:
            file.write(chance.randbytes(chance.randint(1, 30_000)))
    elif kind in ("line", "nul"):
        with journal.open("ab") as file:
            file.write(b'["0123' if kind == "line" else b"\0" * chance.randint(1, 5000))
    elif kind and segments:
        last = segments[-1]
        lost = chance.randint(1, last.length)
        os.truncate(film, last.offset + last.length - lost)
        if kind == "zeroed":
            os.truncate(film, last.offset + last.length)
    else:
        return False
    return True


# recovered


def test_bytes_behind_the_committed_end_are_cut_off(film: Film) -> None:
    whole = film.bytes()
    film.path.write_bytes(whole[0] + b"moof of an unfinished segment")
    Film(film.path.parent).close()
    assert film.bytes() == whole


@pytest.mark.parametrize("lost", [1, 100, "all"])
def test_a_last_segment_that_did_not_reach_the_disk_is_dropped_and_nothing_else_is(
    film: Film, lost: int | str
) -> None:
    last = committed(read_journal(film.log))[-1]
    os.truncate(
        film.path, last.offset + last.length - (last.length if lost == "all" else int(lost))
    )
    again = Film(film.path.parent)
    assert again.store.frames == 15
    assert again.path.stat().st_size == again.store.size == last.offset
    kept = [record["type"] for record in again.journal.records]
    assert kept.count("keyframe") == 4
    assert kept[-1] == "steer"
    again.add()
    again.close()
    assert decode(film.path) == exact(0, 20, Fraction(30))
    Film(film.path.parent).close()


def test_a_first_segment_that_did_not_reach_the_disk_leaves_an_empty_film(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.add()
    film.close()
    whole = film.bytes()
    os.truncate(film.path, film.store.header_length + 3)
    film = Film(tmp_path)
    assert film.store.frames == 0
    assert film.store.header_length > 0
    film.close()
    os.truncate(film.path, 3)
    film = Film(tmp_path)
    assert (film.store.frames, film.store.header_length) == (0, 0)
    film.add()
    film.close()
    assert film.bytes() == whole


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_film_shorter_than_its_journal_by_whole_segments_goes_on_from_what_is_there(
    film: Film, kept: int
) -> None:
    whole, segments = film.bytes(), committed(read_journal(film.log))
    os.truncate(film.path, segments[kept].offset + 7)
    again = Film(film.path.parent)
    assert again.store.segments == segments[:kept]
    assert again.path.stat().st_size == segments[kept].offset
    assert [record["type"] for record in again.journal.records].count("keyframe") == 4
    while len(again.store.segments) < len(segments):
        again.add()
    again.close()
    assert film.path.read_bytes() == whole[0]


def damage_two_segments(film: Path) -> None:
    with film.open("r+b") as file:
        file.seek(film.stat().st_size * 3 // 5)
        file.write(bytes(film.stat().st_size * 2 // 5))


def add_another_film(film: Path) -> None:
    with film.open("ab") as file:
        file.write(film.read_bytes())


def add_two_segments(film: Path) -> None:
    last = film.read_bytes()
    last = last[last.rindex(b"moof") - 4 :]
    with film.open("ab") as file:
        file.write(last + last)


def damage_header(film: Path) -> None:
    film.write_bytes(b"")


def replace_by_folder(film: Path) -> None:
    film.unlink()
    film.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        damage_two_segments,
        damage_header,
        Path.unlink,
        replace_by_folder,
        add_another_film,
        add_two_segments,
    ],
)
def test_a_film_that_no_interrupted_append_leaves_is_refused_and_left_alone(
    film: Film, damage: object
) -> None:
    damage(film.path)  # type: ignore[operator]
    before = film.path.read_bytes() if film.path.is_file() else None
    journal = film.log.read_bytes()
    with pytest.raises(ProjectError, match=r"film\.mp4") as caught:
        Film(film.path.parent)
    assert "\n" not in str(caught.value)
    assert film.log.read_bytes() == journal
    assert (film.path.read_bytes() if film.path.is_file() else None) == before


def gap(records: list[Record]) -> None:
    del records[2]


def shifted(records: list[Record]) -> None:
    records[-1]["offset"] += 1


def from_the_future(records: list[Record]) -> None:
    records[-1]["subtitles"] = 3


@pytest.mark.parametrize("change", [gap, shifted, from_the_future])
def test_records_that_contradict_each_other_are_refused(tmp_path: Path, change: object) -> None:
    film = Film(tmp_path)
    for _ in range(3):
        film.add()
    film.close()
    records = read_journal(film.log)
    change(records)  # type: ignore[operator]
    film.log.unlink()
    journal = Journal.create(film.log)
    for record in records:
        journal.append(record)
    before = film.path.read_bytes()
    with pytest.raises(ProjectError, match="journal"):
        FilmStore.open(film.path, journal)
    assert film.path.read_bytes() == before
    journal.close()


def test_a_segment_of_another_stream_is_refused_and_changes_nothing(film: Film) -> None:
    again = Film(film.path.parent)
    before = film.bytes()
    taller = encoding(size=(160, 98))
    picture = next(frames(0, 1)).repeat(2, axis=0)[:147]
    other = encode_segment([picture.copy()], taller, first_frame=20, index=4)
    with pytest.raises(ProjectError, match="another stream"):
        again.store.append(other)
    assert film.bytes() == before
    again.add()
    again.close()


# lengthened


def test_a_finished_film_can_be_lengthened_as_if_it_had_never_ended(tmp_path: Path) -> None:
    folders = [tmp_path / "longer", tmp_path / "one go"]
    films = []
    for folder in folders:
        folder.mkdir()
        film = Film(folder)
        film.add(8)
        if folder == folders[0]:
            film.add(1, closing=True)
            assert film.store.finished
            assert (film.store.intervals, film.store.next_segment) == (1, 2)
            with pytest.raises(ValueError, match="drop_closing"):
                film.add()
            film.store.drop_closing()
            assert (film.store.finished, film.store.frames) == (False, 8)
            assert film.path.stat().st_size == film.store.size
        film.add(8)
        film.add(1, closing=True)
        film.close()
        films.append(film.bytes())
    assert films[0] == films[1]
    assert decode(folders[0] / "film.mp4") == exact(0, 17, Fraction(30))


def test_reopening_keeps_what_others_wrote_behind_the_closing_segment(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.add()
    film.add(1, closing=True)
    film.journal.append({"type": "steer", "prompt": "on"})
    film.store.drop_closing()
    assert [record["type"] for record in film.journal.records] == ["header", "segment", "steer"]
    film.close()


def test_killed_between_the_two_steps_of_reopening_the_film_is_repaired(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.add()
    end = film.store.size
    film.add(1, closing=True)
    film.journal.remove([len(film.journal.records) - 1])
    film.close()
    film = Film(tmp_path)
    assert film.path.stat().st_size == film.store.size == end
    film.close()


# no space left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no permission to mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(film: Film) -> str:
    """Adds segments until the disk is full; gives the message."""
    with pytest.raises(StorageError) as caught:
        deque((film.add() for _ in range(500)), maxlen=0)
    return str(caught.value)


def test_a_full_disk_is_named_the_film_plays_and_goes_on_to_the_same_bytes(
    small_disk: Path, tmp_path: Path
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    film = Film(small_disk)
    message = fill(film)
    assert "no space left" in message
    assert "zoomtui resume" in message
    assert "\n" not in message
    assert film.path.stat().st_size == film.store.size
    frames_before = film.store.frames
    assert decode(film.path) == exact(0, frames_before, Fraction(30))
    assert committed(read_journal(film.log)) == film.store.segments
    assert message == fill(film)  # and again, without any loss
    assert film.store.frames == frames_before
    ballast.unlink()
    film.add()
    film.close()
    film = Film(small_disk)
    film.add()
    film.close()

    one_go = tmp_path / "one go"
    one_go.mkdir()
    other = Film(one_go)
    while other.store.frames < frames_before + 10:
        other.add()
    other.close()
    assert film.bytes() == other.bytes()


def test_a_disk_that_is_full_for_the_journal_alone_takes_the_film_back_too(
    small_disk: Path, tmp_path: Path
) -> None:
    journal = Journal.create(small_disk / "journal.jsonl")
    store = FilmStore.open(tmp_path / "film.mp4", journal)
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(2**20))
    first = encode_segment(frames(0, 5), encoding(), first_frame=0, index=0)
    with pytest.raises(StorageError, match=r"journal\.jsonl"):
        store.append(first)
    assert (tmp_path / "film.mp4").stat().st_size == 0
    assert read_journal(small_disk / "journal.jsonl") == []
    ballast.unlink()
    store.append(first)
    assert decode(tmp_path / "film.mp4") == exact(0, 5, Fraction(30))
    store.close()
    journal.close()


@pytest.mark.parametrize("limit", [5_000, *slower([1, 500, 100_000])])
def test_a_file_size_limit_is_a_full_disk_too(tmp_path: Path, limit: int) -> None:
    folder, one_go = tmp_path / "limited", tmp_path / "one go"
    folder.mkdir()
    one_go.mkdir()
    with start(folder, "40", LIMIT=str(limit)) as writer:
        _, message = writer.communicate()
    assert writer.returncode == StorageError.exit_code
    assert "no space left" in message
    assert "\n" not in message
    segments = committed(read_journal(folder / "journal.jsonl"))
    if segments:
        end = segments[-1].first_frame + segments[-1].frames
        assert decode(folder / "film.mp4") == exact(0, end, Fraction(30))
    with start(folder, "20") as writer:
        assert writer.wait() == 0
    write(one_go, 20)
    assert hashes(folder) == hashes(one_go)


def test_a_store_leaves_no_file_open(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.add()
    film.close()
    before = psutil.Process().num_fds()
    for _ in range(50):
        Film(tmp_path).close()
    film.path.unlink()
    for _ in range(50):
        journal = Journal.open(film.log)
        with pytest.raises(ProjectError):
            FilmStore.open(film.path, journal)
        journal.close()
    assert psutil.Process().num_fds() == before
