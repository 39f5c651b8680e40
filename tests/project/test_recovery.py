"""Recovery removes what an interrupted append leaves; more is refused, and nothing is touched."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.errors import ProjectError
from renderer.film.store import committed
from renderer.journal import read_journal
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, keyframe_path
from tests.engine.runs import digest, project, render

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


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"lock", "render.log"}
    }


def crlf(folder: Path) -> None:
    text = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(text.replace(b"\n", b"\r\n"))


def emptied(folder: Path) -> None:
    (folder / JOURNAL).write_bytes(b"")


def zeroed(folder: Path) -> None:
    (folder / JOURNAL).write_bytes(bytes((folder / JOURNAL).stat().st_size))


def bad_from_the_second_line_on(folder: Path) -> None:
    first, _, rest = (folder / JOURNAL).read_bytes().partition(b"\n")
    (folder / JOURNAL).write_bytes(first + b"\n" + rest.replace(b'"type"', b'"kind"'))


def of_another_kind(folder: Path) -> None:
    first = (folder / JOURNAL).read_bytes().partition(b"\n")[0]
    (folder / JOURNAL).write_bytes(first + b"\n" + bytes(2 << 20))


def older_journal(folder: Path) -> None:
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL).write_bytes(b"".join(lines[: len(lines) // 2]))


def older_film_and_journal(folder: Path) -> None:
    segments = committed(read_journal(folder / JOURNAL))
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"type":"segment"' in line)
    (folder / JOURNAL).write_bytes(b"".join(lines[: first + 1]))
    film = (folder / FILM).read_bytes()
    (folder / FILM).write_bytes(film[: segments[1].offset])


def lacking_film_and_keyframe(folder: Path) -> None:
    segments = committed(read_journal(folder / JOURNAL))
    film = (folder / FILM).read_bytes()
    (folder / FILM).write_bytes(film[: segments[1].offset])
    keyframe_path(folder, 3).unlink()


@pytest.mark.parametrize(
    "damage",
    [
        crlf,
        emptied,
        zeroed,
        bad_from_the_second_line_on,
        of_another_kind,
        older_journal,
        older_film_and_journal,
        lacking_film_and_keyframe,
    ],
)
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
