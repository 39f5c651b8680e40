"""`zoomtui status --history` and `zoomtui report`, as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from renderer.project.project import Project
from renderer.project.series import SeriesReader
from tests.cli.processes import zoomtui
from tests.engine.runs import project, render
from tests.project.damages import contents


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("reef") / "reef.zoom", keyframes=5)
    render(folder)
    with Project.open(folder) as opened:
        opened.mark(2, "[b]the best[/b] \x1b[31m")
    return folder


def test_the_history_is_eighty_columns_without_a_terminal(reef: Path) -> None:
    before = contents(reef)
    answer = zoomtui("status", str(reef), "--history", cwd=reef.parent)
    assert answer.code == 0, answer.err
    assert "\x1b" not in answer.out
    charts = [line for line in answer.lines if "note:" not in line]
    assert max(map(len, charts)) == 80
    assert "        seam (1 = invisible)" in answer.out
    assert any(0x2800 < ord(sign) < 0x2900 for sign in answer.out)
    assert answer.lines[-1] == "♦      3  note: [b]the best[/b] \\x1b[31m"
    assert contents(reef) == before


def test_the_history_in_plain_signs(reef: Path) -> None:
    answer = zoomtui("--ascii", "status", str(reef), "--history", cwd=reef.parent)
    assert answer.out.isascii()
    assert "'" in answer.out


def test_the_history_as_json(reef: Path) -> None:
    told = json.loads(zoomtui("status", str(reef), "--history", "--json", cwd=reef.parent).out)
    assert told == {"project": str(reef), **SeriesReader(reef).look().to_json()}
    assert told["curves"]["seconds"]["unit"] == "s"
    assert len(told["curves"]["seconds"]["values"]) == 5


def test_the_history_of_nothing_yet_and_of_no_project(tmp_path: Path) -> None:
    project(tmp_path / "a.zoom")
    answer = zoomtui("status", "a.zoom", "--history", cwd=tmp_path)
    assert answer.lines == ["no keyframe is painted yet"]
    answer = zoomtui("status", "b.zoom", "--history", cwd=tmp_path)
    assert (answer.code, len(answer.err.splitlines())) == (3, 1)
    answer = zoomtui("status", "a.zoom", "--history", "--watch", cwd=tmp_path)
    assert answer.code == 2


def test_a_report_is_written_and_replaced_only_by_force(reef: Path, tmp_path: Path) -> None:
    before = contents(reef)
    out = tmp_path / "reef.html"
    answer = zoomtui("report", str(reef), str(out), cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert answer.lines[-1].startswith(f"reported   {out}   (")
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    out.write_text("mine")
    answer = zoomtui("report", str(reef), str(out), cwd=tmp_path)
    assert (answer.code, out.read_text()) == (2, "mine")
    assert "--force" in answer.err
    assert zoomtui("report", str(reef), str(out), "--force", cwd=tmp_path).code == 0
    assert "reef.zoom" in out.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [out]
    assert contents(reef) == before


@pytest.mark.parametrize("out", ["reef.zoom/film.mp4", "reef", "no/such/folder.html", "a.html/"])
def test_a_report_goes_nowhere_else(reef: Path, out: str) -> None:
    (reef.parent / "a.html").mkdir(exist_ok=True)
    before = contents(reef)
    answer = zoomtui("report", str(reef), out, "--force", cwd=reef.parent)
    assert answer.code in (2, 6)
    assert len(answer.err.splitlines()) == 1
    assert contents(reef) == before
