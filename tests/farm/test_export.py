"""`export --farm` on a real Ray cluster of several nodes on this machine."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderer.queue.jobs import Queue
from tests.cli.engines import make_project
from tests.cli.processes import Running, zoomtui
from tests.engine.runs import render
from tests.farm.clusters import Nodes

pytestmark = pytest.mark.slow
LONG = ("--seconds-per-keyframe", "8", "--size", "640x360")
"""Makes some twenty chunks, of which each takes a while."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A head without processors, and two nodes with one each."""
    each = {"num_cpus": 1}
    with (
        Nodes(tmp_path_factory.mktemp("n"), [{"num_cpus": 0}, each, each]) as nodes,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, text in nodes.environment.items():
            patch.setenv(name, text)
        yield nodes


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project."""
    folder = tmp_path_factory.mktemp("sea") / "sea.zoom"
    render(make_project(folder, keyframes=6, keyframe_size="640x360", size="640x360"))
    return folder


def both(sea: Path, nodes: Nodes, name: str, *more: str) -> tuple[Path, Path]:
    """What one export makes of ``sea`` here, and on the farm."""
    made = []
    for place, farm in (("here", ()), ("farm", ("--farm", "--address", nodes.address))):
        folder = sea.parent / place
        folder.mkdir(exist_ok=True)
        line = ("export", f"../{sea.name}", name, "--seconds-per-keyframe", "1", *more, *farm)
        answer = zoomtui(*line, cwd=folder)
        assert answer.code == 0, answer.err
        made.append(folder / name)
    assert not [path for path in (sea.parent / "farm").iterdir() if ".part" in path.name]
    return made[0], made[1]


def test_a_film_is_the_same_byte_for_byte(sea: Path, nodes: Nodes) -> None:
    here, farm = both(sea, nodes, "film.mp4", "--crf", "30")
    assert here.read_bytes() == farm.read_bytes()


def test_pictures_are_the_same(sea: Path, nodes: Nodes) -> None:
    here, farm = both(sea, nodes, "frames/", "--fps", "3")
    names = sorted(path.name for path in here.iterdir())
    assert names == sorted(path.name for path in farm.iterdir())
    assert all((here / name).read_bytes() == (farm / name).read_bytes() for name in names)


def test_a_node_that_dies_leaves_its_part_to_the_others(
    sea: Path, nodes: Nodes, tmp_path: Path
) -> None:
    whole = zoomtui("export", str(sea), "whole.mp4", *LONG, cwd=tmp_path)
    assert whole.code == 0
    line = ("export", str(sea), "film.mp4", *LONG, "--farm", "--address", nodes.address, "--json")
    with Running(*line, cwd=tmp_path) as running:
        running.until("ExportProgress")
        nodes.kill(0)
        assert running.end() == 0
        assert all(line.startswith("{") for line in running.said.splitlines()), running.said
        assert '"ExportFinished"' in running.said.splitlines()[-1]
    assert (tmp_path / "film.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    nodes.add(num_cpus=1)


def test_a_signal_leaves_nothing(sea: Path, nodes: Nodes, tmp_path: Path) -> None:
    line = ("export", str(sea), "film.mp4", *LONG, "--farm", "--address", nodes.address, "--json")
    with Running(*line, cwd=tmp_path) as running:
        running.until("ExportProgress")
        running.signal(signal.SIGINT)
        assert running.end() == 130
    assert list(tmp_path.iterdir()) == []


def test_while_renders_hold_every_processor_it_is_refused(
    sea: Path, nodes: Nodes, tmp_path: Path
) -> None:
    queue = Queue(tmp_path / "queue")
    queue.add(
        [make_project(tmp_path / f"{each}.zoom", "endless", keyframes="inf") for each in "ab"]
    )
    where = ("--queue", str(queue.folder), "--address", nodes.address)
    with Running("farm", "start", *where, "--workers", "cpu:1", cwd=tmp_path) as farm:
        farm.until(lambda said: said.count(": begun on ") == 2)
        line = ("export", str(sea), "film.mp4", "--crf", "30", "--farm", *where[2:])
        answer = zoomtui(*line, cwd=tmp_path)
        farm.signal(signal.SIGINT)
        assert farm.end() == 130
    assert answer.code == 2
    assert "renders hold every processor of the cluster; wait for one" in answer.err
    assert not list(tmp_path.glob("film*"))
