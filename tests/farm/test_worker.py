"""A farm's worker and its relay, without Ray: what is refused, and what crosses."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderer import __version__
from renderer.farm.worker import Worker
from renderer.project.registry import SOCKETS
from tests.cli.processes import zoomtui, zoomtui_here


@pytest.fixture
def worker() -> Iterator[Worker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SOCKETS, "")
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        before = signal.getsignal(signal.SIGTERM)
        worker = Worker(gpu=False, lease=30)
        yield worker
        worker.leave()
        signal.signal(signal.SIGTERM, before)


def test_one_of_another_version_or_on_other_storage_is_refused(
    worker: Worker, tmp_path: Path
) -> None:
    probe = tmp_path / ".probe"
    unseen = worker.greet(__version__, str(probe))
    assert unseen == f"it does not see {tmp_path}: storage must be shared, under one path"
    probe.touch()
    assert worker.greet(__version__, str(probe)) == ""
    other = worker.greet("0.0.1", str(probe))
    assert other == f"it has zoomtui {__version__}, the queue's machine 0.0.1"


def test_what_is_no_project_is_not_begun(worker: Worker, tmp_path: Path) -> None:
    code, why = worker.begin(str(tmp_path / "gone.zoom"))
    assert code == 3
    assert "gone.zoom does not exist" in why
    assert list(tmp_path.iterdir()) == []
    assert worker.renders() == ""
    assert worker.wait("gone.zoom", 0) == -1
    assert worker.read(7, 0) == b""


def test_its_sockets_are_its_own(worker: Worker) -> None:
    place = Path(os.environ[SOCKETS])
    assert place.stat().st_mode & 0o777 == 0o700
    worker.leave()
    assert not place.exists()


def test_without_ray_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "renderer.farm.cluster", raising=False)
    for line in (("ls",), ("stop",), ("start", "--workers", "cpu:1")):
        answer = zoomtui_here("farm", *line, cwd=tmp_path)
        assert (answer.code, answer.err) == (
            2, "zoomtui: a farm needs Ray: pip install 'zoomtui[farm]'\n",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("--workers", "gpu:2"), "'gpu:2' names no workers: say gpu, or cpu:2"),
        (("--workers", "cpu:0"), "'cpu:0' names no workers: say gpu, or cpu:2"),
        (("--lease", "0.1"), "a lease is at least a second"),
    ],
)
def test_wishes_that_cannot_be_met_are_one_line(
    line: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    answer = zoomtui_here("farm", "start", *line, cwd=tmp_path)
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert why in answer.err


@pytest.mark.slow  # loads Ray each time
@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("head:x", "'x' is no port"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path, address: str, why: str) -> None:
    answer = zoomtui("farm", "ls", "--address", address, cwd=tmp_path)
    assert answer.code == 2
    assert answer.err.startswith(f"zoomtui: no Ray cluster can be used at {address}: {why}")
    assert answer.err.count("\n") == 1


def test_an_address_without_a_farm_is_refused(tmp_path: Path) -> None:
    for line in (
        ("render", "a reef", "--dry-run"),
        ("resume", "a.zoom"),
        ("export", "a.zoom", "b.mp4"),
    ):
        answer = zoomtui_here(*line, "--address", "head:6379", cwd=tmp_path)
        said = f"zoomtui: --address is for --farm; see `zoomtui {line[0]} --help`\n"
        assert (answer.code, answer.err) == (2, said)
