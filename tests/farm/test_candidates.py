"""`render --candidates N --farm` on a real Ray cluster of several nodes on this machine."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from renderer.project.status import read_status
from tests.cli.engines import until
from tests.cli.processes import Running, zoomtui
from tests.engine.runs import digest
from tests.farm.clusters import Nodes

pytestmark = pytest.mark.slow
FILM = (
    "--painter", "texture", "--size", "160x90", "--keyframes", "5", "--frames-per-keyframe", "6",
    "--preset", "ultrafast", "--seed", "11", "--candidates", "3", "--overmask", "4",
)  # fmt: skip


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """A head without processors, and two nodes with one each."""
    place = tmp_path / "cluster"
    place.mkdir()
    with Nodes(place, [{"num_cpus": 0}, {"num_cpus": 1}, {"num_cpus": 1}]) as nodes:
        for name, text in nodes.environment.items():
            monkeypatch.setenv(name, text)
        yield nodes


def painters(nodes: Nodes) -> int:
    """How many processes of the cluster paint."""
    every = psutil.process_iter(["name", "environ"])
    token = nodes.environment["RAY_AUTH_TOKEN_PATH"]
    return sum(
        "ray::_PainterActor" in (each.info["name"] or "")
        and (each.info["environ"] or {}).get("RAY_AUTH_TOKEN_PATH") == token
        for each in every
    )


def test_the_film_is_as_painted_here_whatever_becomes_of_the_others(
    nodes: Nodes, tmp_path: Path
) -> None:
    here = zoomtui("render", "a reef", *FILM, "--out", "here.zoom", cwd=tmp_path)
    assert here.code == 0, here.err
    farm = ("--farm", "--address", nodes.address)
    there = zoomtui("render", "a reef", *FILM, *farm, "--out", "there.zoom", cwd=tmp_path)
    assert there.code == 0, there.err
    assert digest(tmp_path / "there.zoom") == digest(tmp_path / "here.zoom")

    broken = tmp_path / "broken.zoom"
    line = ("render", "a reef", *FILM, *farm, "--json", "--out", str(broken))
    with Running(*line, cwd=tmp_path) as running:
        running.until("KeyframeReady")
        nodes.kill(0)
        assert running.end() == 0
    assert digest(broken) == digest(tmp_path / "here.zoom")
    assert not list(broken.glob(".painting-*"))
    nodes.kill(0)
    gone = zoomtui("resume", str(broken), "--keyframes", "7", *farm, cwd=tmp_path)
    assert gone.code == 5
    assert "no processor of the cluster is free; renders hold them all" in gone.err
    assert zoomtui("resume", str(broken), "--keyframes", "7", cwd=tmp_path).code == 0
    assert read_status(broken).keyframes == 7


def test_it_is_steered_as_here_and_a_kill_leaves_no_painter_and_no_picture(
    nodes: Nodes, tmp_path: Path
) -> None:
    folder = tmp_path / "a.zoom"
    farm = ("--farm", "--address", nodes.address)
    endless = (*FILM, "--painter", "tests.painters:picky", "--steps", "5", "--keyframes", "inf")
    line = ("render", "a reef", *endless, *farm, "--json", "--out", str(folder))
    with Running(*line, cwd=tmp_path) as running:
        running.until("KeyframeReady")
        refused = zoomtui("steer", str(folder), "steps=12", cwd=tmp_path)
        assert (refused.code, "steps must be at most 10, not 12" in refused.err) == (3, True)
        until(lambda: list(folder.glob(".painting-*")), "pictures on their way")
        assert painters(nodes) == 2
        for process in psutil.Process(running.pid).children(recursive=True):
            process.kill()
        running.signal(signal.SIGKILL)
        running.end()
    until(lambda: not painters(nodes), "the painters end with their engine")
    kept = read_status(folder).keyframes
    line = ("resume", str(folder), "--keyframes", str(kept + 1), *farm, "--json")
    answer = zoomtui(*line, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert json.loads(answer.lines[-1])["event"] == "RenderFinished"
    assert not list(folder.glob(".painting-*"))
