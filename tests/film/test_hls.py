"""Playlists: a window that slides, a whole that grows, and never a byte that is not committed."""

from __future__ import annotations

import os
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from renderer.errors import StorageError
from renderer.film.encode import encode_segment
from renderer.film.hls import LIVE, MOST, PAGE, WATCH, WINDOW, Playlists
from renderer.film.records import REWIND, Segment
from renderer.film.store import FilmStore
from renderer.journal import Journal
from tests.export.barcode import HEIGHT, WIDTH, decode, decode_with_ffmpeg, encoding, exact
from tests.film.writer import LENGTHS, write

HEADER = 818


def segments(count: int, frames: int = 60, *, closing: bool = False) -> list[Segment]:
    made, offset = [], HEADER
    for index in range(count):
        last = closing and index == count - 1
        length = 1000 + index % 7
        made.append(Segment(index, index * frames, 1 if last else frames, offset, length, 0, last))
        offset += length
    return made


def ranges(text: str) -> list[tuple[int, int]]:
    """(offset, length) of each segment listed."""
    found = re.findall(r"^#EXT-X-BYTERANGE:(\d+)@(\d+)$", text, re.MULTILINE)
    return [(int(offset), int(length)) for length, offset in found]


def tag(text: str, name: str) -> str:
    found = re.findall(rf"^#{name}:(.*)$", text, re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def written(
    folder: Path, made: list[Segment], fps: int = 30, *, finished: bool = False
) -> list[str]:
    Playlists(folder, "film.mp4", Fraction(fps)).write(made, HEADER, finished=finished)
    return [(folder / name).read_text() for name in (LIVE, WATCH)]


def test_before_the_first_segment_there_is_no_playlist(tmp_path: Path) -> None:
    Playlists(tmp_path, "film.mp4", Fraction(30)).write([], HEADER, finished=False)
    assert list(tmp_path.iterdir()) == []


def test_the_whole_film_lists_every_segment_in_the_order_of_the_file(tmp_path: Path) -> None:
    made = segments(1200)
    _, watch = written(tmp_path, made)
    assert ranges(watch) == [(segment.offset, segment.length) for segment in made]
    assert tag(watch, "EXT-X-PLAYLIST-TYPE") == "EVENT"
    assert tag(watch, "EXT-X-START") == "TIME-OFFSET=0"
    assert tag(watch, "EXT-X-MEDIA-SEQUENCE") == "0"
    assert tag(watch, "EXT-X-MAP") == f'URI="film.mp4",BYTERANGE="{HEADER}@0"'
    assert watch.count("\nfilm.mp4\n") == 1200
    assert "ENDLIST" not in watch


def test_the_window_is_the_last_half_hour_and_says_where_it_begins(tmp_path: Path) -> None:
    made = segments(1200)
    live, _ = written(tmp_path, made)
    count = WINDOW // 2
    assert ranges(live) == [(segment.offset, segment.length) for segment in made[-count:]]
    assert tag(live, "EXT-X-MEDIA-SEQUENCE") == str(1200 - count)
    assert "PLAYLIST-TYPE" not in live


def test_a_window_holds_at_least_one_segment_however_long(tmp_path: Path) -> None:
    live, _ = written(tmp_path, segments(3, frames=WINDOW * 60))
    assert len(ranges(live)) == 1


def test_durations_are_exact_and_within_the_target(tmp_path: Path) -> None:
    made = segments(4, closing=True)
    Playlists(tmp_path, "film.mp4", Fraction(24000, 1001)).write(made, HEADER, finished=True)
    watch = (tmp_path / WATCH).read_text()
    durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", watch)]
    assert durations == [2.5025, 2.5025, 2.5025, 0.041708]
    assert int(tag(watch, "EXT-X-TARGETDURATION")) == 3


def test_a_finished_film_is_marked_in_both_at_the_end(tmp_path: Path) -> None:
    for text in written(tmp_path, segments(5, closing=True), finished=True):
        assert text.endswith("film.mp4\n#EXT-X-ENDLIST\n")


def test_a_window_of_short_segments_holds_no_more_than_any(tmp_path: Path) -> None:
    live, _ = written(tmp_path, segments(MOST + 50, frames=3))
    assert tag(live, "EXT-X-MEDIA-SEQUENCE") == "50"
    assert len(ranges(live)) == MOST


@pytest.fixture
def appended(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is written at one stroke to a file that is open to be appended to."""
    strokes: list[bytes] = []
    write = os.write

    def watched(handle: int, data: bytes) -> int:
        strokes.append(data)
        return write(handle, data)

    monkeypatch.setattr(os, "write", watched)
    return strokes


def test_a_segment_adds_its_entry_at_one_stroke_and_nothing_is_written_again(
    tmp_path: Path, appended: list[bytes]
) -> None:
    playlists, made = Playlists(tmp_path, "film.mp4", Fraction(30)), segments(3000)
    playlists.write(made[:1000], HEADER, finished=False)
    file = (tmp_path / WATCH).stat().st_ino
    assert appended == []
    for count in range(1001, 1200):
        playlists.write(made[:count], HEADER, finished=False)
        text = (tmp_path / WATCH).read_text()
        assert text.endswith("\nfilm.mp4\n")
        assert ranges(text) == [(each.offset, each.length) for each in made[:count]]
    assert len(appended) == 199
    assert max(map(len, appended)) < 200
    assert (tmp_path / WATCH).stat().st_ino == file
    longer = [*made[:1200], replace(made[1200], frames=90)]
    playlists.write(longer, HEADER, finished=False)
    assert (tmp_path / WATCH).stat().st_ino != file
    assert tag((tmp_path / WATCH).read_text(), "EXT-X-TARGETDURATION") == "3"


def test_no_entry_lies_on_two_pages_so_that_a_reader_sees_whole_ones(
    tmp_path: Path, appended: list[bytes]
) -> None:
    playlists, made = Playlists(tmp_path, "film.mp4", Fraction(30)), segments(600)
    for count in range(1, 601):
        playlists.write(made[:count], HEADER, finished=False)
    whole = (tmp_path / WATCH).read_bytes()
    assert len(whole) > 8 * PAGE
    for end in range(PAGE, len(whole), PAGE):
        seen = whole[:end].decode()
        lines = [line for line in seen.splitlines() if line.strip("#")]
        assert lines[-1] == "film.mp4"
        assert ranges(seen) == [(each.offset, each.length) for each in made[: len(ranges(seen))]]


@pytest.mark.parametrize(
    "harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"#EXTM3U\n")]
)
def test_a_playlist_that_someone_else_has_changed_is_made_whole_again(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    playlists, made = Playlists(tmp_path, "film.mp4", Fraction(30)), segments(9)
    playlists.write(made[:8], HEADER, finished=False)
    harm(tmp_path / WATCH)
    playlists.write(made, HEADER, finished=False)
    assert len(ranges((tmp_path / WATCH).read_text())) == 9


def test_what_is_taken_back_leaves_the_playlist_and_what_follows_is_added(tmp_path: Path) -> None:
    playlists, made = Playlists(tmp_path, "film.mp4", Fraction(30)), segments(9, closing=True)
    playlists.write(made, HEADER, finished=True)
    playlists.write(made[:4], HEADER, finished=False)
    assert "ENDLIST" not in (tmp_path / WATCH).read_text()
    other = [*made[:4], replace(made[4], length=77)]
    playlists.write(other, HEADER, finished=False)
    playlists.write(other, HEADER, finished=True)
    playlists.write(other, HEADER, finished=True)
    text = (tmp_path / WATCH).read_text()
    assert ranges(text) == [(each.offset, each.length) for each in other]
    assert text.endswith("film.mp4\n#EXT-X-ENDLIST\n")
    assert text.count("ENDLIST") == 1


def test_a_full_disk_leaves_no_part_of_an_entry(tmp_path: Path) -> None:
    playlists, made = Playlists(tmp_path, "film.mp4", Fraction(30)), segments(MOST * 2)
    playlists.write(made[:-1], HEADER, finished=False)
    before = (tmp_path / WATCH).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(StorageError, match=r"watch\.m3u8"):
            playlists.write(made, HEADER, finished=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / WATCH).read_bytes() == before
    playlists.write(made, HEADER, finished=False)
    assert len(ranges((tmp_path / WATCH).read_text())) == len(made)


def test_an_odd_file_name_is_escaped(tmp_path: Path) -> None:
    odd = Playlists(tmp_path, 'my "film" 1%.mp4', Fraction(30))
    odd.write(segments(1), HEADER, finished=False)
    assert "\nmy%20%22film%22%201%25.mp4\n" in (tmp_path / LIVE).read_text()


def test_a_full_disk_is_told_and_leaves_the_old_playlists(tmp_path: Path) -> None:
    before = written(tmp_path, segments(3))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StorageError, match=r"live\.m3u8"):
            written(tmp_path, segments(4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(tmp_path / name).read_text() for name in (LIVE, WATCH)] == before
    assert sorted(file.name for file in tmp_path.iterdir()) == [LIVE, WATCH]


def test_players_see_every_frame_through_both_playlists(tmp_path: Path) -> None:
    store = write(tmp_path, 9)
    total = sum(LENGTHS[index % len(LENGTHS)] for index in range(8)) + 1
    for name in (LIVE, WATCH):
        text = (tmp_path / name).read_text()
        assert sum(ranges(text)[-1]) == store.size == (tmp_path / "film.mp4").stat().st_size
        assert decode(tmp_path / name) == exact(0, total, Fraction(30))
        if shutil.which("ffmpeg"):
            assert decode_with_ffmpeg(tmp_path / name) == list(range(total))


# ----------------------------------------------------------------------- while it is rewound

LENGTH = 12
"""Frames of a segment."""


def grow(playlists: Playlists, store: FilmStore, *, to: int, seed: int) -> None:
    """Segments of noise, too large for a player to read one at a stroke; published each time."""
    how = encoding(preset="veryfast")
    for index in range(store.next_segment, to):
        noise = np.random.default_rng((seed, index))
        size = (HEIGHT * 3 // 2, WIDTH)
        pictures = (noise.integers(16, 236, size, np.uint8) for _ in range(LENGTH))
        store.append(encode_segment(pictures, how, first_frame=store.frames, index=index))
        playlists.write(store.segments, store.header_length, finished=False)


def packets(path: Path, **options: str) -> Iterator[bytes]:
    with av.open(str(path), options=options) as film:
        for packet in film.demux(video=0):
            if packet.size:
                yield bytes(packet)


def watched(folder: Path) -> Iterator[bytes]:
    """What a player sees that follows the film from its start, at half its speed at the most."""
    for packet in packets(folder / WATCH, live_start_index="0"):
        time.sleep(float(2 / encoding().fps))  # also where it was held up: it never catches up
        yield packet


def test_a_player_in_the_middle_of_what_is_taken_back_goes_on_in_the_new_film(
    tmp_path: Path,
) -> None:
    segment = 3
    journal = Journal.create(tmp_path / "journal.jsonl")
    store = FilmStore.open(tmp_path / "film.mp4", journal)
    playlists = Playlists(tmp_path, "film.mp4", encoding().fps)
    grow(playlists, store, to=6, seed=1)
    before = list(packets(tmp_path / "film.mp4"))
    player = watched(tmp_path)
    seen = [next(player) for _ in range(segment * LENGTH + LENGTH // 2)]
    store.rewind({"type": REWIND, "keyframe": 3})
    playlists.write(store.segments, store.header_length, finished=False)
    seen += [next(player) for _ in range(LENGTH // 2)]
    grow(playlists, store, to=6, seed=2)
    playlists.write(store.segments, store.header_length, finished=True)
    store.close()
    after = list(packets(tmp_path / "film.mp4"))
    assert before[: 2 * LENGTH] == after[: 2 * LENGTH]
    assert before[2 * LENGTH] != after[2 * LENGTH]
    there = (segment + 1) * LENGTH
    assert [*seen, *player] == before[:there] + after[there:]
