"""A thousand viewers at once, of all manners: the film is the same, and no reply is lost."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from renderer.project import registry
from renderer.project.status import State, read_status
from tests.cli.engines import engine, make_project, running, soon, until
from tests.cli.processes import zoomtui
from tests.engine.runs import digest

COMMANDS = 300
"""Of each viewer that floods the engine."""
PROJECT = {"keyframes": 40, "frames_per_keyframe": 2}


@pytest.fixture(scope="module", autouse=True)
def _many_files() -> None:
    """This process holds the other end of every connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 3000:
        pytest.skip(f"only {hard} files may be open here")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the film that no viewer watches."""
    folder = make_project(tmp_path_factory.mktemp("calm") / "a.zoom", **PROJECT)
    with engine(folder):
        until(lambda: read_status(folder).state is State.FINISHED, "finished")
    return digest(folder)


class Guest:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.first = self.last = b""
        """Lines."""
        self.replies: list[dict[str, Any]] = []

    def say(self, **message: Any) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def listen(self) -> None:
        """To the end; a connection is reset where the engine ends before it has read all."""
        with suppress(ConnectionResetError):
            while line := await self._reader.readline():
                self.first, self.last = self.first or line, line
                if line.startswith(b'{"type":"reply"'):
                    self.replies.append(json.loads(line))

    async def flood(self) -> None:
        """As fast as it is let; the last word is to go on."""
        for number in range(COMMANDS - 1):
            self.say(id=number, **FLOOD[number % len(FLOOD)])
            await self._writer.drain()
        self.say(id=COMMANDS - 1, command="unpause")


FLOOD: list[dict[str, Any]] = [
    {"command": "pause"},
    {"command": "unpause"},
    {"command": "steer", "changes": {"prompt": "a reef"}},  # as it is
    {"command": "steer", "changes": {"fps": "25"}},
    {"command": "undo"},
    {"command": "dance"},
]


@asynccontextmanager
async def guests(folder: Path, count: int) -> AsyncIterator[list[Guest]]:
    """That many, who come at the same moment."""
    path = os.fspath(registry.socket_path(folder))
    async with AsyncExitStack() as ends:
        come = await asyncio.gather(
            *(asyncio.open_unix_connection(path, limit=1 << 24) for _ in range(count))
        )
        for _, writer in come:
            ends.callback(writer.close)
        yield [Guest(reader, writer) for reader, writer in come]


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [100, 1000])
def test_a_crowd_changes_no_byte_and_hears_every_reply(
    tmp_path: Path, calm: str, crowd: int
) -> None:
    folder = make_project(tmp_path / "a.zoom", **PROJECT)

    async def party() -> None:
        async with guests(folder, crowd) as all_guests:
            readers, deaf = all_guests[: crowd // 2], all_guests[crowd // 2 : -crowd // 10]
            flooders = all_guests[-crowd // 10 :]
            for guest in (*readers, *deaf[::2]):  # the others never say anything either
                guest.say(command="watch")
            listening = [asyncio.create_task(guest.listen()) for guest in (*readers, *flooders)]
            await asyncio.gather(*(guest.flood() for guest in flooders))
            await soon(lambda: read_status(folder).state is State.FINISHED, "finished")
            await soon(lambda: all(task.done() for task in listening), "the engine has ended")
            await asyncio.gather(*listening)
            for guest in flooders:
                numbers = [reply["id"] for reply in guest.replies]
                assert numbers == list(range(len(numbers)))
            for guest in readers:
                assert json.loads(guest.first)["type"] == "snapshot"
                assert json.loads(guest.last)["event"] == "RenderFinished"

    with engine(folder):
        asyncio.run(party())
    assert digest(folder) == calm


@pytest.mark.slow
def test_commands_are_all_answered_by_an_engine_that_stays(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)

    async def flood() -> None:
        async with guests(folder, 20) as flooders:
            listening = [asyncio.create_task(guest.listen()) for guest in flooders]
            await asyncio.gather(*(guest.flood() for guest in flooders))
            await soon(
                lambda: all(len(guest.replies) == COMMANDS for guest in flooders), "all replies"
            )
            for guest in flooders:
                assert [reply["id"] for reply in guest.replies] == list(range(COMMANDS))
                allowed = [reply["ok"] for reply in guest.replies[: len(FLOOD)]]
                assert allowed == [True, True, True, False, False, False]
            for task in listening:
                task.cancel()

    with engine(folder):
        asyncio.run(flood())


@pytest.mark.slow
def test_an_export_is_the_same_while_viewers_flood_its_engine(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=3)
    line = ("export", "--direction", "in", str(folder))

    async def flood() -> None:
        async with guests(folder, 20) as flooders:
            listening = [asyncio.create_task(guest.listen()) for guest in flooders]
            exporting = asyncio.create_task(
                asyncio.to_thread(zoomtui, *line, "flooded.mp4", cwd=tmp_path)
            )
            floods = 0
            while not exporting.done():
                await asyncio.gather(*(guest.flood() for guest in flooders))
                floods += 1
            assert exporting.result().code == 0, exporting.result()
            await soon(
                lambda: all(len(guest.replies) == COMMANDS * floods for guest in flooders),
                "all replies",
            )
            for task in listening:
                task.cancel()

    with engine(folder):
        until(lambda: read_status(folder).keyframes == 3, "it paints the fourth keyframe")
        asyncio.run(flood())
        assert zoomtui(*line, "calm.mp4", cwd=tmp_path).code == 0
    assert (tmp_path / "flooded.mp4").read_bytes() == (tmp_path / "calm.mp4").read_bytes()


def test_replies_come_to_a_viewer_that_has_ended_its_own_half(tmp_path: Path) -> None:
    """As `nc -N` does."""
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)
    with engine(folder), socket.socket(socket.AF_UNIX) as half:
        half.settimeout(60)
        half.connect(os.fspath(registry.socket_path(folder)))
        half.sendall(b'{"id": 1, "command": "pause"}\n{"id": 2, "command": "unpause"}\n')
        half.shutdown(socket.SHUT_WR)
        with half.makefile("rb") as lines:
            messages = [json.loads(line) for line in lines]
    assert messages[0]["type"] == "snapshot"
    assert [each["id"] for each in messages if each["type"] == "reply"] == [1, 2]


@pytest.mark.slow
def test_a_viewer_that_reads_late_has_lost_events_and_no_reply(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)

    async def read_late() -> None:
        async with guests(folder, 1) as (guest,):
            flooding = asyncio.create_task(guest.flood())
            async with guests(folder, 10) as others:
                listening = [asyncio.create_task(other.listen()) for other in others]
                await asyncio.gather(*(other.flood() for other in others))
                await soon(
                    lambda: all(len(other.replies) == COMMANDS for other in others), "they are done"
                )
                for task in listening:
                    task.cancel()
            late = asyncio.create_task(guest.listen())
            await soon(lambda: len(guest.replies) == COMMANDS, "all of its replies")
            await flooding
            late.cancel()
            assert [reply["id"] for reply in guest.replies] == list(range(COMMANDS))

    with engine(folder):
        asyncio.run(read_late())


@pytest.mark.slow
def test_viewers_beyond_the_files_that_may_be_open_are_told_so_and_the_render_goes_on(
    tmp_path: Path,
) -> None:
    folder = make_project(tmp_path / "a.zoom", **PROJECT | {"keyframes": 5000})
    limited = ["-c", 'ulimit -n 400 && exec "$@"', "-", sys.executable, "-m", "renderer"]

    async def crowd() -> None:
        async with guests(folder, 1) as (first,), guests(folder, 400) as many:
            first.say(id=0, command="pause")
            listening = [asyncio.create_task(guest.listen()) for guest in (first, *many)]
            await soon(lambda: first.replies and all(guest.first for guest in many), "all hear")
            refused = [guest for guest in many if guest.first.startswith(b'{"type":"reply"')]
            assert len(refused) == 401 - (400 - 256)
            assert all("144 viewers are connected" in each.replies[0]["error"] for each in refused)
            before = read_status(folder).keyframes
            first.say(id=1, command="unpause")
            await soon(lambda: read_status(folder).keyframes > before + 9, "it goes on")
            first.say(id=2, command="stop")
            await asyncio.gather(*listening)

    with subprocess.Popen(["bash", *limited, str(folder)], stdout=subprocess.DEVNULL) as process:
        until(lambda: running(folder) and registry.socket_path(folder).exists(), "it renders")
        asyncio.run(crowd())
        assert process.wait(60) == 0
    assert read_status(folder).session.failure == ""
