"""The control socket under bad manners: whatever comes in, the engine keeps rendering."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from renderer.engine.preview import PreviewRequests
from renderer.engine.session import Session
from renderer.project import registry
from renderer.project.records import read_history
from renderer.project.status import State, read_status
from renderer.service import server
from renderer.service.protocol import PROTOCOL
from renderer.service.server import ControlServer
from tests.cli.engines import engine, make_project, running, until
from tests.service.viewers import viewer

NOBODY = 65534
KNOCK = """
import os, socket, sys
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as knocking:
    knocking.settimeout(10)
    try:
        knocking.connect(sys.argv[1])
        print(len(knocking.recv(100)))
    except PermissionError:
        print("not let in")
"""


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same for all tests that leave it as it was."""
    folder = make_project(tmp_path_factory.mktemp("patient") / "a.zoom", "endless", since=2)
    with engine(folder):
        yield folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project that an engine renders for ever, a step at a time."""
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)
    with engine(folder):
        yield folder


def test_a_viewer_is_greeted_with_the_whole_state(folder: Path) -> None:
    until(lambda: read_status(folder).keyframes == 2, "the session has begun")
    with viewer(folder) as one:
        snapshot = one.hear("snapshot")
    assert snapshot["protocol"] == PROTOCOL
    assert snapshot["pid"] == running(folder)
    assert snapshot["state"]["project"] == str(folder)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"rubbish", "Expecting value"),
        (b"\xff\xfe\x00", ""),
        (b"[1, 2]", "a command is a JSON object"),
        (b"[" * 100_000, ""),
        (b'{"id": 1}', "unknown command None"),
        (b'{"id": 1, "command": "rm -rf"}', "unknown command 'rm -rf'"),
        (b'{"id": 1, "command": "steer"}', "steer needs changes"),
        (b'{"id": 1, "command": "steer", "changes": {"promt": "x"}}', "did you mean 'prompt'?"),
        (b'{"id": 1, "command": "steer", "changes": {"steps": "x"}}', "steps can't be 'x'"),
        (b'{"id": 1, "command": "steer", "changes": {"fps": "25"}}', "fps is fixed at 30"),
        (b'{"id": 1, "command": "undo"}', "nothing to undo"),
    ],
)
def test_a_bad_line_gets_an_error_and_the_next_one_an_answer(
    patient: Path, line: bytes, reason: str
) -> None:
    with viewer(patient) as one:
        answer = one.ask(line)
        assert answer["ok"] is False
        assert reason in answer["error"]
        assert one.ask(b'{"id": "later", "command": "pause"}') == {
            "type": "reply",
            "id": "later",
            "ok": True,
        }


def test_a_line_without_end_is_cut_off_and_nobody_else(folder: Path) -> None:
    with viewer(folder) as patient, viewer(folder) as endless:
        with pytest.raises((EOFError, ConnectionError)):
            endless.ask_without_end()
        assert patient.ask(b'{"id": 1, "command": "pause"}')["ok"]


def test_a_prompt_of_any_text_is_kept_exactly(folder: Path) -> None:
    prompt = "[red]x[/red] \x1b[31m ‮abc é " + "long " * 2000
    command = {"id": 1, "command": "steer", "changes": {"prompt": prompt}}
    with viewer(folder) as one:
        assert one.ask(json.dumps(command).encode())["ok"]
    assert prompt in json.loads(json.dumps([_steered(folder)]))


def _steered(folder: Path) -> str:
    from renderer.journal import read_journal

    return next(
        str(record["changes"]["prompt"])
        for record in read_journal(folder / "journal.jsonl")
        if record["type"] == "steer"
    )


@pytest.mark.slow
def test_a_viewer_that_stops_reading_holds_nothing_up(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", keyframes=150, frames_per_keyframe=2)
    with engine(folder), viewer(folder) as deaf:
        until(lambda: read_status(folder).state is State.FINISHED, "the film is finished")
        assert deaf.hear("snapshot")["protocol"] == PROTOCOL
    assert read_status(folder).frames == 149 * 2 + 1


def test_a_burst_of_steering_is_answered_whole(folder: Path) -> None:
    until(lambda: read_status(folder).keyframes == 2, "the session has begun")
    count = 600
    with viewer(folder) as one:
        for number in range(count):
            one.say(_steer(number))
        assert [one.hear("reply")["id"] for _ in range(count)] == list(range(count))
    assert read_history(folder).steering[-1].changes == {"prompt": f"reef {count - 1}"}


def _steer(number: int) -> bytes:
    changes = {"prompt": f"reef {number}"}
    return json.dumps({"id": number, "command": "steer", "changes": changes}).encode() + b"\n"


class Listening:
    """A session that only notes what it is asked."""

    def __init__(self) -> None:
        self.preview_requests = PreviewRequests()
        self.asked: list[str] = []

    def steer(self, changes: Mapping[str, str]) -> None:
        self.asked.append(changes["prompt"])


def test_others_are_heard_between_the_commands_of_one_who_says_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_TURN", -1)
    registry.socket_path(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    session, count = Listening(), 200
    control = ControlServer(registry.socket_path(tmp_path), tmp_path, cast("Session", session))
    with viewer(tmp_path) as many, viewer(tmp_path) as other:
        many.say(b"".join(map(_steer, range(count))))
        other.say(_steer(count))
        with control:
            assert other.hear("reply")["id"] == count
            assert [many.hear("reply")["id"] for _ in range(count)] == list(range(count))
    assert session.asked.index(f"reef {count}") < count


def test_only_its_owner_can_reach_the_socket(folder: Path) -> None:
    path = registry.socket_path(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can knock as another user")
def test_another_user_is_turned_away_even_where_files_let_him_in(folder: Path) -> None:
    path = registry.socket_path(folder)
    assert knock(path) == "not let in"
    opened = [path, *path.parents[:-1]]
    modes = [stat.S_IMODE(place.stat().st_mode) for place in opened]
    try:
        for place, mode in zip(opened, modes, strict=True):
            place.chmod(mode | 0o077)
        assert knock(path) == "0"  # connected, and shown out without a word
    finally:
        for place, mode in zip(opened, modes, strict=True):
            place.chmod(mode)
    with viewer(folder) as owner:
        assert owner.ask(b'{"id": 1, "command": "pause"}')["ok"]


def knock(path: Path) -> str:
    """What another user hears at the socket."""
    arguments = [sys.executable, "-c", KNOCK, os.fspath(path), str(NOBODY)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr
