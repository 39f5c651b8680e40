"""A project of another user's, or one that was moved: nothing outside the folder is written to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.engine.events import Event, RenderFailed, RenderStarted, SegmentWritten
from renderer.engine.session import Session
from renderer.errors import ProjectError, StorageError
from renderer.files import replace_file
from renderer.project.project import Project
from renderer.project.records import EXPORTS, OWN
from renderer.service.launch import launch
from tests.cli.processes import zoomtui
from tests.engine.runs import digest, project, render, stop_at
from tests.marks import slower
from tests.project.damages import contents

FEW = ("film.mp4", "keyframes", "lock")
AS_WAS = b"somebody's own\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that no project has to do with."""
    path = tmp_path / "outside"
    path.write_bytes(AS_WAS)
    return path


@pytest.mark.parametrize("name", [*FEW, *slower(sorted({*OWN, EXPORTS} - {*FEW}))])
def test_a_project_whose_own_file_is_a_link_is_refused(
    tmp_path: Path, outside: Path, name: str
) -> None:
    folder = project(tmp_path / "a.zoom")
    stop_at(folder, lambda event: isinstance(event, SegmentWritten))
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    target = outside
    if name in ("keyframes", EXPORTS):
        target = tmp_path / "folder outside"
        target.mkdir()
    path.symlink_to(target)
    answer = zoomtui("resume", "a.zoom", "--headless", cwd=tmp_path)
    assert answer.code in (2, 3, 6), answer.err  # 2: the settings themselves can't be read
    assert "a.zoom" in answer.err
    assert outside.read_bytes() == AS_WAS
    assert not (tmp_path / "folder outside").exists() or not list(target.iterdir())
    assert path.is_symlink()


def test_the_log_of_an_engine_of_its_own_is_no_link_either(tmp_path: Path, outside: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    (folder / "render.log").symlink_to(outside)
    with pytest.raises((ProjectError, StorageError)):
        launch(folder)
    assert outside.read_bytes() == AS_WAS


@pytest.mark.parametrize("leave", [Path.symlink_to, Path.hardlink_to])
def test_what_lies_where_a_file_is_written_first_is_never_written_through(
    tmp_path: Path, outside: Path, leave: Callable[[Path, Path], None]
) -> None:
    leave(tmp_path / "film.m3u8.part", outside)
    replace_file(tmp_path / "film.m3u8", b"new")
    assert outside.read_bytes() == AS_WAS
    assert (tmp_path / "film.m3u8").read_bytes() == b"new"
    assert not (tmp_path / "film.m3u8.part").exists()


def test_a_keyframe_that_is_a_link_is_replaced_and_not_what_it_names(
    tmp_path: Path, outside: Path
) -> None:
    folder = project(tmp_path / "a.zoom")
    (folder / "keyframes" / "000000.png").symlink_to(outside)
    render(folder)
    assert outside.read_bytes() == AS_WAS
    assert not (folder / "keyframes" / "000000.png").is_symlink()


@pytest.mark.parametrize("another", [True, False])
def test_a_project_that_is_moved_while_it_renders_stops_and_what_took_its_place_is_left_alone(
    tmp_path: Path, another: bool
) -> None:
    whole = project(tmp_path / "whole.zoom", keyframes=9)
    render(whole)
    folder, moved = project(tmp_path / "a.zoom", keyframes=9), tmp_path / "moved.zoom"
    events: list[Event] = []
    before: dict[str, str] = {}

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, RenderStarted):
            folder.rename(moved)
            if another:
                before.update(contents(project(folder, seed=12)))

    with Project.open(folder) as opened:
        last = Session(opened, emit).run()
    assert isinstance(last, RenderFailed)
    assert last.exit_code == StorageError.exit_code
    assert "was moved away while it was rendered" in last.message
    if another:
        assert contents(folder) == before
    else:
        assert not folder.exists()
    render(moved)
    assert digest(moved) == digest(whole)


PAINTER = """
from pathlib import Path
import tests.painters
Path("was run").touch()
def factory(settings):
    return tests.painters.gradient(settings)
"""


def test_a_painter_that_a_project_from_elsewhere_names_is_not_run_before_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    folder = project(tmp_path / "a.zoom", painter="planted:factory")
    (tmp_path / "planted.py").write_text(PAINTER)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    before = contents(folder)
    for more in ((), ("--prompt", "a reef"), ("--keyframes", "5")):
        answer = zoomtui("resume", "a.zoom", "--headless", *more, cwd=tmp_path)
        assert answer.code == 3, answer.err
        assert "would run code that you have not used here yet" in answer.err
        assert "`zoomtui resume a.zoom --trust`" in answer.err
        assert answer.err.count("\n") == 1
    assert not (tmp_path / "was run").exists()
    assert before.items() <= contents(folder).items()
    assert zoomtui("resume", "a.zoom", "--headless", "--trust", cwd=tmp_path).code == 0
    assert (tmp_path / "was run").exists()
    again = project(tmp_path / "b.zoom", painter="planted:factory")
    assert zoomtui("resume", again.name, "--headless", cwd=tmp_path).code == 0


@pytest.mark.slow
def test_another_module_of_the_same_name_needs_a_word_of_its_own(tmp_path: Path) -> None:
    for place in ("mine", "theirs"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "planted_too.py").write_text(PAINTER)
    mine = ("--painter", "planted_too:factory", "--keyframes", "2", "--size", "64x64", "--headless")
    assert zoomtui("render", *mine, "--out", "a.zoom", cwd=tmp_path / "mine").code == 0
    shutil.copytree(tmp_path / "mine" / "a.zoom", tmp_path / "theirs" / "a.zoom")
    more = ("resume", "a.zoom", "--headless", "--keyframes", "3")
    assert zoomtui(*more, cwd=tmp_path / "theirs").code == 3
    assert zoomtui(*more, cwd=tmp_path / "mine").code == 0


def test_pickled_weights_need_the_word_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    project(tmp_path / "a.zoom", painter="diffusion", model="./m", trust_pickled_weights=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    answer = zoomtui("resume", "a.zoom", "--headless", cwd=tmp_path)
    assert answer.code == 3
    assert "model files of ./m that are no safetensors" in answer.err
