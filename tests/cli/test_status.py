"""`zoomtui status`: of finished, killed and running projects."""

from __future__ import annotations

import json
import signal
import socket
import threading
from pathlib import Path

from renderer.project import registry
from renderer.project.lock import ProjectLock
from renderer.project.records import LOCK
from tests.cli.processes import FRAMES, Answer, Running, painter, zoomtui


def test_status_of_a_finished_project(rendered: tuple[Path, Answer]) -> None:
    folder, _ = rendered
    answer = zoomtui("status", folder.name, cwd=folder.parent)
    assert answer.code == 0
    for part in (
        "state      finished",
        "prompt     a reef",
        "painter    tests.painters:gradient",
        "keyframes  3/3",
        " each, painter idle ",
        f"frames     {FRAMES}/{FRAMES}, 0.3 s of film",
        "quality    seam",
        f"film       {folder}/film.mp4",
    ):
        assert part in answer.out, part


def test_status_of_a_killed_project_says_how_to_go_on(killed: Path) -> None:
    answer = zoomtui("status", killed.name, cwd=killed.parent)
    assert "state      stopped; `zoomtui resume reef.zoom` goes on" in answer.out
    assert "keyframes  2/5" in answer.out
    assert "frames     4/17" in answer.out
    assert "live.m3u8" in answer.out


def test_watching_an_engine_of_another_version_is_one_line(killed: Path) -> None:
    address = registry.socket_path(killed)
    address.unlink(missing_ok=True)

    def speak(listening: socket.socket) -> None:
        for _ in range(2):  # it is asked for its state first
            viewer, _ = listening.accept()
            with viewer:
                viewer.sendall(b'{"type": "snapshot", "protocol": 0}\n')
                while viewer.recv(1024):  # until it has heard enough
                    pass

    with ProjectLock(killed / LOCK), socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        engine = threading.Thread(target=speak, args=[listening])
        engine.start()
        answer = zoomtui("status", killed.name, "--watch", cwd=killed.parent)
        engine.join()
    said = "zoomtui: the engine is of another version of zoomtui; use that version\n"
    assert (answer.code, answer.err) == (3, said)


def test_status_of_a_failed_project_says_why_and_how_to_go_on(tmp_path: Path) -> None:
    failing = painter("failing", 2)
    rendered = zoomtui("render", *failing, "--out", "reef.zoom", cwd=tmp_path)
    assert rendered.code == 5
    answer = zoomtui("status", "reef.zoom", cwd=tmp_path)
    assert "state      failed; `zoomtui resume reef.zoom` goes on" in answer.out
    (why,) = (line for line in answer.out.splitlines() if line.startswith("why  "))
    assert why.removeprefix("why ").strip().rpartition(" (")[0] in rendered.err
    told = json.loads(zoomtui("status", "reef.zoom", "--json", cwd=tmp_path).out)
    assert (told["state"], told["session"]["exit_code"]) == ("failed", 5)
    listed = zoomtui("ls", cwd=tmp_path).out
    assert "✗ failed" in listed
    assert told["session"]["failure"] in listed


def test_status_of_a_running_project_and_a_second_engine_say_who_holds_it(tmp_path: Path) -> None:
    endless = painter("endless", 2)
    with Running("render", *endless, "--out", "reef.zoom", cwd=tmp_path) as running:
        running.until("segment 1")
        shown = zoomtui("status", "reef.zoom", cwd=tmp_path)
        assert "state      running (process " in shown.out
        told = json.loads(zoomtui("status", "reef.zoom", "--json", cwd=tmp_path).out)
        assert told["state"] == "running"
        assert told["holder"]["pid"] > 0
        second = zoomtui("resume", "reef.zoom", cwd=tmp_path)
        assert second.code == 4
        assert f"process {told['holder']['pid']}" in second.err
        running.signal(signal.SIGINT)
        assert running.end() == 130


def test_status_only_reads(killed: Path) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in killed.rglob("*")}

    before = state()
    zoomtui("status", killed.name, "--json", cwd=killed.parent)
    assert state() == before
