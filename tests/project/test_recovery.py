"""Recovery removes what an interrupted append leaves; more is refused, and nothing is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import ProjectError
from renderer.export.of_project import read_footage
from renderer.journal import read_journal, write_journal
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL
from renderer.project.repair import find_rescue
from renderer.project.status import read_status
from renderer.project.verify import verify
from tests.engine.runs import digest, project, render
from tests.project.damages import DAMAGES, contents

KEYFRAMES = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", keyframes=KEYFRAMES)
    render(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "a.zoom")


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_no_interruption_leaves_is_refused_and_nothing_is_touched(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy)
    before = contents(copy)
    for _ in range(2):
        with pytest.raises(ProjectError, match="nothing was changed, and `zoomtui repair") as told:
            Project.open(copy)
        assert "\n" not in str(told.value)
    assert contents(copy) == before


@pytest.mark.parametrize("part", range(1, 10))
def test_a_copy_taken_while_rendering_goes_on_to_the_same_film(
    whole: Path, copy: Path, part: int
) -> None:
    film = (whole / FILM).read_bytes()
    (copy / FILM).write_bytes(film[: len(film) * part // 10])  # the film first, then the journal
    with Project.open(copy) as opened:
        lost = "lacks the last" in opened.recovered
    assert lost or part > 7
    render(copy)
    assert digest(copy) == digest(whole)


WRONG = [
    ("keyframe", {"length": "3"}),
    ("keyframe", {"keyframe": -1}),
    ("keyframe", {"at": 1e300}),
    ("keyframe", {"seam": None}),
    ("segment", {"offset": -4096}),
    ("segment", {"length": 1.5}),
    ("segment", {"subtitles": 3}),
    ("header", {"crc": []}),
    ("project", {"settings": "none"}),
    ("project", {"type": "tune"}),
    ("project", {"type": ["project"]}),
]


@pytest.mark.parametrize(("kind", "change"), WRONG, ids=lambda value: str(value))
def test_records_with_values_that_no_zoomtui_writes_are_refused_by_whatever_reads_them(
    copy: Path, kind: str, change: dict[str, Any]
) -> None:
    records = read_journal(copy / JOURNAL)
    last = max(at for at, record in enumerate(records) if record["type"] == kind)
    records[last] = {**records[last], **change}
    write_journal(copy / JOURNAL, records)
    before = contents(copy)
    readers: tuple[Callable[[Path], object], ...] = (
        Project.open,
        read_status,
        lambda folder: verify(folder, lambda *_: None),
        read_footage,
    )
    for read in readers:
        with pytest.raises(ProjectError, match="that this zoomtui does not know") as told:
            read(copy)
        assert "\n" not in str(told.value)
    assert contents(copy) == before
    rescue = find_rescue(copy, lambda *_: None)
    assert rescue.lines
    assert contents(copy) == before
