"""Playlists: a window that slides, a whole that grows, and never a byte that is not committed."""

from __future__ import annotations

import re
import resource
import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from renderer.errors import StorageError
from renderer.film.encode import encode_segment
from renderer.film.hls import EVERY, LIVE, WATCH, WINDOW, write_playlists
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
    write_playlists(folder, "film.mp4", made, HEADER, Fraction(fps), finished)
    return [(folder / name).read_text() for name in (LIVE, WATCH)]


def test_before_the_first_segment_there_is_no_playlist(tmp_path: Path) -> None:
    write_playlists(tmp_path, "film.mp4", [], HEADER, Fraction(30), False)
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
    write_playlists(tmp_path, "film.mp4", made, HEADER, Fraction(24000, 1001), True)
    watch = (tmp_path / WATCH).read_text()
    durations = [float(d) for d in re.findall(r"#EXTINF:([\d.]+),", watch)]
    assert durations == [2.5025, 2.5025, 2.5025, 0.041708]
    assert int(tag(watch, "EXT-X-TARGETDURATION")) == 3


def test_a_finished_film_is_marked_in_both_at_the_end(tmp_path: Path) -> None:
    for text in written(tmp_path, segments(5, closing=True), finished=True):
        assert text.endswith("film.mp4\n#EXT-X-ENDLIST\n")


def test_the_whole_of_a_very_long_film_is_written_now_and_then_and_at_the_end(
    tmp_path: Path,
) -> None:
    made = segments(EVERY * 3 + 2)
    counts = []
    for count in (EVERY * 3, EVERY * 3 + 1, EVERY * 3 + 2):
        live, watch = written(tmp_path, made[:count])
        assert ranges(live)[-1] == (made[count - 1].offset, made[count - 1].length)
        counts.append(len(ranges(watch)))
    assert counts == [EVERY * 3] * 3
    write_playlists(tmp_path, "film.mp4", made, HEADER, Fraction(30), False, everything=True)
    assert len(ranges((tmp_path / WATCH).read_text())) == len(made)


def test_an_odd_file_name_is_escaped(tmp_path: Path) -> None:
    write_playlists(tmp_path, 'my "film" 1%.mp4', segments(1), HEADER, Fraction(30), False)
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


def grow(folder: Path, store: FilmStore, *, to: int, seed: int) -> None:
    """Segments of noise, too large for a player to read one at a stroke; published each time."""
    how = encoding(preset="veryfast")
    for index in range(store.next_segment, to):
        noise = np.random.default_rng((seed, index))
        size = (HEIGHT * 3 // 2, WIDTH)
        pictures = (noise.integers(16, 236, size, np.uint8) for _ in range(LENGTH))
        store.append(encode_segment(pictures, how, first_frame=store.frames, index=index))
        publish(folder, store)


def publish(folder: Path, store: FilmStore, *, finished: bool = False) -> None:
    fps = encoding().fps
    write_playlists(folder, "film.mp4", store.segments, store.header_length, fps, finished)


def packets(path: Path, **options: str) -> Iterator[bytes]:
    with av.open(str(path), options=options) as film:
        for packet in film.demux(video=0):
            if packet.size:
                yield bytes(packet)


def watched(folder: Path) -> Iterator[bytes]:
    """What a player sees that follows the film from its start, at half its speed."""
    began = time.monotonic()
    playing = packets(folder / WATCH, live_start_index="0")
    for number, packet in enumerate(playing):
        time.sleep(max(0.0, began + number * 2 / encoding().fps - time.monotonic()))
        yield packet


def test_a_player_in_the_middle_of_what_is_taken_back_goes_on_in_the_new_film(
    tmp_path: Path,
) -> None:
    segment = 3
    journal = Journal.create(tmp_path / "journal.jsonl")
    store = FilmStore.open(tmp_path / "film.mp4", journal)
    grow(tmp_path, store, to=6, seed=1)
    before = list(packets(tmp_path / "film.mp4"))
    player = watched(tmp_path)
    seen = [next(player) for _ in range(segment * LENGTH + LENGTH // 2)]
    store.rewind({"type": REWIND, "keyframe": 3})
    publish(tmp_path, store)
    seen += [next(player) for _ in range(LENGTH // 2)]
    grow(tmp_path, store, to=6, seed=2)
    publish(tmp_path, store, finished=True)
    store.close()
    after = list(packets(tmp_path / "film.mp4"))
    assert before[: 2 * LENGTH] == after[: 2 * LENGTH]
    assert before[2 * LENGTH] != after[2 * LENGTH]
    there = (segment + 1) * LENGTH
    assert [*seen, *player] == before[:there] + after[there:]
