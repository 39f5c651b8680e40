"""A long journal is read once; later looks read what is new, and say what a first look would."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from renderer import journal
from renderer.errors import ProjectError
from renderer.film.fragment import EncodedSegment
from renderer.project import registry
from renderer.project.history import Rewind
from renderer.project.project import Project
from renderer.project.records import JOURNAL
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.status import Status, read_status
from tests.benchmarks.long_project import make
from tests.project.damages import contents

MADE = {"seed": 1, "seconds": 1.0, "seam": 1.0, "drift": 0.0}
KEYFRAMES = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "a.zoom", KEYFRAMES, steered=30, marks=3, takes=5)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The records that are decoded from now on."""
    bodies: list[bytes] = []
    decode = journal._decode
    monkeypatch.setattr(journal, "_decode", lambda body: (bodies.append(body), decode(body))[1])
    return bodies


def first_look(folder: Path) -> Status:
    """What a viewer finds who never looked at it."""
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("XDG_STATE_HOME", str(folder.parent / "other state"))
        shutil.rmtree(folder.parent / "other state", ignore_errors=True)
        return read_status(folder)


def looks(folder: Path, decoded: list[bytes]) -> int:
    """How many records a look reads, which finds what a first one finds."""
    decoded.clear()
    found, count = read_status(folder), len(decoded)
    assert found == first_look(folder)
    return count


def paint(project: Project) -> None:
    """A keyframe and the segment before it."""
    first, last = project.store.segments[0], project.store.segments[-1]
    film = (project.folder / "film.mp4").read_bytes()
    header = film[: first.offset]
    media = film[last.offset : last.offset + last.length]
    project.add_keyframe(len(project.keyframes), project.load_keyframe(2), MADE)
    project.store.append(EncodedSegment(header, media, last.frames))


def test_later_looks_read_what_is_new(folder: Path, decoded: list[bytes]) -> None:
    assert looks(folder, decoded) > 2 * KEYFRAMES
    assert looks(folder, decoded) == 0
    with Project.open(folder) as project:
        paint(project)
        assert looks(folder, decoded) == 2
        project.steer({"prompt": "a forest"})
        project.steer({"prompt": "a city", "steps": 7}, KEYFRAMES + 3)
        assert looks(folder, decoded) == 4
        for _ in range(3):
            paint(project)
            looks(folder, decoded)
    assert read_status(folder).prompt == "a city"
    assert looks(folder, decoded) == 10


def test_what_has_become_long_is_not_read_again_and_again(
    folder: Path, decoded: list[bytes]
) -> None:
    read_status(folder)
    with Project.open(folder) as project:
        for number in range(300):
            project.steer({"prompt": f"{number} " + "words " * 40})
        assert looks(folder, decoded) == 300
        assert looks(folder, decoded) == 0


def test_whatever_is_done_a_look_finds_what_a_first_one_finds(
    folder: Path, decoded: list[bytes]
) -> None:
    rng, kinds = random.Random(19), ["paint", "paint", "steer", "plan", "drop", "mark"]
    kinds += ["rewind", "reroll", "choose", "undo"]
    with Project.open(folder) as project:
        for number in range(120):
            keyframes = len(project.keyframes)
            match rng.choice(kinds):
                case "paint":
                    paint(project)
                case "steer":
                    project.steer({"prompt": f"prompt {number}", "steps": 1 + number % 9})
                case "plan":
                    project.steer({"prompt": f"planned {number}"}, keyframes + rng.randrange(4))
                case "drop":
                    project.drop_steering(keyframes + rng.randrange(3))
                case "mark":
                    project.mark(rng.randrange(keyframes - 3, keyframes), f"note {number}")
                case "rewind":
                    project.rewind(rewound(project.history, keyframes - 2))
                case "reroll":
                    project.rewind(rerolled(project.history, keyframes - 1, {}))
                case "choose":
                    known = project.history.takes(keyframes - 1)
                    if len(known) > 1:
                        project.rewind(choosing(project.history, keyframes - 1, known[0].take))
                case "undo":
                    with suppress(ProjectError):  # nothing to undo
                        project.undo_rewind()
            if project.store.intervals < len(project.keyframes) - 1:
                project.rewind(Rewind(project.store.intervals + 1))
            looks(folder, decoded)


def test_it_is_read_whole_where_it_is_another_journal(folder: Path, decoded: list[bytes]) -> None:
    read_status(folder)
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    *_, lacking, last = (number for number, line in enumerate(lines) if b'"segment"' in line)
    (folder / JOURNAL).write_bytes(b"".join(lines[:lacking]))
    assert looks(folder, decoded) >= lacking
    (folder / JOURNAL).write_bytes(b"".join([*lines[:lacking], lines[last]]))
    with pytest.raises(ProjectError, match="does not follow"):
        read_status(folder)
    other = make(folder.with_name("b.zoom"), KEYFRAMES)
    shutil.rmtree(folder)
    other.rename(folder)
    assert looks(folder, decoded) > 2 * KEYFRAMES
    assert looks(folder, decoded) == 0


@pytest.mark.parametrize("kept", [b"", b"{}", b"[" * 99_999, b"\xff", b'{"position": {}}'])
def test_what_is_kept_may_be_anything(folder: Path, decoded: list[bytes], kept: bytes) -> None:
    found = read_status(folder)
    path = registry.summary_path(folder)
    assert path.is_file()
    path.write_bytes(kept)
    assert read_status(folder) == found
    assert looks(folder, decoded) == 0  # it is kept again


def test_nothing_is_needed_to_look_but_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, before = read_status(folder), contents(folder)
    blocked = folder.parent / "no folder"
    blocked.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    assert read_status(folder) == found
    assert contents(folder) == before


def test_what_is_forgotten_leaves_nothing(folder: Path) -> None:
    registry.remember(folder)
    read_status(folder)
    assert registry.summary_path(folder).exists()
    registry.unlist(folder)
    assert not registry.summary_path(folder).exists()
