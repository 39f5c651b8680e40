"""Films that share another one's beginning: byte for byte, and nothing painted twice."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from renderer.engine.events import KeyframeReady
from renderer.errors import ProjectError, StorageError
from renderer.film.decode import decoded_frames
from renderer.project.copy import branch_project
from renderer.project.project import Project
from renderer.project.records import FILM, read_history, read_settings
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.rewinding import rerolled, rewound
from renderer.project.status import read_status
from renderer.project.verify import verify
from tests.engine.runs import assert_playable, digest, of, project, render, steer
from tests.faults import BY_KIND, POINTS, Disk, failing, sweep
from tests.project.damages import contents

COUNT = 6


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished film with a plan, and a second take of its last keyframes."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", keyframes=COUNT, prompt="sea")
    with Project.open(folder) as opened:
        opened.steer({"prompt": "sky"}, 3)
    render(folder)
    with Project.open(folder) as opened:
        opened.rewind(rerolled(opened.history, 4, {}))
    render(folder)
    return folder


def branch(folder: Path, new: Path, keyframe: int, **changes: Any) -> Path:
    branch_project(folder, new, keyframe, changes, ignore)
    return new


@pytest.mark.parametrize("keyframe", range(COUNT))
def test_a_branch_has_the_beginning_and_goes_on_as_its_parent(
    whole: Path, tmp_path: Path, keyframe: int
) -> None:
    before = contents(whole)
    new = branch(whole, tmp_path / "b.zoom", keyframe)
    assert contents(whole) == before
    status = read_status(new)
    assert (status.keyframes, status.frames) == (keyframe + 1, keyframe * 5)
    assert (status.parent, status.branched_at) == (str(whole), keyframe)
    assert verify(new, ignore, decode=decoded_frames) == []
    film = (new / FILM).read_bytes() if keyframe else b""
    assert (whole / FILM).read_bytes().startswith(film)
    if keyframe:
        assert_playable(new, frames=keyframe * 5)
    events = render(new)
    assert [event.keyframe for event in of(events, KeyframeReady)] == [*range(keyframe + 1, COUNT)]
    if keyframe >= 4:  # the variation of a keyframe that is not common is not common either
        assert digest(new) == digest(whole)
    with Project.open(new) as opened:
        assert [opened.settings_at(n).prompt for n in (2, 3)] == ["sea", "sky"]


def test_a_branch_has_its_own_settings_from_there_on(whole: Path, tmp_path: Path) -> None:
    new = branch(whole, tmp_path / "b.zoom", 3, prompt="night", keyframes=8)
    events = render(new)
    assert [event.prompt for event in of(events, KeyframeReady)] == ["night"] * 4
    assert_playable(new, frames=36)
    assert read_status(whole).keyframes == COUNT


def test_what_both_have_takes_no_space_and_what_one_does_changes_nothing_in_the_other(
    whole: Path, tmp_path: Path
) -> None:
    parent = shutil.copytree(whole, tmp_path / "a.zoom")
    new = branch(parent, tmp_path / "b.zoom", 4)
    for stored in read_history(new).keyframes:
        name = f"keyframes/{stored.keyframe:06d}" + (".take2.png" if stored.take == 2 else ".png")
        assert (parent / name).samefile(new / name)
    before = contents(new)
    with Project.open(parent) as opened:
        opened.rewind(rewound(opened.history, 1))
    render(parent)
    assert contents(new) == before
    shutil.rmtree(parent)
    render(new)
    assert digest(new) == digest(whole)


def test_across_file_systems_it_is_copied(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_: Any, **__: Any) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", elsewhere)
    monkeypatch.setattr(os, "copy_file_range", elsewhere)
    new = branch(whole, tmp_path / "b.zoom", 4)
    assert not (whole / "keyframes/000000.png").samefile(new / "keyframes/000000.png")
    render(new)
    assert digest(new) == digest(whole)


def test_what_can_not_be_branched_is_refused_and_nothing_is_made(
    whole: Path, tmp_path: Path
) -> None:
    for keyframe in (COUNT, -1):
        with pytest.raises(ProjectError, match="the film has keyframes 1 to 6"):
            branch(whole, tmp_path / "b.zoom", keyframe)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "a").touch()
    with pytest.raises(ProjectError, match="exists and is not a zoomtui project"):
        branch(whole, taken, 2)
    assert list(tmp_path.iterdir()) == [taken]


def test_a_repaired_branch_still_knows_its_parent(whole: Path, tmp_path: Path) -> None:
    new = branch(whole, tmp_path / "b.zoom", 4)
    with (new / "journal.jsonl").open("ab") as journal:
        journal.write(b"?\n\n" + b'["00000000",{}]\n' * 3)
    assert damage(new)
    repair(new, find_rescue(new, ignore))
    assert read_status(new).parent == str(whole)


@POINTS
@BY_KIND
def test_a_branch_is_made_whole_or_not_at_all(
    whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def make(place: Path) -> Path:
        place.mkdir()
        return place

    def trial(place: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            branch(whole, place / "b.zoom", 4)

    def check(place: Path) -> None:
        left = {entry.name for entry in place.iterdir()}
        assert left <= {"b.zoom"} or kind == "read-only"
        if not left & {"b.zoom"}:
            branch(whole, place / "b.zoom", 4)
        assert verify(place / "b.zoom", ignore) == []

    before = contents(whole)
    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 8)
    assert contents(whole) == before


def test_what_is_given_to_a_branch_is_not_taken_back_by_its_parents_plan(
    whole: Path, tmp_path: Path
) -> None:
    new = branch(whole, tmp_path / "b.zoom", 1, prompt="lava", keyframes=9)
    history = read_history(new)
    settings = read_settings(new)
    assert {history.settings_at(settings, n).prompt for n in range(2, 9)} == {"lava"}
    kept = branch(whole, tmp_path / "c.zoom", 1, keyframes=9)
    assert read_history(kept).settings_at(settings, 5).prompt == "sky"


def test_a_branch_and_a_repair_keep_the_length_that_was_given_last(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=COUNT)
    render(folder)
    steer(folder, keyframes=40)
    with Project.open(folder) as opened:
        opened.rewind(rewound(opened.history, 3))
        opened.steer({"keyframes": 5})
    render(folder)
    new = branch(folder, tmp_path / "b.zoom", 2)
    assert read_history(new).settings_at(read_settings(new), 3).keyframes == 5
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"segment"' in line)
    lines[at] = b"?" + lines[at][1:]
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    repair(folder, find_rescue(folder, ignore))
    assert read_history(folder).settings_at(read_settings(folder), 5).keyframes == 5
