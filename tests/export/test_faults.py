"""The disk fails while an export is made: it is whole or not there, and the project is untouched.

Python's own calls fail one by one, as in ``tests/project/test_faults.py``; what libav and Pillow
write is cut off after the n-th byte, for n all along the export, by the kernel's limit of a file's
length.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import StorageError
from renderer.export.of_project import ExportOptions, export, plan_export
from tests.engine.runs import project, render
from tests.faults import BY_KIND, POINTS, Disk, failing, sweep
from tests.marks import slower

KINDS_OF_EXPORT: dict[str, tuple[str, dict[str, Any]]] = {
    "copied": ("a.mp4", {}),
    "encoded": ("a.mp4", {"direction": "in"}),
    "with a cover": ("a.mp4", {"poster": 0.2}),
    "animation": ("a.gif", {}),
    "pictures": ("a", {}),
}
EXPORTS = pytest.mark.parametrize(
    ("name", "asked"),
    [
        pytest.param(*KINDS_OF_EXPORT[kind], id=kind, marks=marks)
        for kind, marks in (
            ("copied", ()),
            ("pictures", ()),
            *((kind, pytest.mark.slow) for kind in ("encoded", "with a cover", "animation")),
        )
    ],
)


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("reef") / "reef.zoom", keyframes=3)
    render(folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Everything below ``folder``, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def made(reef: Path, out: Path, asked: dict[str, Any]) -> None:
    export(plan_export(reef, str(out), ExportOptions(**asked)), lambda *_: None)


@POINTS
@BY_KIND
@EXPORTS
def test_an_export_is_whole_or_not_there_with_a_fault_at_every_call(
    reef: Path, tmp_path: Path, name: str, asked: dict[str, Any], kind: str, few: int | None
) -> None:
    def make(place: Path) -> Path:
        place.mkdir()
        return place

    def trial(place: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            made(reef, place / name, asked)

    def check(place: Path) -> None:
        if not (place / name).exists():
            made(reef, place / name, asked)
        left = files(place)
        if kind != "read-only":  # there what was begun can't be removed
            assert left.keys() - whole.keys() <= {f".{name}.exporting"}
        assert {kept: left[kept] for kept in whole} == whole

    project_before = files(reef)
    made(reef, make(tmp_path / "whole") / name, asked)
    whole = files(tmp_path / "whole")
    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (1 if few else 4)
    assert files(reef) == project_before


@contextmanager
def longest_file(length: int) -> Iterator[None]:
    """No file grows beyond that many bytes, in this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("cuts", [5, *slower([60])])
@EXPORTS
def test_an_export_that_is_cut_off_at_any_byte_is_refused_and_leaves_nothing(
    reef: Path, tmp_path: Path, name: str, asked: dict[str, Any], cuts: int
) -> None:
    project_before = files(reef)
    (tmp_path / "whole").mkdir()
    made(reef, tmp_path / "whole" / name, asked)
    whole = files(tmp_path / "whole")
    longest = max(len(data) for data in whole.values())
    place = tmp_path / "cut"
    place.mkdir()
    for cut in {*(longest * number // cuts for number in range(cuts)), longest - 1}:
        with longest_file(cut), pytest.raises(StorageError, match="no space left") as refused:
            made(reef, place / name, asked)
        assert len(str(refused.value).splitlines()) == 1
        assert files(place) == {}, cut
    with longest_file(longest + 100_000):
        made(reef, place / name, asked)
    assert files(place) == whole
    assert files(reef) == project_before
