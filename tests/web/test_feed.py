"""What browsers are told, and what they cost: one connection to the engine, and none by itself."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from renderer.project.status import read_status
from renderer.service.revise import revise
from tests.cli.engines import engine, make_project, until
from tests.service.viewers import viewer
from tests.web.serving import address, serving
from zoomtui.web.feed import Feed, Parts


def test_a_browser_is_told_all_and_then_what_has_changed(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 3, prompt="a <b>reef</b>", keyframes=9)
    with (
        engine(folder),
        serving(folder, cwd=tmp_path) as server,
        server.events(f"{address(folder)}/events") as told,
    ):
        known = next(each for each in told if each["keyframes"] == 3)
        assert known["prompt"] == "a <b>reef</b>"
        assert known["count"] == "3/9"
        known = next(each for each in told if each["state"]["live"] and each["step"])
        assert known["state"]["word"] == "● RENDERING"
        asyncio.run(revise(folder, "mark", keyframe=1, note="an <i>island</i>"))
        known = next(each for each in told if each["marks"])
        assert known["marks"] == {"1": "an <i>island</i>"}


@pytest.mark.slow
def test_fifty_browsers_are_one_viewer_and_none_is_none(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)

    def watching() -> int:
        with viewer(folder) as own:
            return int(own.hear("snapshot")["state"]["viewers"])

    with engine(folder), serving(cwd=tmp_path) as server:
        browsers = []
        for _ in range(50):
            browser = socket.create_connection(("127.0.0.1", server.port))
            browser.sendall(server.request(f"{address(folder)}/events"))
            assert browser.recv(12) == b"HTTP/1.1 200"
            browsers.append(browser)
        until(lambda: watching() == 1, "one viewer for all of them")
        for browser in browsers:
            browser.close()
        until(lambda: watching() == 0, "no viewer without a browser")


def test_the_list_tells_of_all_renders_and_only_one_where_one_is_served(
    rendered: tuple[Path, Any], tmp_path: Path, empty_state: Path
) -> None:
    folder = make_project(tmp_path / "wait.zoom")
    state = {"XDG_STATE_HOME": str(empty_state)}
    with serving(cwd=tmp_path, **state) as server, server.events("/events") as told:
        (row,) = next(told)["renders"]
        assert (row["name"], row["word"], row["picture"]) == ("wait", "■ stopped", "")
        assert server.ask(address(folder)).status == 200
        assert server.ask(address(rendered[0])).status == 404
    with serving(folder, cwd=tmp_path, **state) as server:
        assert server.ask("/").headers["location"] == address(folder)
        assert server.ask("/events").status == 404


def test_one_that_reads_slowly_skips_what_came_between() -> None:
    heard_one, given = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[Parts]:
        for number in range(1000):
            yield {"number": number, "same": "x"}
            await heard_one.wait()
        given.set()
        await asyncio.Event().wait()

    async def follow() -> list[dict[str, Any]]:
        feed, heard = Feed(source), []
        following = feed.follow()
        async for line in following:
            if line.startswith(b"data: "):
                heard.append(json.loads(line[6:]))
                heard_one.set()
                await given.wait()
                if heard[-1]["number"] == 999:
                    feed.end()
        return heard

    assert asyncio.run(follow()) == [{"number": 0, "same": "x"}, {"number": 999}]


def test_the_source_runs_only_while_a_browser_follows() -> None:
    running: list[bool] = []

    async def source() -> AsyncIterator[Parts]:
        running.append(True)
        try:
            while True:
                yield {"at": time.monotonic()}
                await asyncio.sleep(0)
        finally:
            running.pop()

    async def come_and_go() -> None:
        feed = Feed(source)
        assert not running
        for _ in range(2):
            one, other = feed.follow(), feed.follow()
            for each in (one, other):
                await anext(each)
                await anext(each)
            assert len(running) == 1
            await one.aclose()
            assert len(running) == 1
            await other.aclose()
            while running:
                await asyncio.sleep(0)

    asyncio.run(come_and_go())


@pytest.mark.slow
def test_readers_that_stop_hold_up_neither_others_nor_the_engine(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", keyframes=60)
    with serving(folder, cwd=tmp_path) as server:
        stalled = []
        for _ in range(20):
            browser = socket.create_connection(("127.0.0.1", server.port))
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            browser.sendall(server.request(f"{address(folder)}/events"))
            stalled.append(browser)
        with engine(folder), server.events(f"{address(folder)}/events") as told:
            last = next(each for each in told if each["keyframes"] == 60)
            assert last["count"] == "60/60"
        assert read_status(folder).keyframes == 60
        for browser in stalled:
            browser.close()
