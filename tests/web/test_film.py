"""The film over HTTP: ranges to the byte, playlists that grow, and what a rewind does to both."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import av
import pytest

from renderer.film.records import FilmRecords
from renderer.journal import read_journal
from renderer.project.records import FILM, JOURNAL
from renderer.service.revise import revise
from tests.cli.engines import engine, make_project, running, until
from tests.web.serving import Served, address, serving
from zoomtui.web.film import wanted

Both = tuple[Served, Path]


def newest(server: Served, folder: Path, name: str) -> str:
    """Where it is now."""
    answer = server.ask(f"{address(folder)}/{name}")
    assert answer.status == 307, answer.text
    return f"{address(folder)}/{answer.headers['location']}"


def ranges(playlist: str) -> list[tuple[int, int]]:
    """(offset, length) of each segment."""
    found = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", playlist)
    return [(int(offset), int(length)) for length, offset in found]


def recorded(folder: Path) -> FilmRecords:
    return FilmRecords(read_journal(folder / JOURNAL))


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("", None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=99-99", (99, 100)),
        ("bytes=10-1000", (10, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("BYTES = 5-6", (5, 7)),
        *((text, None) for text in (
            "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,4-5", "items=0-1",
            "bytes 0-1", "bytes=+1-2", "bytes=1-²", "bytes=0x1-2", "bytes=--1",
            f"bytes=0-{'9' * 5000}",
        )),
    ],
)  # fmt: skip
def test_which_bytes_are_asked_for(asked: str, part: tuple[int, int] | None) -> None:
    assert wanted(asked, 100) == part


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999-1000"])
def test_what_begins_after_the_end_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="bytes"):
        wanted(asked, 100)


def test_parts_of_the_film_are_the_films_own_bytes(served: Both) -> None:
    server, folder = served
    film, where = (folder / FILM).read_bytes(), newest(server, folder, "film.mp4")
    whole = server.ask(where)
    assert (whole.status, whole.body, whole.headers["accept-ranges"]) == (200, film, "bytes")
    for asked, start, stop in (("0-9", 0, 10), ("100-", 100, len(film)), ("-7", -7, len(film))):
        answer = server.ask(where, range=f"bytes={asked}")
        first = start % len(film)
        assert (answer.status, answer.body) == (206, film[start:stop])
        assert answer.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(film)}"
        head = server.ask(where, "HEAD", range=f"bytes={asked}")
        assert (head.status, head.body) == (206, b"")
        assert head.headers["content-length"] == str(len(answer.body))
    answer = server.ask(where, range=f"bytes={len(film)}-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(film)}")


def test_a_part_goes_on_only_with_what_it_is_a_part_of(served: Both) -> None:
    server, folder = served
    where = newest(server, folder, "film.mp4")
    tag = server.ask(where, "HEAD").headers["etag"]
    assert server.ask(where, range="bytes=5-9", if_range=tag).status == 206
    assert server.ask(where, range="bytes=5-9", if_range='"another"').status == 200


def test_the_playlist_lists_the_journals_segments(served: Both) -> None:
    server, folder = served
    answer = server.ask(newest(server, folder, "watch.m3u8"))
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "#EXT-X-ENDLIST" in answer.text
    assert ranges(answer.text) == [(each.offset, each.length) for each in recorded(folder).segments]
    again = server.ask(newest(server, folder, "watch.m3u8"), if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_what_stands_in_the_projects_own_playlist_is_not_passed_on(served: Both) -> None:
    server, folder = served
    (folder / "watch.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://evil.example/film.mp4\n")
    assert "evil" not in server.ask(newest(server, folder, "watch.m3u8")).text


def test_a_keyframe_is_sent_small_large_and_as_it_is(served: Both) -> None:
    server, folder = served
    for size, kind, begin in (
        ("small", "image/jpeg", b"\xff\xd8"),
        ("large", "image/jpeg", b"\xff\xd8"),
        ("full", "image/png", (folder / "keyframes" / "000001.png").read_bytes()),
    ):
        answer = server.ask(f"{address(folder)}/keyframe/1/1/{size}")
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.body.startswith(begin)
        tag = answer.headers["etag"]
        assert server.ask(f"{address(folder)}/keyframe/1/1/{size}", if_none_match=tag).status == 304


def test_charts_and_metrics_are_drawn_from_the_journal(served: Both) -> None:
    server, folder = served
    answer = server.ask(f"{address(folder)}/chart/seconds")
    assert (answer.headers["content-type"], answer.text[:4]) == ("image/svg+xml", "<svg")
    answer = server.ask(f"/metrics?token={server.token}", authorization="")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert f'zoomtui_keyframes_total{{project="{folder}"}} 3.0' in answer.text


def test_a_film_that_grows_and_is_taken_back(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 12, keyframes=40)
    with engine(folder), serving(folder, cwd=tmp_path) as server:
        until(lambda: len(recorded(folder).segments) == 11, "eleven segments")
        watch, film = (newest(server, folder, name) for name in ("watch.m3u8", "film.mp4"))
        before = server.ask(watch).text
        assert len(ranges(before)) == 11
        assert "#EXT-X-ENDLIST" not in before
        shorter = server.ask(f"{watch}?_HLS_skip=YES").text  # target duration: 1 s; 12 are told
        assert len(ranges(shorter)) + _skipped(shorter) == 11

        asyncio.run(revise(folder, "rewind", keyframe=5))
        until(lambda: len(recorded(folder).segments) < 11, "it was taken back")
        for old in (watch, film):
            assert server.ask(old).status == 404
        after = server.ask(newest(server, folder, "watch.m3u8")).text
        assert ranges(after) == ranges(before)[: len(ranges(after))]
        whole = server.ask(newest(server, folder, "film.mp4")).body
        assert whole == (folder / FILM).read_bytes()[: len(whole)]


def _skipped(playlist: str) -> int:
    return sum(map(int, re.findall(r"SKIPPED-SEGMENTS=(\d+)", playlist)))


@pytest.mark.slow
def test_a_player_puts_together_what_it_had_and_what_is_new(tmp_path: Path) -> None:
    folder = make_project(
        tmp_path / "a.zoom", "endless", 30, keyframes=40, frames_per_keyframe=30
    )  # a second each
    with engine(folder), serving(folder, cwd=tmp_path) as server:
        until(lambda: len(recorded(folder).segments) == 29, "all segments")
        watch = newest(server, folder, "watch.m3u8")
        whole, rest = server.ask(watch).text, server.ask(f"{watch}?_HLS_skip=YES").text
        assert _skipped(rest) == 17
        assert ranges(whole)[17:] == ranges(rest)
        assert "CAN-SKIP-UNTIL=12" in whole


@pytest.mark.slow
def test_no_byte_of_an_old_film_is_sent_as_a_new_ones(tmp_path: Path) -> None:
    folder = make_project(
        tmp_path / "a.zoom",
        "grainy",
        keyframes=8,
        frames_per_keyframe=20,
        size="320x320",
        keyframe_size="320x320",
        crf=1,
    )
    with engine(folder):
        until(lambda: recorded(folder).finished, "finished")
    until(lambda: not running(folder), "the engine has gone")
    with serving(folder, cwd=tmp_path) as server:
        film = newest(server, folder, "film.mp4")
        size = int(server.ask(film, "HEAD").headers["content-length"])
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(server.request(film))
            assert slow.recv(16).startswith(b"HTTP/1.1 200")
            asyncio.run(revise(folder, "rewind", keyframe=2))
            received = 0
            while part := slow.recv(65536):
                received += len(part)
        assert size > 4 << 20, "more than the system keeps for a reader"
        assert received < size  # it was cut off, and not filled up with something else
        with av.open(folder / FILM) as left:
            assert sum(1 for _ in left.decode(video=0)) == 20
