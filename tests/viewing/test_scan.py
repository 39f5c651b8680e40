"""What projects are doing is read from them, whatever the list of renders says."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from renderer.engine.events import Phase, PhaseChanged, ViewersChanged
from renderer.project import registry, session_record
from renderer.project.status import State
from renderer.service.client import Client, Told, ask
from renderer.service.glance import glance
from tests.cli.engines import engine, kill_engine, make_project, until
from zoomtui.viewing.scan import Reader, Render, Scan

pytestmark = pytest.mark.usefixtures("empty_state")


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder without projects."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    return folder


def marks(scan: Scan) -> dict[str, State]:
    return {render.name: render.state for render in scan.renders}


def only(reader: Reader) -> Render:
    (render,) = reader.read().renders
    return render


def test_where_nothing_was_rendered_the_list_is_empty(nowhere: Path) -> None:
    scan = Reader(nowhere).read()
    assert scan.renders == ()
    assert scan.problem == ""
    assert scan.free


def test_a_render_that_failed_says_so_until_it_goes_on(killed: Path, nowhere: Path) -> None:
    registry.remember(killed)
    reader = Reader(nowhere)
    assert only(reader).state is State.STOPPED
    session_record.fail(killed, "no space left", 6)
    assert (only(reader).state, only(reader).why) == (State.FAILED, "no space left")
    session_record.record(killed, session_record.SessionRecord())
    assert (only(reader).state, only(reader).why) == (State.STOPPED, "")


def test_stopped_missing_and_damaged_are_told_apart(
    killed: Path, tmp_path: Path, nowhere: Path
) -> None:
    stopped = killed.rename(tmp_path / "stopped.zoom")
    damaged = shutil.copytree(stopped, tmp_path / "damaged.zoom")
    journal = damaged / "journal.jsonl"
    journal.write_bytes(b"nonsense\n" + journal.read_bytes())
    for folder in (stopped, damaged, tmp_path / "gone.zoom"):
        registry.remember(folder)
    scan = Reader(nowhere).read()
    assert marks(scan) == {
        "stopped": State.STOPPED, "damaged": State.DAMAGED, "gone": State.MISSING,
    }  # fmt: skip
    why = {render.name: render.why for render in scan.renders}
    assert "line 1" in why["damaged"]
    assert "moved or deleted" in why["gone"]


def test_a_project_that_can_not_be_reached_hides_no_other(finished: Path, nowhere: Path) -> None:
    registry.remember(finished)
    entry = json.dumps({"project": f"/{'n' * 300}.zoom"})  # the system refuses to look it up
    (registry.state_directory() / "renders" / "0000.json").write_text(entry)
    states = {render.state: render.why for render in Reader(nowhere).read().renders}
    assert states.keys() == {State.FINISHED, State.DAMAGED}
    assert "File name too long" in states[State.DAMAGED]


def test_a_finished_project_is_finished(finished: Path, nowhere: Path) -> None:
    registry.remember(finished)
    found = only(Reader(nowhere))
    assert found.state is State.FINISHED
    assert found.status is not None
    assert found.status.keyframes == 3
    assert not found.state.resumable


def test_projects_of_the_current_directory_are_shown_without_being_on_the_list(
    finished: Path,
) -> None:
    found = only(Reader(finished.parent))
    assert (found.folder, found.listed) == (finished.resolve(), False)
    registry.remember(finished)
    assert only(Reader(finished.parent)).listed


def test_a_moved_project_is_missing_and_found_again_at_its_new_place(
    finished: Path, tmp_path: Path, nowhere: Path
) -> None:
    registry.remember(finished)
    reader = Reader(nowhere)
    assert only(reader).state is State.FINISHED
    moved = finished.rename(tmp_path / "moved.zoom")
    assert only(reader).state is State.MISSING
    registry.remember(moved)
    assert marks(reader.read()) == {"moved": State.FINISHED, "reef": State.MISSING}


def test_only_what_has_changed_is_read_again(
    finished: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.remember(finished)
    reader = Reader(nowhere)
    first = only(reader)
    assert only(reader) is first
    journal = finished / "journal.jsonl"
    os.utime(journal, ns=(1, 1))
    assert only(reader) is not first


@pytest.mark.parametrize(
    "entry", [b"", b"{", b"[]", b'{"project": 3}', b'{"project": "\\u0000"}', b"\xff\xfe"]
)
def test_a_broken_entry_of_the_list_breaks_nothing(
    entry: bytes, finished: Path, nowhere: Path
) -> None:
    registry.remember(finished)
    (registry.state_directory() / "renders" / "0000.json").write_bytes(entry)
    scan = Reader(nowhere).read()
    assert State.FINISHED in marks(scan).values()


@pytest.mark.parametrize("project", ["", "schema = 99", "schema = 1\nsize = 3", "\0"])
def test_a_folder_that_only_looks_like_a_project_is_damaged(project: str, nowhere: Path) -> None:
    folder = nowhere / "odd.zoom"
    folder.mkdir()
    (folder / "project.toml").write_text(project, encoding="utf-8")
    (folder / "journal.jsonl").write_bytes(b"")
    found = only(Reader(nowhere))
    assert found.state is State.DAMAGED
    assert found.why


def test_a_list_that_cannot_be_read_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nowhere: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    scan = Reader(nowhere).read()
    assert scan.renders == ()
    assert scan.problem


def test_an_engine_is_seen_running_paused_and_dead(tmp_path: Path, nowhere: Path) -> None:
    folder = make_project(tmp_path / "live.zoom", "endless", 2, keyframes=9)
    reader = Reader(nowhere)
    with engine(folder):
        until(lambda: only(reader).engine is not None, "the engine answers")
        assert only(reader).state is State.RUNNING
        asyncio.run(ask(folder, "pause"))
        until(lambda: only(reader).state is State.PAUSED, "it is paused")
        kill_engine(folder)
        assert only(reader).state is State.STOPPED
        assert only(reader).engine is None


def test_who_only_glances_or_leaves_a_word_is_no_viewer(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)

    async def counted() -> list[int]:
        watching = await Client.connect(folder)
        watching.watch()
        counts = []
        async for message in watching.messages():
            if not isinstance(message, Told):
                continue
            match message.event:
                case ViewersChanged():
                    counts.append(message.event.viewers)
                    assert await asyncio.to_thread(glance, folder, 5.0) is not None
                    await ask(folder, "pause")
                case PhaseChanged(phase=Phase.PAUSED):
                    break
        watching.close()
        return counts

    with engine(folder):
        assert asyncio.run(counted()) == [1]


def test_an_engine_that_does_not_answer_is_running_all_the_same(
    tmp_path: Path, nowhere: Path, finished: Path
) -> None:
    path = registry.socket_path(finished)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        assert glance(finished, 0.1) is None


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[1]\n",
        b'{"state": {}}\n',
        b"\xff\n",
        b"[" * 200_000,
        b"x" * 9_000_000,
    ],
    ids=["nothing", "empty", "no state", "list", "bare", "bytes", "deep", "endless"],
)
def test_what_no_engine_says_is_no_answer(said: bytes, finished: Path) -> None:
    path = registry.socket_path(finished)
    server = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print(flush=True)\n"
        "said = sys.stdin.buffer.read()\n"
        "c, _ = s.accept()\n"
        "try: c.sendall(said)\n"
        "except OSError: pass\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", server, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as answering:
        assert answering.stdout is not None
        assert answering.stdin is not None
        answering.stdout.readline()
        answering.stdin.write(said)
        answering.stdin.close()
        assert glance(finished, 2.0) is None


def test_a_render_tells_the_settings_in_force(finished: Path, nowhere: Path) -> None:
    registry.remember(finished)
    (found,) = Reader(nowhere).read().renders
    assert found.status is not None
    assert found.status.settings is not None
    assert found.status.settings.seed == 11


def test_a_hundred_projects_are_read_from_memory_while_they_rest(
    finished: Path, nowhere: Path
) -> None:
    for number in range(100):
        folder = nowhere / f"{number:03}.zoom"
        folder.mkdir()
        for name in ("project.toml", "journal.jsonl"):
            shutil.copy(finished / name, folder / name)
    reader = Reader(nowhere)
    first = {render.folder: render for render in reader.read().renders}
    assert len(first) == 100
    assert all(first[render.folder] is render for render in reader.read().renders)
