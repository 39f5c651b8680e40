"""A farm on a real Ray cluster of several nodes on this machine, with real engines."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from renderer.project.session_record import supervisor
from renderer.project.status import read_status
from renderer.queue.jobs import Queue
from renderer.service.client import Client, Refused, Snapshot
from tests.cli import processes
from tests.cli.engines import until
from tests.cli.processes import Running, zoomtui
from tests.engine.runs import digest
from tests.farm.clusters import Nodes
from tests.queue.films import alone, jobs, turns

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A head without processors to give away, and a node with two."""
    with Nodes(tmp_path_factory.mktemp("n"), [{"num_cpus": 0}, {"num_cpus": 2}]) as nodes:
        yield nodes


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue")


def farm(queue: Queue, nodes: Nodes, *more: str) -> Running:
    where = ("--queue", str(queue.folder), "--address", nodes.address, "--lease", "2s")
    workers = () if "--workers" in more else ("--workers", "cpu:2")
    line = ("farm", "start", *where, *workers, *more)
    return Running(*line, cwd=queue.folder.parent, **nodes.environment)


def test_every_job_is_rendered_as_alone(nodes: Nodes, queue: Queue) -> None:
    folders = jobs(queue, 4)
    gone = folders.pop(0)
    shutil.move(gone, gone.with_name("moved.zoom"))
    with farm(queue, nodes, "--until-empty", "--lease", "60s") as running:  # none is taken over
        assert running.end() == 0
    assert turns(queue) == ["failed", "done", "done", "done"]
    assert f"{gone} does not exist" in queue.find(gone).why
    assert " (on " in queue.find(gone).why
    assert [digest(folder) for folder in folders] == [alone(folder) for folder in folders]
    assert len([line for line in running.said.splitlines() if ": begun on " in line]) == 3
    assert "Traceback" not in running.said


def test_viewers_find_it_as_if_it_were_rendered_here(nodes: Nodes, queue: Queue) -> None:
    folder, _ = jobs(queue, 2, "endless", keyframes="inf")
    here = queue.folder.parent

    async def look() -> None:
        with closing(await Client.connect(folder)) as client:
            heard = asyncio.create_task(anext(client.messages()))
            first = await heard
            assert isinstance(first, Snapshot)
            assert first.state.keyframes == 2
            listening = asyncio.create_task(_drain(client))
            with pytest.raises(Refused, match="unknown command 'preview from elsewhere'"):
                await client.preview()  # no picture crosses
            with pytest.raises(Refused):
                await client.command("nonsense")
            await client.command("pause")
            listening.cancel()

    with farm(queue, nodes) as running:
        running.until(f"{folder.name}: begun on ")
        until(lambda: read_status(folder).frames, "a segment")
        asyncio.run(look())
        status = json.loads(zoomtui("status", str(folder), "--json", cwd=here).out)
        assert status["state"] == "paused"
        assert zoomtui("unpause", str(folder), cwd=here).code == 0
        assert zoomtui("rewind", str(folder), "2", "--yes", cwd=here).code == 0
        until(lambda: read_status(folder).takes, "another take is painted")
        assert zoomtui("prompt", str(folder), "a stormy sea", cwd=here).code == 0
        assert "a stormy sea" in (folder / "journal.jsonl").read_text()
        assert zoomtui("stop", str(folder), cwd=here).code == 0
        running.until(f"{folder.name}: held: stopped before its end")
        running.signal(signal.SIGINT)
        assert running.end() == 130
    assert turns(queue) == ["held", "waiting"]
    assert not any(map(supervisor, map(Path, (job.project for job in queue.jobs()))))


async def _drain(client: Client) -> None:
    async for _ in client.messages():
        pass


def worker_of(folder: Path) -> int:
    """The process of the worker that renders it: the engine's parent."""
    found = supervisor(folder)
    assert found is not None
    return found.pid


def test_a_worker_that_is_told_to_end_finishes_the_segment_in_hand(
    nodes: Nodes, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate.4"
    (folder,) = jobs(queue, 1, "gated", model=str(gate))
    with farm(queue, nodes, "--until-empty") as running:
        running.until(f"{folder.name}: begun on ")
        until(lambda: read_status(folder).frames >= 3 * 6, "three segments")
        before = psutil.Process(worker_of(folder))
        before.send_signal(signal.SIGTERM)
        until(lambda: not before.is_running(), "the worker ends")
        gate.touch()
        assert running.end() == 0
    assert running.said.count(": begun on ") == 2
    assert ": waits" in running.said
    assert digest(folder) == alone(folder)
    log = (folder / "render.log").read_text()
    assert "killed" not in log


def test_the_driver_may_go_and_come_back_and_another_may_end_it(nodes: Nodes, queue: Queue) -> None:
    folder, _, third = jobs(queue, 3, "endless", keyframes="inf")
    here = queue.folder.parent
    with farm(queue, nodes) as running:
        running.until(lambda said: said.count(": begun on ") == 2)
    with farm(queue, nodes) as again:  # the first was killed
        again.until(lambda said: said.count(": begun on ") == 2)
        other = Queue(here / "other")
        other.make()
        with farm(other, nodes) as refused:
            assert refused.end() == 4
        assert f"the farm is at work on the queue {queue.folder}; `zoomtui" in refused.said
        where = ("--address", nodes.address)
        with Running("farm", "ls", *where, cwd=here, **nodes.environment) as listed:
            assert listed.end() == 0
        lines = sorted(line.partition("  ")[2] for line in listed.said.splitlines())
        assert [line.rpartition("/")[2] for line in lines] == ["0.zoom", "1.zoom"]
        until(lambda: read_status(folder).frames, "a segment")
        with Running("farm", "stop", *where, cwd=here, **nodes.environment) as stopped:
            assert stopped.end() == 0
        assert again.end() == 0
    assert turns(queue) == ["waiting"] * 3
    assert not supervisor(folder)
    assert read_status(third).keyframes == 0
    with Running("farm", "ls", *where, cwd=here, **nodes.environment) as nothing:
        assert nothing.end() == 3
    assert "no farm is at work; `zoomtui farm start` begins one" in nothing.said


# ------------------------------------------------------------------------------- what is refused


def test_a_cluster_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    with Nodes(tmp_path, [{"num_cpus": 1}], RAY_AUTH_MODE="disabled") as nodes:
        where = ("--address", nodes.address, "--workers", "cpu:1")
        with Running("farm", "start", *where, cwd=tmp_path, **nodes.environment) as running:
            assert running.end() == 2
    (line,) = running.said.splitlines()
    assert "lets anyone who reaches it run code: start Ray on every machine with" in line


def test_workers_that_are_of_no_use_are_named_and_the_rest_is_rendered(
    nodes: Nodes, queue: Queue
) -> None:
    nodes.add(num_cpus=0, num_gpus=1)  # as its owner says; there is none
    (folder,) = jobs(queue, 1)
    with farm(queue, nodes, "--workers", "gpu") as running:
        running.until("GPU 0 is not used: there is no NVIDIA GPU here")
        running.signal(signal.SIGINT)
        assert running.end() == 130
    assert read_status(folder).keyframes == 0


# ------------------------------------------------------------------------------- what is survived


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twenty_films_survive_the_loss_of_a_node_and_of_the_queue(
    tmp_path: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 4 workers of 2 nodes; nothing is rendered twice but what was in hand."""
    monkeypatch.setattr(processes, "PATIENCE", 600.0)  # lines come seldom on a busy machine
    folders = jobs(queue, 20, keyframes=12)
    wholes = [alone(folder, keyframes=12) for folder in folders]
    with (
        Nodes(tmp_path, [{"num_cpus": 0}, {"num_cpus": 2}, {"num_cpus": 2}]) as nodes,
        farm(queue, nodes, "--until-empty") as running,
    ):
        running.until(lambda said: said.count(": finished") >= 4)
        lost = sorted(job.folder for job in queue.jobs() if supervisor(job.folder))
        nodes.kill(0)
        running.until(lambda said: said.count(": finished") >= 8)
        head = queue.runner
        assert head is not None
        os.kill(head.pid, signal.SIGKILL)
        assert running.end() == 0
    assert turns(queue) == ["done"] * 20
    assert [digest(folder) for folder in folders] == wholes
    again = {folder: _written(folder) for folder in folders}
    assert all(count == 12 for folder, count in again.items() if folder not in lost)
    assert all(count <= 13 for count in again.values())


def _written(folder: Path) -> int:
    """How many segments were made, as its log tells."""
    return (folder / "render.log").read_text().count(" written: ")
